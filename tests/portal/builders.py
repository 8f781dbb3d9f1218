"""What the portal's tests begin with: Alice who buys, Charlie who must see nothing of hers, and something to buy."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.deposits import deposit
from accounts.models import Customer, User
from accounts.people import create_customer, create_operator
from catalog.models import Category, ProviderService, Route, Service
from ledger.accounts import open_provider_account
from orders.models import Order, OrderEvent, State, Status
from providers.models import ExchangeRate, Provider
from records.audit import SYSTEM

PASSWORD = "correct horse battery staple"
LINK = "https://example.com/alice"
_numbers = count(1)


def a_customer(email: str = "alice@example.com", *, balance: str = "100") -> Customer:
    customer = create_customer(email=email, password=PASSWORD)
    if Decimal(balance):
        deposit(customer=customer, amount=Decimal(balance), reference=f"test:{next(_numbers)}", actor=SYSTEM)
    customer.wallet.refresh_from_db()
    return customer


def an_operator(email: str = "bob@example.com") -> User:
    return create_operator(email=email, password=PASSWORD)


def a_service(name: str = "Followers", *, category: str = "Instagram", routed: bool = True, **fields: Any) -> Service:
    """On sale at 0.90 a thousand, from 50 to 10,000; bought at a provider unless it is fulfilled by hand."""
    shelf, _ = Category.objects.get_or_create(name=category)
    settled = {"type": "default", "rate": Decimal("0.90"), "min": 50, "max": 10_000, "visible": True, **fields}
    service = Service.objects.create(category=shelf, name=name, **settled)
    if routed:
        Route.objects.create(service=service, provider_service=_source(service))
    return service


def an_order(customer: Customer, service: Service | None = None, **fields: Any) -> Order:
    """A row as the orders room would have left it; the wallet is not charged for it."""
    service = service or a_service()
    settled = {
        "link": LINK,
        "quantity": 1000,
        "charge": Decimal("0.90"),
        "service_name": service.name,
        "service_type": service.type,
        "rate": service.rate,
        "refill": service.refill,
        "refill_days": service.refill_days,
        "cancel": service.cancel,
        **fields,
    }
    return Order.objects.create(customer=customer, service=service, **settled)


def under_way(customer: Customer, service: Service | None = None, **fields: Any) -> Order:
    """An order that its provider has taken."""
    number = next(_numbers)
    taken = {
        "state": State.ACCEPTED,
        "status": Status.IN_PROGRESS,
        "upstream_id": f"u{number}",
        "accepted_at": timezone.now(),
    }
    return an_order(customer, service, **{**taken, **fields})


def ended(
    customer: Customer, status: Status = Status.COMPLETED, service: Service | None = None, **fields: Any
) -> Order:
    days = timedelta(days=1)
    end = {
        "state": State.ENDED,
        "status": status,
        "ended_at": timezone.now() - days,
        "upstream_id": f"u{next(_numbers)}",
    }
    return an_order(customer, service, **{**end, **fields})


def it_happened(order: Order, kind: str, **fields: Any) -> OrderEvent:
    return OrderEvent.objects.create(order=order, kind=kind, **{"status": order.status, **fields})


def _source(service: Service) -> ProviderService:
    provider = Provider.objects.filter(name="Upstream").first() or _provider()
    return ProviderService.objects.create(
        provider=provider,
        external_id=str(service.pk),
        name=service.name,
        type=service.type,
        rate=Decimal("0.000001"),
        min=service.min,
        max=service.max,
        refill=service.refill,
        cancel=service.cancel,
    )


def _provider() -> Provider:
    account = open_provider_account(currency="USD")
    provider = Provider.objects.create(
        name="Upstream", url="https://upstream.example/api/v2", key="k", currency="USD", account=account
    )
    ExchangeRate.objects.create(provider=provider, rate=Decimal(1), since=timezone.now() - timedelta(days=1))
    return provider
