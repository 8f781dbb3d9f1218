"""What an operator does to services: show, hide, take off sale, let back on, edit. Each is audited with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction

from catalog.models import Category, Service
from catalog.notices import tell_of_doubts
from catalog.prices import first_live_routes, reprice
from catalog.protection import Cause
from catalog.service_types import SERVICE_TYPES, service_type
from providers.models import Provider
from records.audit import Actor, audit

FLAG_OF = {
    "name": "name_by_hand", "description": "description_by_hand", "category": "category_by_hand",
    "min": "limits_by_hand", "max": "limits_by_hand", "refill": "refill_by_hand", "refill_days": "refill_by_hand",
    "dripfeed": "dripfeed_by_hand",
}  # fmt: skip


class NotConfirmable(Exception):
    """The service cannot go on sale; the message says why, as a sentence."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Which went back on sale, and for each other one why not, by service id."""

    services: tuple[int, ...]
    refused: dict[int, str]


class ByHand(TypedDict, total=False):
    name: str
    description: str
    category: Category
    min: int
    max: int
    step: int
    refill: bool
    refill_days: int | None
    dripfeed: bool


@transaction.atomic
def publish(services: Iterable[Service], *, actor: Actor, reason: str = "") -> int:
    """Show services to customers; how many were hidden."""
    return _set_visible(services, True, action="publish service", actor=actor, reason=reason)


@transaction.atomic
def hide(services: Iterable[Service], *, actor: Actor, reason: str = "") -> int:
    """Hide services from customers; orders already made go on."""
    return _set_visible(services, False, action="hide service", actor=actor, reason=reason)


@transaction.atomic
def take_off_sale(service: Service, *, actor: Actor, reason: str) -> None:
    """Stop selling, with a reason that the operator reads later. Imports leave it so."""
    locked = Service.objects.select_for_update().get(pk=service.pk)
    before = {"off_sale_reason": locked.off_sale_reason}
    locked.off_sale_cause, locked.off_sale_reason = Cause.OPERATOR.value, reason[:300] or "Taken off sale."
    locked.save(update_fields=["off_sale_cause", "off_sale_reason"])
    after = {"off_sale_reason": locked.off_sale_reason}
    audit(actor=actor, action="take off sale", target=locked, reason=reason, before=before, after=after)
    _tell([locked], actor)
    service.refresh_from_db(fields=["off_sale_cause", "off_sale_reason"])


@transaction.atomic
def confirm_back_on_sale(services: Iterable[Service], *, actor: Actor, reason: str = "") -> Confirmed:
    """Sell again, as the services are now. Not what its provider does not list, or what cannot be ordered at all."""
    locked = _locked(services)
    chosen = Service.objects.filter(pk__in=[service.pk for service in locked])
    bases, done, refused = first_live_routes(chosen), [], dict[int, str]()
    for service in locked:
        why_not = _why_not_sellable(service, is_listed=service.pk in bases)
        if why_not is not None:
            refused[service.pk] = why_not
        elif service.off_sale_reason or service.off_sale_cause:
            before = {"off_sale_reason": service.off_sale_reason}
            service.off_sale_cause = service.off_sale_reason = ""
            service.save(update_fields=["off_sale_cause", "off_sale_reason"])
            after = {"off_sale_reason": ""}
            audit(actor=actor, action="back on sale", target=service, reason=reason, before=before, after=after)
            done.append(service.pk)
    reprice(chosen, reason="Back on sale", actor=actor)
    _tell(locked, actor)
    return Confirmed(tuple(done), refused)


@transaction.atomic
def edit_by_hand(service: Service, *, actor: Actor, reason: str = "", **values: Unpack[ByHand]) -> None:
    """Change texts, limits, the refill promise or drip-feed; imports leave these alone until `back_to_provider`.

    Raises ValidationError for what a service cannot be.
    """
    locked = Service.objects.select_for_update().get(pk=service.pk)
    changed = {name: value for name, value in values.items() if getattr(locked, name) != value}
    before = {name: str(getattr(locked, name)) for name in changed}
    if changed.get("dripfeed") and (no_runs := why_no_runs(locked.type)):
        raise ValidationError({"dripfeed": no_runs})
    for name, value in changed.items():
        setattr(locked, name, value)
    for name in values.keys() & FLAG_OF.keys():
        setattr(locked, FLAG_OF[name], True)
    locked.full_clean()
    locked.save()
    after = {name: str(value) for name, value in changed.items()}
    audit(actor=actor, action="edit service", target=locked, reason=reason, before=before, after=after)
    if "category" in changed:  # another category, perhaps another markup
        reprice(Service.objects.filter(pk=locked.pk), reason="Moved to another category", actor=actor)
    service.refresh_from_db()


def why_no_runs(type_spelling: str) -> str | None:
    """Why a service of this type cannot be ordered as a drip-feed; None where it can."""
    kind = service_type(type_spelling)
    if kind is not None and kind.in_runs:
        return None
    label = kind.label if kind is not None else type_spelling
    names = ", ".join(each.label for each in SERVICE_TYPES.values() if each.in_runs)
    return f"Only a service of the type {names} can be ordered in runs, and this one is {label}: untick it."


@transaction.atomic
def back_to_provider(service: Service, fields: Iterable[str], *, actor: Actor, reason: str = "") -> None:
    """Let imports set these fields again; the next one does."""
    flags = {FLAG_OF[name]: False for name in fields}
    locked = Service.objects.select_for_update().get(pk=service.pk)
    before = {name: getattr(locked, name) for name in flags}
    Service.objects.filter(pk=service.pk).update(**flags)
    audit(actor=actor, action="back to provider", target=service, reason=reason, before=before, after=flags)
    service.refresh_from_db(fields=list(flags))


def _set_visible(services: Iterable[Service], visible: bool, *, action: str, actor: Actor, reason: str) -> int:
    changed = [service for service in _locked(services) if service.visible is not visible]
    Service.objects.filter(pk__in=[service.pk for service in changed]).update(visible=visible)
    for service in changed:
        before, after = {"visible": not visible}, {"visible": visible}
        audit(actor=actor, action=action, target=service, reason=reason, before=before, after=after)
    _tell(changed, actor)
    return len(changed)


def _locked(services: Iterable[Service]) -> list[Service]:
    ids = [service.pk for service in services]
    return list(Service.objects.filter(pk__in=ids).order_by("pk").select_for_update())


def _why_not_sellable(service: Service, *, is_listed: bool) -> str | None:
    if not is_listed and service.routes.exists():
        return "Its provider does not list it now, or is not active."
    kind = service_type(service.type)
    if kind is None:
        return f"Its type “{service.type}” cannot be ordered here."
    if service.off_sale_cause == Cause.LIMITS and not service.limits_by_hand:
        return "Its limits or its price make no sense. Set the limits by hand first."
    return None


def _tell(services: Iterable[Service], actor: Actor) -> None:
    ids = [service.pk for service in services]
    for provider in Provider.objects.filter(services__routes__service__in=ids).distinct():
        tell_of_doubts(provider, actor=actor)
