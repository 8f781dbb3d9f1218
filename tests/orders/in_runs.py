"""Drip-feeds that the panel runs, at the sandbox: brought to a moment of their lives."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Customer
from catalog.models import Service
from orders.models import Order, State
from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.audit import Actor
from tests.orders.builders import (
    a_customer,
    a_service,
    an_order,
    followed,
    saying,
    turn,
)

ALICE = Actor("alice@example.com")
INTERVAL = 60  # minutes


def a_drip_feed(provider: Provider, *, runs: int = 3, words: str = "", **changes: Any) -> Order:
    """Runs of 1,000 at 1.125 a thousand, an hour apart; `words` say how each run fares at the sandbox."""
    service = Service.objects.filter(name="Drops").first() or a_service(
        provider, name="Drops", dripfeed=True, **changes
    )
    customer = Customer.objects.first() or a_customer("100")
    link = saying(words) if words else "https://example.com/post/1"
    return an_order(customer, service, 1000, link, runs=runs, interval=INTERVAL)


def runs_of(parent: Order) -> list[Order]:
    return list(Order.objects.filter(parent=parent).order_by("run"))


def begun(parent: Order) -> Order:
    """Begins what is due; the newest run."""
    turn("run_series")
    parent.refresh_from_db()
    return runs_of(parent)[-1]


def sent_on(parent: Order, provider: Provider) -> Order:
    """Begins the due run and sends it."""
    run = begun(parent)
    turn("submit_orders", provider)
    parent.refresh_from_db()
    run.refresh_from_db()
    return run


def an_hour_later(parent: Order) -> None:
    """The moment in which the next run is due."""
    assert parent.next_run_at is not None
    Order.objects.filter(pk=parent.pk).update(next_run_at=timezone.now())


def finished(sandbox: Sandbox, provider: Provider, *orders: Order) -> None:
    sandbox.finish_all()
    followed(provider, *orders)


def all_sent(parent: Order, provider: Provider) -> list[Order]:
    """Every run begun and sent, each when it was due."""
    assert parent.runs is not None
    for number in range(parent.runs):
        if number:
            an_hour_later(parent)
        sent_on(parent, provider)
    return runs_of(parent)


def an_unknown_run(sandbox: Sandbox, provider: Provider) -> tuple[Order, Order]:
    parent = a_drip_feed(provider)
    sandbox.faults.add("add", "reset_after", times=1)
    run = sent_on(parent, provider)
    assert run.state == State.UNKNOWN
    return parent, run
