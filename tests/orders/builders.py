"""A panel that sells what the sandbox provider has: a provider, services, a customer with funds, and turns of the
jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.deposits import deposit
from accounts.models import Customer, User
from catalog.models import Category, ProviderService, Route, Service
from catalog.service_types import service_type
from ledger.accounts import house_account, open_provider_account, open_wallet
from ledger.balances import balance_of
from ledger.models import Account, Transfer
from ledger.posting import Posting, post
from ledger.verification import verify
from orders.models import Order
from orders.placing import Line, place_orders
from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.audit import Actor
from records.jobs import run_job

OPERATOR = Actor("operator@example.com")
LINK = "https://example.com/post/1"


def a_customer(balance: str = "100", email: str = "alice@example.com") -> Customer:
    """A customer with this much money."""
    user = User.objects.create(email=email, password="!")
    customer = Customer.objects.create(user=user, wallet=open_wallet(currency="USD"))
    if Decimal(balance):
        deposit(customer=customer, amount=Decimal(balance), reference=f"test:{email}", actor=OPERATOR)
    return customer


def a_provider(sandbox: Sandbox | None = None, name: str = "Sandbox", **settings: Any) -> Provider:
    """The sandbox as a provider, its opening balance in the books; without one, a provider that nobody answers for."""
    currency = settings.pop("currency", "USD")
    provider = Provider.objects.create(
        name=name,
        url=sandbox.url if sandbox else "http://127.0.0.1:9/api/v2",
        key=sandbox.options.key if sandbox else "no-key",
        currency=currency,
        account=open_provider_account(currency=currency),
        requests_per_minute=100_000,
        **settings,
    )
    if sandbox:
        funding = house_account(Account.Kind.FUNDING, currency)
        with transaction.atomic():
            post(
                [
                    Posting(
                        debit=funding,
                        credit=provider.account,
                        amount=sandbox.opening,
                        kind=Transfer.Kind.OPENING,
                        reference=f"provider:{provider.pk}:opening",
                    )
                ]
            )
    return provider


def a_service(
    provider: Provider | None, external_id: str = "1", *, rate: str = "1.125", position: int = 0, **changes: Any
) -> Service:
    """A service on sale, bought as `external_id` at the provider (None: fulfilled by hand)."""
    known: dict[str, Any] = {
        "name": f"Followers {external_id}",
        "type": "default",
        "min": 50,
        "max": 10_000,
        "refill": True,
        "refill_days": 30,
        "cancel": True,
    }
    known |= changes
    category, _ = Category.objects.get_or_create(name="Followers")
    service = Service.objects.create(category=category, rate=Decimal(rate), visible=True, **known)
    if provider is not None:
        a_route(service, provider, external_id, position=position)
    return service


def a_route(service: Service, provider: Provider, external_id: str, *, position: int = 0, rate: str = "0.90") -> Route:
    """One more place to buy the service, at the provider's `rate`."""
    kind = service_type(service.type)
    bought, _ = ProviderService.objects.get_or_create(
        provider=provider,
        external_id=external_id,
        defaults={
            "name": service.name,
            "type": kind.label if kind else service.type,
            "rate": Decimal(rate),
            "min": service.min,
            "max": service.max,
            "refill": service.refill,
            "cancel": service.cancel,
        },
    )
    return Route.objects.create(service=service, provider_service=bought, position=position)


def line(service: Service, quantity: int | None = 1000, link: str = LINK, **fields: object) -> Line:
    """A line as a customer sends it."""
    raw: dict[str, object] = {"link": link, **fields}
    if quantity is not None:
        raw["quantity"] = quantity
    return Line(service_id=service.pk, fields=raw)


def an_order(
    customer: Customer, service: Service, quantity: int | None = 1000, link: str = LINK, **fields: object
) -> Order:
    """One placed and paid order."""
    [order] = place_orders(customer=customer, lines=[line(service, quantity, link, **fields)])
    return order


def saying(words: str) -> str:
    """A link that tells the sandbox how the order shall fare: "partial:30"."""
    return f"{LINK}?sandbox={words}"


def turn(job: str, provider: Provider | None = None) -> Mapping[str, int]:
    """One run of a job; what it counted. A run that failed fails the test."""
    run = run_job(job, str(provider.pk) if provider else "")
    assert run is not None, f"{job} got no turn"
    assert run.error == "", run.error
    counts: Mapping[str, int] = run.counts
    return counts


def sent(provider: Provider, *orders: Order) -> None:
    """Sends what waits, and brings the orders up to date."""
    turn("submit_orders", provider)
    for order in orders:
        order.refresh_from_db()


def followed(provider: Provider, *orders: Order) -> None:
    """Asks for the status of the new orders, and brings the orders up to date."""
    turn("sync_new", provider)
    for order in orders:
        order.refresh_from_db()


def due_now() -> None:
    """Lets every waiting time of the queue be over."""
    Order.objects.filter(state="waiting").update(not_before=timezone.now())


def balance(customer: Customer) -> Decimal:
    customer.wallet.refresh_from_db()
    return balance_of(customer.wallet)


def booked(provider: Provider) -> Decimal:
    """What our books say the provider holds for us."""
    return balance_of(provider.account)


def books_are_right() -> None:
    """Every check of the books passes."""
    report = verify()
    assert report.differences == []
