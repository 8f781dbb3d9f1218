"""What a person decides: each once, with who and why, and never more money back than was paid."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction

from orders.accepting import Acceptance, accept
from orders.cancelling import request_cancel
from orders.deciding import (
    CannotDecide,
    it_exists,
    progress_by_hand,
    refund_whole,
    send_again,
    settle_by_hand,
)
from orders.models import Order, State, Status
from providers.sandbox.server import Sandbox
from records.models import AttentionItem, AuditEntry
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    booked,
    books_are_right,
    followed,
    saying,
    sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


def an_unknown_order(sandbox: Sandbox, fault: str = "reset_after") -> Order:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider))
    sandbox.faults.add("add", fault, times=1)
    sent(provider, order)
    assert order.state == State.UNKNOWN
    return order


def test_it_exists_under_this_id(sandbox: Sandbox) -> None:
    order = an_unknown_order(sandbox)
    [upstream_id] = sandbox.orders
    it_exists(order=order, upstream_id=str(upstream_id), actor=OPERATOR, reason="seen there")
    assert order.state == State.ACCEPTED
    assert order.provider is not None
    assert booked(order.provider) == sandbox.balance
    assert not AttentionItem.objects.filter(closed_at__isnull=True).exists()
    entry = AuditEntry.objects.get(action="order.exists")
    assert (entry.actor_name, entry.reason) == ("operator@example.com", "seen there")
    sandbox.finish_all()
    followed(order.provider, order)
    assert order.status == Status.COMPLETED
    books_are_right()


def test_an_id_that_another_order_holds_cannot_be_given(sandbox: Sandbox) -> None:
    order = an_unknown_order(sandbox)
    assert order.provider is not None
    other = an_order(order.customer, order.service, link="https://example.com/other")
    sent(order.provider, other)
    with pytest.raises(CannotDecide, match=f"Order {other.pk} already holds"):
        it_exists(order=order, upstream_id=str(other.upstream_id), actor=OPERATOR, reason="a guess")
    order.refresh_from_db()
    assert order.state == State.UNKNOWN


def test_it_does_not_exist_send_it(sandbox: Sandbox) -> None:
    order = an_unknown_order(sandbox, "reset_before")
    assert len(sandbox.orders) == 0
    send_again(order=order, actor=OPERATOR, reason="not in the provider's panel")
    assert order.provider is not None
    sent(order.provider, order)
    assert (order.state, order.attempt) == (State.ACCEPTED, 2)
    assert len(sandbox.orders) == 1


def test_an_order_that_its_customer_asked_to_cancel_is_not_sent_again(sandbox: Sandbox) -> None:
    order = an_unknown_order(sandbox)
    request_cancel(order=order, actor=OPERATOR)
    with pytest.raises(CannotDecide, match="give the money back"):
        send_again(order=order, actor=OPERATOR, reason="not in the provider's panel")
    refund_whole(order=order, actor=OPERATOR, reason="not in the provider's panel")
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(order.customer) == 100


def test_give_the_money_back_once(sandbox: Sandbox) -> None:
    order = an_unknown_order(sandbox)
    refund_whole(order=order, actor=OPERATOR, reason="the customer cannot wait")
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(order.customer) == 100
    with pytest.raises(CannotDecide, match="cannot be decided any more"):
        refund_whole(order=order, actor=OPERATOR, reason="again")
    assert balance(order.customer) == 100
    books_are_right()


def an_order_under_review(sandbox: Sandbox) -> Order:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider), link=saying("cancel_keep:20"))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert order.state == State.REVIEW
    return order


@pytest.mark.parametrize(
    ("status", "delivered", "left"),
    [
        (Status.COMPLETED, None, "98.875"),
        (Status.CANCELED, None, "100"),
        (Status.PARTIAL, 200, "99.775"),
        (Status.PARTIAL, 0, "100"),
    ],
)
def test_what_was_delivered_is_decided(sandbox: Sandbox, status: Status, delivered: int | None, left: str) -> None:
    order = an_order_under_review(sandbox)
    settle_by_hand(order=order, status=status, delivered=delivered, actor=OPERATOR, reason="asked the provider")
    assert (order.state, order.status) == (State.ENDED, status)
    assert balance(order.customer) == Decimal(left)
    assert not AttentionItem.objects.filter(closed_at__isnull=True, cause="settlement_unclear").exists()
    books_are_right()


@pytest.mark.parametrize("delivered", [None, -1, 1001])
def test_a_partial_end_needs_a_quantity_that_can_be(sandbox: Sandbox, delivered: int | None) -> None:
    order = an_order_under_review(sandbox)
    with pytest.raises(CannotDecide):
        settle_by_hand(order=order, status=Status.PARTIAL, delivered=delivered, actor=OPERATOR, reason="")
    assert balance(order.customer) == Decimal("98.875")


def test_an_order_by_hand_lives_from_the_operators_word() -> None:
    order = an_order(a_customer("100"), a_service(None))
    progress_by_hand(order=order, status=Status.IN_PROGRESS, start_count=10, remains=400, actor=OPERATOR)
    assert (order.status, order.start_count, order.remains) == (Status.IN_PROGRESS, 10, 400)
    settle_by_hand(order=order, status=Status.PARTIAL, delivered=600, actor=OPERATOR, reason="no more to be had")
    assert (order.status, order.remains) == (Status.PARTIAL, 400)
    assert balance(order.customer) == Decimal("99.325")
    books_are_right()


def test_an_order_that_waits_or_runs_is_not_settled_by_hand(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    sent(provider, order)
    with pytest.raises(CannotDecide):
        settle_by_hand(order=order, status=Status.CANCELED, delivered=None, actor=OPERATOR, reason="")
    with pytest.raises(CannotDecide):
        refund_whole(order=order, actor=OPERATOR, reason="")


def test_a_late_answer_keeps_an_order_from_being_sent_again(sandbox: Sandbox) -> None:
    order = an_unknown_order(sandbox)
    [upstream_id] = sandbox.orders
    send_again(order=order, actor=OPERATOR, reason="not in their list")
    with transaction.atomic():
        assert accept(
            Acceptance(
                order=order, attempt=1, upstream_id=str(upstream_id), cost=Decimal("0.90"), exchange_rate=Decimal(1)
            )
        )
    assert order.provider is not None
    sent(order.provider, order)
    assert (order.state, order.upstream_id) == (State.ACCEPTED, str(upstream_id))
    assert len(sandbox.orders) == 1
    books_are_right()


def test_an_order_that_its_provider_never_ends_is_settled_by_a_person(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider), link=saying("fail"))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert order.state == State.ACCEPTED, "its word is not known"
    settle_by_hand(order=order, status=Status.PARTIAL, delivered=600, actor=OPERATOR, reason="seen at the provider")
    assert (order.state, order.status) == (State.ENDED, Status.PARTIAL)
    assert balance(order.customer) == Decimal("99.325")
    books_are_right()
