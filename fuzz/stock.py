"""What the server has: a customer with funds and a key, a service of every type, orders under way and done."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from accounts.deposits import deposit
from accounts.keys import issue_key
from accounts.models import Customer, User
from catalog.models import Category, Service
from catalog.service_types import SERVICE_TYPES
from ledger.accounts import open_wallet
from orders.models import Order, State, Status
from orders.placing import Line, place_orders
from orders.refilling import request_refill
from records.audit import SYSTEM

FUNDS = Decimal(10**9)
LINK = "https://example.com/fuzz"
ORDERS = 40
UNDER_WAY = (Status.IN_PROGRESS, Status.PROCESSING)


@dataclass(frozen=True, slots=True)
class Stock:
    """The ids that a call can hit, and the key that opens."""

    key: str
    services: list[int]
    orders: list[int]
    refills: list[int]


def fill() -> Stock:
    """Migrates an empty database and fills it."""
    call_command("migrate", verbosity=0, interactive=False)
    customer, key = _customer()
    services = [_service(number, kind) for number, kind in enumerate(SERVICE_TYPES, start=1)]
    lines = [Line(service_id=services[0].pk, fields={"link": f"{LINK}/{n}", "quantity": "100"}) for n in range(ORDERS)]
    orders = list(place_orders(customer=customer, lines=lines))
    for order, status in zip(orders, UNDER_WAY, strict=False):
        Order.objects.filter(pk=order.pk).update(status=status, state=State.ACCEPTED, upstream_id=f"u{order.pk}")
    refills = [_refilled(order) for order in orders[-6:]]
    return Stock(key, [each.pk for each in services], [each.pk for each in orders], refills)


def _customer() -> tuple[Customer, str]:
    user = User.objects.create(email="fuzz@example.com", password="!")  # noqa: S106 - nobody signs in
    customer = Customer.objects.create(user=user, wallet=open_wallet(currency=settings.PANEL_CURRENCY))
    deposit(customer=customer, amount=FUNDS, reference="fuzz", actor=SYSTEM)
    return customer, issue_key(customer)[1]


def _service(number: int, kind: str) -> Service:
    """Fulfilled by hand: no provider is needed to sell it."""
    shelf, _ = Category.objects.get_or_create(name="Everything")
    return Service.objects.create(
        category=shelf, name=f"Service {number} 🔥", type=kind, rate=Decimal("0.000123") * number, min=1, max=10_000,
        visible=True, refill=True, refill_days=30, cancel=True, dripfeed=kind == "default",
    )  # fmt: skip


def _refilled(order: Order) -> int:
    ended = {"state": State.ENDED, "status": Status.COMPLETED, "ended_at": timezone.now()}
    Order.objects.filter(pk=order.pk).update(**ended, upstream_id=f"u{order.pk}")
    order.refresh_from_db()
    return request_refill(order=order, actor=SYSTEM).pk
