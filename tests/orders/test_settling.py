"""How an order ends, seen from the inside of its one transaction: money, cost, requests to cancel, the operator's list,
the story. What stays paid is `test_keeping.py`'s; how the provider's word gets here is told by the other files.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction

from ledger.models import Transfer
from orders.accepting import Acceptance, accept
from orders.models import CancelRequest, Order, State, Status
from orders.refunding import Refund, RefundAboveCharge, refund_all
from orders.settling import Ending, settle
from records.attention import raise_attention
from records.audit import SYSTEM
from records.models import AttentionItem
from tests.orders.builders import a_customer, a_provider, a_service, an_order, balance, books_are_right

pytestmark = pytest.mark.django_db
D = Decimal
CHARGE, COST = D("1.125"), D("0.9")


def some_accepted_orders(number: int = 1) -> list[Order]:
    """Orders of 1000 with their provider, each paid with 1.125 and bought for 0.9."""
    alice, service = a_customer("100"), a_service(a_provider())
    orders = [an_order(alice, service, link=f"https://example.com/{each}") for each in range(number)]
    Order.objects.update(state=State.SENDING, attempt=1)
    for order in orders:
        with transaction.atomic():
            acceptance = Acceptance(
                order=fresh(order), attempt=1, upstream_id=str(order.pk), cost=COST, exchange_rate=D(1)
            )
            assert accept(acceptance)
    return [fresh(order) for order in orders]


def fresh(order: Order) -> Order:
    return Order.objects.select_related("customer__wallet", "provider__account").get(pk=order.pk)


def ended(
    order: Order, status: Status, *, remains: int | None = None, cost: Decimal | None = None
) -> Order:
    with transaction.atomic():
        settle([Ending(order=order, status=status, remains=remains, cost=cost)])
    return fresh(order)


def refunded(order: Order, amount: str, why: str = "goodwill", note: str = "") -> None:
    with transaction.atomic():
        refund_all([Refund(order=order, amount=D(amount), why=why, note=note)])


def cost_in_the_books(order: Order) -> Decimal:
    taken = Transfer.objects.filter(order_id=order.pk, kind=Transfer.Kind.COST)
    given_back = Transfer.objects.filter(order_id=order.pk, kind=Transfer.Kind.COST_RETURN)
    return sum((each.amount for each in taken), D(0)) - sum((each.amount for each in given_back), D(0))


def test_a_partial_end_gives_back_what_was_not_delivered_and_says_for_what() -> None:
    [order] = some_accepted_orders()
    order = ended(order, Status.PARTIAL, remains=400, cost=D("0.54"))
    assert (order.state, order.status, order.refunded) == (State.ENDED, Status.PARTIAL, D("0.45"))
    assert order.ended_at is not None
    assert order.ask_again_at is not None
    assert balance(order.customer) == 100 - CHARGE + D("0.45")
    transfer = Transfer.objects.get(kind=Transfer.Kind.REFUND)
    assert (transfer.reference, transfer.note) == (f"order:{order.pk}:refund:end", f"Order {order.pk}: Partial")
    assert order.cost == cost_in_the_books(order) == D("0.54")
    books_are_right()


def test_what_was_refunded_before_counts() -> None:
    [order] = some_accepted_orders()
    refunded(order, "0.2")
    assert order.refunded == D("0.2")
    order = ended(order, Status.PARTIAL, remains=400)
    assert order.refunded == D("0.45")
    books_are_right()


def test_more_refunded_before_than_the_end_gives_back_stays_with_the_customer() -> None:
    [order] = some_accepted_orders()
    refunded(order, "0.6")
    order = ended(order, Status.PARTIAL, remains=400)
    assert (order.state, order.refunded) == (State.ENDED, D("0.6"))


def test_a_price_that_is_not_told_leaves_the_booked_cost() -> None:
    [order] = some_accepted_orders()
    order = ended(order, Status.COMPLETED)
    assert order.cost == cost_in_the_books(order) == COST
    assert not Transfer.objects.filter(reference=f"order:{order.pk}:cost:final").exists()
    books_are_right()


def test_a_canceled_order_costs_nothing_in_the_end() -> None:
    [order] = some_accepted_orders()
    order = ended(order, Status.CANCELED, cost=COST)
    assert order.cost == cost_in_the_books(order) == 0
    assert balance(order.customer) == 100
    books_are_right()


def test_the_story_tells_the_end() -> None:
    [order] = some_accepted_orders()
    ended(order, Status.COMPLETED)
    told = order.events.get(kind="ended")
    assert (told.status, told.actor) == (Status.COMPLETED, SYSTEM.name)


ANSWERED = [
    "unknown_submission",
    "order_held",
    "settlement_unclear",
    "status_error",
    "order_absent",
    "order_overdue",
    "cancel_unanswered",
    "cancel_asked_by_hand",
]


@pytest.mark.parametrize("cause", ANSWERED)
def test_an_end_answers_what_was_asked_of_the_operator(cause: str) -> None:
    order, other = some_accepted_orders(2)
    for each in (order, other):
        raise_attention(cause=cause, key=f"{cause}:{each.pk}", summary="Look.", order_id=each.pk)
    raise_attention(cause="late_answer", key=f"late:{order.pk}", summary="Look.", order_id=order.pk)
    ended(order, Status.COMPLETED)
    [closed] = AttentionItem.objects.filter(closed_at__isnull=False)
    assert (closed.cause, closed.order_id) == (cause, order.pk)
    assert (closed.decision, closed.closed_by) == ("The order has ended.", SYSTEM.name)


def test_an_end_answers_the_orders_own_open_request_to_cancel_and_no_other() -> None:
    done, late, other = some_accepted_orders(3)
    customer = done.customer
    before = CancelRequest.objects.create(
        order=done, customer=customer, status=CancelRequest.Status.REFUSED, ended_at=done.created_at
    )
    requests = {
        order.pk: CancelRequest.objects.create(order=order, customer=customer) for order in (done, late, other)
    }
    with transaction.atomic():
        settle(
            [
                Ending(order=done, status=Status.CANCELED, remains=None, cost=None),
                Ending(order=late, status=Status.COMPLETED, remains=0, cost=None),
            ]
        )
    for request in (before, *requests.values()):
        request.refresh_from_db()
    assert (before.status, before.ended_at) == (CancelRequest.Status.REFUSED, done.created_at)
    assert [requests[order.pk].status for order in (done, late, other)] == [
        CancelRequest.Status.DONE,
        CancelRequest.Status.TOO_LATE,
        CancelRequest.Status.WAITING,
    ]
    assert [requests[order.pk].ended_at is None for order in (done, late, other)] == [False, False, True]


def test_an_end_that_leaves_open_what_was_delivered_is_the_operators() -> None:
    [order] = some_accepted_orders()
    order = ended(order, Status.PARTIAL, cost=D("0.3"))
    why = "Partial, but the provider does not say how much remains."
    assert (order.state, order.reason, order.refunded) == (State.REVIEW, why, D(0))
    assert order.cost == cost_in_the_books(order) == D("0.3")  # what the provider took is not in doubt
    item = AttentionItem.objects.get()
    assert (item.cause, item.key, item.order_id, item.provider_id) == (
        "settlement_unclear",
        f"settlement:{order.pk}",
        order.pk,
        order.provider_id,
    )
    assert item.summary == f"Order {order.pk} ended as Partial: {why}"
    assert set(item.evidence) == {"status", "remains", "provider's charge", "charge"}
    assert (item.evidence["status"], item.evidence["remains"]) == ("Partial", None)
    assert [D(str(item.evidence[name])) for name in ("provider's charge", "charge")] == [D("0.3"), CHARGE]
    assert order.events.get(kind="review").note == why
    assert balance(order.customer) == 100 - CHARGE
    books_are_right()


def test_orders_that_are_clear_end_beside_one_that_is_not() -> None:
    clear, unclear = some_accepted_orders(2)
    with transaction.atomic():
        counted = settle(
            [
                Ending(order=clear, status=Status.CANCELED, remains=None, cost=None),
                Ending(order=unclear, status=Status.CANCELED, remains=None, cost=D("0.1")),
            ]
        )
    assert counted == (1, 1)
    assert [fresh(order).state for order in (clear, unclear)] == [State.ENDED, State.REVIEW]
    books_are_right()


def test_refunds_of_several_orders_are_each_their_own() -> None:
    orders = some_accepted_orders(3)
    with transaction.atomic():
        refund_all([Refund(order=orders[number], amount=D(number + 1) / 10, why="a") for number in (0, 1)])
    assert [order.refunded for order in orders] == [D("0.1"), D("0.2"), 0]
    assert [fresh(order).refunded for order in orders] == [D("0.1"), D("0.2"), 0]
    assert balance(orders[0].customer) == 100 - 3 * CHARGE + D("0.3")
    books_are_right()


def test_one_refund_above_what_is_left_moves_none_of_them() -> None:
    orders = some_accepted_orders(2)
    refunded(orders[0], "1")
    with pytest.raises(RefundAboveCharge), transaction.atomic():
        refund_all(
            [Refund(order=orders[0], amount=D("0.125001"), why="b"), Refund(order=orders[1], amount=D("0.1"), why="b")]
        )
    assert [fresh(order).refunded for order in orders] == [1, 0]
    assert balance(orders[0].customer) == 100 - 2 * CHARGE + 1
    books_are_right()


def test_a_refund_may_give_back_the_last_millionth() -> None:
    [order] = some_accepted_orders()
    refunded(order, "1.124999")
    refunded(order, "0.000001", why="rest")
    assert fresh(order).refunded == CHARGE


def test_a_refunds_note_is_cut_to_what_a_transfer_holds() -> None:
    [order] = some_accepted_orders()
    refunded(order, "0.1", note="x" * 400)
    assert Transfer.objects.get(kind=Transfer.Kind.REFUND).note == "x" * 300


def test_a_price_that_no_account_can_hold_leaves_the_booked_cost() -> None:
    [order] = some_accepted_orders()
    order = ended(order, Status.PARTIAL, cost=D(10) ** 12)
    assert (order.state, order.cost) == (State.REVIEW, COST)
    assert cost_in_the_books(order) == COST
    books_are_right()
