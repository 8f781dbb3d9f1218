"""Drip-feeds and subscriptions in `status`: their parts are listed by names that are the customer's own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.amounts import plain
from orders.cancelling import request_cancel
from orders.models import Order, RefillRequest
from providers.sandbox.server import Sandbox
from tests.api_v2.builders import Reseller, a_reseller
from tests.orders.builders import OPERATOR, a_provider, a_service, an_order, followed, saying, sent, turn
from tests.orders.in_runs import all_sent, finished
from tests.orders.subscribed import a_subscription, a_subscription_service

pytestmark = pytest.mark.django_db(transaction=True)
UNKNOWN = {"error": "Incorrect order ID"}


def test_the_runs_of_a_drip_feed_add_up_to_what_it_has_cost(rita: Reseller, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    service = a_service(provider, dripfeed=True, rate="1.333333")
    order = an_order(rita.customer, service, 997, link=saying("partial:30"), runs=3, interval=1)
    assert rita.call("status", order=order.pk) == {
        "charge": "3.988", "status": "Pending", "runs": 0, "orders": [], "currency": "USD",
    }  # fmt: skip
    for _ in range(2):
        Order.objects.filter(pk=order.pk).update(next_run_at=order.created_at)
        turn("run_series")
        sent(provider)
    sandbox.finish_all()
    followed(provider, order)
    request_cancel(order=order, actor=OPERATOR)
    found = rita.call("status", order=order.pk)
    assert (found["status"], found["runs"]) == ("Partial", 2)
    assert found["orders"] == [f"{order.pk}-1", f"{order.pk}-2"]
    parts = rita.call("status", orders=",".join(found["orders"]))
    assert list(parts) == found["orders"]
    assert {part["status"] for part in parts.values()} == {"Partial"}
    assert [part["remains"] for part in parts.values()] == ["698", "698"]
    assert sum(Decimal(part["charge"]) for part in parts.values()) == Decimal(found["charge"])


def test_a_drip_feed_is_refilled_run_by_run_and_the_first_is_answered(rita: Reseller, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(rita.customer, a_service(provider, dripfeed=True, refill=True), 1000, runs=2, interval=60)
    runs = all_sent(order, provider)
    finished(sandbox, provider, order, *runs)
    made = rita.call("refill", order=order.pk)
    first, second = RefillRequest.objects.order_by("pk")
    assert made == {"refill": str(first.pk)}
    assert rita.call("refill_status", refills=f"{first.pk},{second.pk}") == [
        {"refill": first.pk, "status": "Pending"}, {"refill": second.pk, "status": "Pending"},
    ]  # fmt: skip
    assert rita.call("refill", orders=order.pk) == [
        {"order": order.pk, "refill": {"error": "Order not eligible for refill."}}
    ]
    otto = a_reseller(email="otto@example.com")
    assert otto.call("refill_status", refill=first.pk) == {"error": "Incorrect refill ID"}
    turn("send_refills", provider)
    sandbox.finish_all()
    turn("refill_statuses", provider)
    assert rita.call("refill_status", refill=made["refill"]) == {"status": "Completed"}


def test_the_posts_of_a_subscription_add_up_to_what_was_taken(rita: Reseller) -> None:
    with Sandbox(balance="1000", dialect="rich") as sandbox:
        provider = a_provider(sandbox)
        order = a_subscription(rita.customer, a_subscription_service(provider), min="50", max="99")
        assert rita.call("status", order=order.pk) == {
            "charge": plain(order.charge), "status": "Active", "posts": 0, "expiry": None, "orders": [],
            "currency": "USD",
        }  # fmt: skip
        sent(provider, order)
        sandbox.finish_all()
        for _ in range(2):
            followed(provider, order)
    found = rita.call("status", order=order.pk)
    assert (found["status"], found["posts"], len(found["orders"])) == ("Completed", 3, 3)
    parts = [rita.call("status", order=name) for name in found["orders"]]
    assert {part["status"] for part in parts} == {"Completed"}
    assert sum(Decimal(part["charge"]) for part in parts) == Decimal(found["charge"])


def test_parts_of_anothers_order_and_parts_that_are_none_do_not_exist(rita: Reseller, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    otto = a_reseller(email="otto@example.com")
    order = an_order(otto.customer, a_service(provider, dripfeed=True), runs=2, interval=60)
    turn("run_series")
    assert otto.call("status", order=f"{order.pk}-1")["status"] == "Pending"
    run = Order.objects.get(run=1)
    assert rita.call("status", order=f"{order.pk}-1") == UNKNOWN
    names = [f"{order.pk}-2", f"{order.pk}-0", f"{order.pk}-", f"-{order.pk}", f"{order.pk}-1-1", str(run.pk)]
    assert otto.call("status", orders=",".join(names)) == dict.fromkeys(names, UNKNOWN)
    for action in ("cancel", "refill"):
        assert otto.call(action, order=f"{order.pk}-1") == UNKNOWN
