"""A provider's own limits, judged again when an order is sent: they are on what is delivered at a time, one run of a
drip-feed or one post of a subscription, and not on the quantity in all.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import ProviderService, Service
from orders.models import Order, State
from orders.placing import Line, Refused, place_orders
from orders.routing import broken_promise, promise_of
from orders.withholding import look_at_held
from providers.models import Provider
from providers.sandbox.server import Sandbox
from tests.orders.builders import LINK, a_customer, a_provider, a_service, balance, sent

pytestmark = pytest.mark.django_db(transaction=True)

TYPES: dict[str, dict[str, Any]] = {  # a service of the sandbox, and what is ordered of it
    "all at once": {"external_id": "1", "type": "default", "fields": {"quantity": 200}},
    "in runs": {"external_id": "1", "type": "default", "fields": {"quantity": 200, "runs": 3, "interval": 5}},
    "lines": {"external_id": "21", "type": "custom_comments", "fields": {"comments": "\n".join("abcdefghijkl")}},
    "posts": {
        "external_id": "13", "type": "subscriptions",
        "fields": {"username": "ann", "min": 100, "max": 200, "posts": 4, "delay": "0"},
    },
    "package": {"external_id": "14", "type": "package", "fields": {}},
}  # fmt: skip


def ordered(provider: Provider, what: str) -> Order:
    kind = TYPES[what]
    service = a_service(
        provider, kind["external_id"], rate="20", type=kind["type"], min=1, max=10_000, refill=False, cancel=False,
        dripfeed=kind["type"] == "default",
    )  # fmt: skip
    ProviderService.objects.update(dripfeed=True)
    alice = a_customer("100")
    [order] = place_orders(customer=alice, lines=[Line(service_id=service.pk, fields={"link": LINK, **kind["fields"]})])
    return order


def limits(least: int, most: int, **changes: object) -> ProviderService:
    """The provider lists the service with other limits now."""
    ProviderService.objects.update(min=least, max=most, **changes)
    return ProviderService.objects.select_related("provider").get()


@pytest.mark.parametrize(
    ("what", "least", "most", "kept"),
    [
        ("all at once", 1, 200, True), ("all at once", 200, 200, True), ("all at once", 1, 199, False),
        ("all at once", 201, 9999, False),
        ("in runs", 200, 200, True),  # 600 in all
        ("in runs", 1, 199, False), ("in runs", 201, 9999, False), ("in runs", 600, 600, False),
        ("lines", 12, 12, True), ("lines", 13, 99, False), ("lines", 1, 11, False),
        ("posts", 100, 200, True),  # 800 in all
        ("posts", 101, 200, False), ("posts", 100, 199, False), ("posts", 1, 99, False), ("posts", 201, 9999, False),
        ("posts", 800, 800, False),
        ("package", 1, 1, True), ("package", 50, 60, True),  # nothing to divide: its limits say nothing
    ],
)  # fmt: skip
def test_the_limits_are_on_what_is_delivered_at_a_time(what: str, least: int, most: int, kept: bool) -> None:
    provider = a_provider()
    order = ordered(provider, what)
    why = broken_promise(limits(least, most), promise_of(order))
    assert why == ("" if kept else f"{provider} takes {least} to {most}.")


@pytest.mark.parametrize("what", ["all at once", "in runs", "lines", "posts"])
def test_a_provider_that_changed_its_limits_gets_nothing_until_they_fit_again(sandbox: Sandbox, what: str) -> None:
    provider = a_provider(sandbox)
    order = ordered(provider, what)
    paid = balance(order.customer)
    for least, most in ((1, 10), (5000, 9000)):
        limits(least, most)
        Order.objects.update(state=State.WAITING)
        sent(provider, order)
        assert (order.state, order.reason) == (State.HELD, f"{provider} takes {least} to {most}.")
    assert sandbox.journal.requests("add") == []
    assert (balance(order.customer), order.refunded) == (paid, Decimal(0))

    limits(1, 10_000)
    looked_at(order)
    sent(provider, order)
    assert order.state == State.ACCEPTED
    assert len(sandbox.journal.requests("add")) == 1


def looked_at(order: Order) -> None:
    """The held order's next look is due."""
    look_at_held(timezone.now() + timedelta(minutes=30), most=10)
    Order.objects.filter(pk=order.pk, state=State.WAITING).update(not_before=timezone.now())


def test_a_provider_that_lost_its_drip_feed_is_not_sent_the_runs(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = ordered(provider, "in runs")
    assert order.state == State.WAITING
    limits(1, 10_000, dripfeed=False)
    sent(provider, order)
    assert sandbox.journal.requests("add") == []
    assert order.state == State.HELD
    assert order.reason == f"{provider} has no drip-feed on it."


def test_what_no_provider_takes_is_refused_when_it_is_placed() -> None:
    provider = a_provider()
    order = ordered(provider, "in runs")
    limits(1, 199)
    fields = {"link": LINK, "quantity": 200, "runs": 3, "interval": 5}
    with pytest.raises(Refused, match="cannot be ordered at the moment"):
        place_orders(customer=order.customer, lines=[Line(service_id=order.service_id, fields=fields)])
    fields["quantity"] = 199  # 597 in all
    [second] = place_orders(customer=order.customer, lines=[Line(service_id=order.service_id, fields=fields)])
    assert second.quantity == 597


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ("all at once", "quantity"), ("in runs", "quantity"), ("lines", "comments"), ("posts", "max"),
        ("package", "service"),
    ],
)  # fmt: skip
def test_a_price_out_of_range_is_said_at_the_field_that_makes_it(what: str, field: str) -> None:
    provider = a_provider()
    order = ordered(provider, what)
    Service.objects.update(rate=Decimal(10**9) if what != "package" else Decimal(2 * 10**9))
    lines = [Line(service_id=order.service_id, fields={"link": LINK, **TYPES[what]["fields"]})]
    if what != "package":
        lines = [_a_thousandfold(lines[0], what)]
    with pytest.raises(Refused) as refused:
        place_orders(customer=order.customer, lines=lines)
    assert [problem.field for problem in refused.value.problems] == [field]


def _a_thousandfold(line: Line, what: str) -> Line:
    """Enough of it that one order would cost more than any may."""
    more: dict[str, dict[str, object]] = {
        "all at once": {"quantity": 9000}, "in runs": {"quantity": 9000}, "posts": {"posts": 1000},
        "lines": {"comments": "\n".join(["again"] * 2000)},
    }  # fmt: skip
    return Line(service_id=line.service_id, fields={**line.fields, **more[what]})
