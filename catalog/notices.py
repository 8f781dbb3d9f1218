"""What the operator is told about services in doubt: one item a provider and cause, however many services it is about.

Each item names the services that wait for a decision now, so raising it again never hides an older one. Services that
customers do not see anyway are not worth a person's time.
"""

from __future__ import annotations

from collections import defaultdict

from django.conf import settings

from catalog.models import Route, Service
from catalog.protection import SUMMARY, Cause
from providers.models import Provider
from records.attention import Item, close_attention, raise_attention, raise_many
from records.audit import SYSTEM, Actor
from records.models import AttentionItem


def tell_of_doubts(provider: Provider, *, actor: Actor = SYSTEM) -> None:
    """Bring the items about this provider's services in line with the services; call it in the change's transaction."""
    in_doubt: dict[Cause, list[dict[str, object]]] = defaultdict(list)
    bought_there = Route.objects.filter(provider_service__provider=provider).values("service_id")
    waiting = Service.objects.filter(pk__in=bought_there, visible=True, off_sale_cause__in=[*SUMMARY])
    for service in waiting.order_by("pk").only("pk", "name", "off_sale_cause", "off_sale_reason"):
        about = {"service": service.pk, "name": service.name, "why": service.off_sale_reason}
        in_doubt[Cause(service.off_sale_cause)].append(about)
    raise_many(_item(provider, cause, services) for cause, services in in_doubt.items())
    for key in _open_keys(provider) - {_key(provider, cause) for cause in in_doubt}:
        close_attention(key=key, decision="None is left.", actor=actor)


def tell_of_refusal(provider: Provider, reason: str) -> None:
    """An import that changed nothing because its answer cannot be right."""
    summary = f"Import from {provider.name}: {reason}"
    raise_attention(
        cause="catalogue_import", key=_refusal_key(provider), summary=summary, provider_id=provider.pk
    )


def import_went_well(provider: Provider) -> None:
    if AttentionItem.objects.filter(key=_refusal_key(provider), closed_at__isnull=True).exists():
        close_attention(key=_refusal_key(provider), decision="The next import went well.")


def _refusal_key(provider: Provider) -> str:
    return f"catalogue:{provider.pk}:import"


def _open_keys(provider: Provider) -> set[str]:
    """Of the items about this provider's services; asked first: where nothing is to close, nothing is written."""
    possible = [_key(provider, cause) for cause in SUMMARY]
    return set(AttentionItem.objects.filter(key__in=possible, closed_at__isnull=True).values_list("key", flat=True))


def _item(provider: Provider, cause: Cause, services: list[dict[str, object]]) -> Item:
    return Item(
        cause=f"service_{cause.value}",
        key=_key(provider, cause),
        summary=f"{len(services)} of {provider.name}'s services {SUMMARY[cause]}",
        evidence={"total": len(services), "services": services[: settings.IMPORT_EVIDENCE_SERVICES]},
        provider_id=provider.pk,
    )


def _key(provider: Provider, cause: Cause) -> str:
    return f"catalogue:{provider.pk}:{cause.value}"
