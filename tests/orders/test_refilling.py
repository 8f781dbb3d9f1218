"""Refills: when they can be asked for, how they go, and that none is asked for twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order, RefillRequest
from orders.refilling import CannotRefill, can_refill, decide_unknown, request_refill
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    LINK,
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    books_are_right,
    followed,
    saying,
    sent,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


def a_completed_order(sandbox: Sandbox, link: str = LINK, **service: Any) -> Order:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider, **service), link=link)
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert order.status == "Completed"
    return order


def test_a_refill_is_asked_for_and_followed_to_its_end(sandbox: Sandbox) -> None:
    order = a_completed_order(sandbox)
    refill = request_refill(order=order, actor=OPERATOR)
    assert order.provider is not None
    turn("send_refills", order.provider)
    refill.refresh_from_db()
    assert (refill.status, refill.upstream_id) == ("Pending", str(next(iter(sandbox.refills))))
    sandbox.finish_all()
    turn("refill_statuses", order.provider)
    refill.refresh_from_db()
    assert refill.status == "Completed"
    assert refill.ended_at is not None
    order.refresh_from_db()
    assert order.ask_again_at is not None
    assert order.ask_again_at <= timezone.now(), "a refill may have changed what the provider says of the order"
    books_are_right()


def test_one_refill_at_a_time(sandbox: Sandbox) -> None:
    order = a_completed_order(sandbox)
    request_refill(order=order, actor=OPERATOR)
    with pytest.raises(CannotRefill, match="has been requested"):
        request_refill(order=order, actor=OPERATOR)


@pytest.mark.parametrize(
    ("link", "status"), [(saying("refill_rejected"), "Rejected"), (saying("refill_refused"), "Rejected")]
)
def test_a_rejected_refill_says_so(sandbox: Sandbox, link: str, status: str) -> None:
    order = a_completed_order(sandbox, link)
    refill = request_refill(order=order, actor=OPERATOR)
    assert order.provider is not None
    turn("send_refills", order.provider)
    sandbox.finish_all()
    turn("refill_statuses", order.provider)
    refill.refresh_from_db()
    assert refill.status == status
    assert can_refill(order).allowed, "after a rejection another may be tried"


def test_a_refill_that_got_no_answer_is_never_repeated(sandbox: Sandbox) -> None:
    order = a_completed_order(sandbox)
    refill = request_refill(order=order, actor=OPERATOR)
    sandbox.faults.add("refill", "reset_after", times=1)
    assert order.provider is not None
    turn("send_refills", order.provider)
    turn("send_refills", order.provider)
    refill.refresh_from_db()
    assert refill.status == RefillRequest.Status.UNKNOWN
    assert len(sandbox.refills) == 1
    assert AttentionItem.objects.get(cause="unknown_refill").order_id == order.pk


def test_a_refill_whose_process_died_becomes_unknown(sandbox: Sandbox) -> None:
    order = a_completed_order(sandbox)
    refill = request_refill(order=order, actor=OPERATOR)
    past = timezone.now() - timedelta(seconds=1)
    RefillRequest.objects.update(status=RefillRequest.Status.SENDING, lease_until=past)
    turn("tidy_orders")
    refill.refresh_from_db()
    assert refill.status == RefillRequest.Status.UNKNOWN


def test_a_provider_that_cannot_be_reached_gets_the_refill_later(sandbox: Sandbox) -> None:
    order = a_completed_order(sandbox)
    refill = request_refill(order=order, actor=OPERATOR)
    sandbox.faults.add("refill", "rate_limit", times=1)
    assert order.provider is not None
    turn("send_refills", order.provider)
    refill.refresh_from_db()
    assert refill.status == RefillRequest.Status.WAITING
    turn("send_refills", order.provider)
    assert len(sandbox.refills) == 1


def test_when_a_refill_cannot_be_asked_for(sandbox: Sandbox) -> None:
    order = a_completed_order(sandbox)
    assert order.ended_at is not None
    order.ended_at = timezone.now() - timedelta(days=31)
    assert can_refill(order).why == "The 30 days of refill are over."
    order.refill = False
    assert can_refill(order).why == "This service has no refill."


def test_not_before_completed(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    with pytest.raises(CannotRefill, match="from Completed on, within 30 days"):
        request_refill(order=order, actor=OPERATOR)


@pytest.mark.parametrize(("upstream_id", "status"), [("777", "Pending"), ("", "Rejected")])
def test_what_became_of_an_unknown_refill_is_decided_once(sandbox: Sandbox, upstream_id: str, status: str) -> None:
    order = a_completed_order(sandbox)
    refill = request_refill(order=order, actor=OPERATOR)
    sandbox.faults.add("refill", "reset_after", times=1)
    assert order.provider is not None
    turn("send_refills", order.provider)
    decide_unknown(refill=refill, upstream_id=upstream_id, actor=OPERATOR, reason="seen in the provider's panel")
    assert (refill.status, refill.upstream_id) == (status, upstream_id)
    assert not AttentionItem.objects.filter(cause="unknown_refill", closed_at__isnull=True).exists()
    with pytest.raises(CannotRefill):
        decide_unknown(refill=refill, upstream_id="778", actor=OPERATOR, reason="again")
    assert can_refill(order).allowed == (status == "Rejected")
