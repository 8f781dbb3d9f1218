"""A provider and its lists, as the catalogue's tests need them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from catalog.importing import ImportResult, apply_import, plan_import
from catalog.models import ProviderService, Service
from ledger.accounts import open_provider_account
from providers.models import ExchangeRate, Provider
from providers.outcomes import Listings, ServiceListing
from records.audit import Actor

_numbers = count(1)
OLGA = Actor("olga@example.com")

FOLLOWERS = ServiceListing(
    external_id="1", name="Instagram Followers R30", category="Instagram Followers", type="Default",
    rate=Decimal("0.90"), min=50, max=10_000, refill=True, cancel=True, dripfeed=True, description="High quality",
)  # fmt: skip
COMMENTS = ServiceListing(
    external_id="2", name="Instagram Custom Comments", category="Instagram Comments", type="Custom Comments",
    rate=Decimal(8), min=10, max=1500, refill=False, cancel=False, dripfeed=False, description="",
)  # fmt: skip
PACKAGE = replace(COMMENTS, external_id="3", name="Starter pack", type="Package", rate=Decimal(5), min=1, max=1)


def a_provider(name: str = "", *, currency: str = "USD", exchange_rate: str | None = None, **settings: Any) -> Provider:
    provider = Provider.objects.create(
        name=name or f"provider {next(_numbers)}", url="https://panel.example/api/v2", key="secret",
        currency=currency, account=open_provider_account(currency=currency), **settings,
    )  # fmt: skip
    if exchange_rate is not None:
        ExchangeRate.objects.create(provider=provider, rate=Decimal(exchange_rate))
    return provider


def listing(number: int, **fields: Any) -> ServiceListing:
    """One of a long catalogue: all alike but for the number."""
    named: dict[str, Any] = {"external_id": str(number), "name": f"Telegram views pack {number}", **fields}
    return replace(FOLLOWERS, **named)


def import_(provider: Provider, *services: ServiceListing, **options: Any) -> ImportResult:
    """Take in this list; `publish` and the rest as for `apply_import`."""
    given = Listings(list(services), options.pop("unreadable", []), frozenset(options.pop("unreadable_ids", ())))
    return apply_import(plan_import(provider, given), actor=OLGA, **options)


def sold(provider: Provider, external_id: str = "1") -> Service:
    """The service made from this listing, as it stands in the database now."""
    return Service.objects.get(
        routes__provider_service__provider=provider, routes__provider_service__external_id=external_id
    )


def an_upstream_service(provider: Provider, *, rate: str, type: str = "Default") -> ProviderService:
    """Unsaved: what arithmetic on costs needs."""
    return ProviderService(provider=provider, external_id="1", name="x", type=type, rate=Decimal(rate), min=1, max=10)


def names(services: Iterable[Service]) -> list[str]:
    return [service.name for service in services]
