"""A hold: it leaves the wallet when the order is placed, and is taken or released whole at its end, once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.conf import settings
from django.db import transaction

from ledger.accounts import house_account
from ledger.balances import balance_of
from ledger.models import Account, Transfer
from ledger.posting import AlreadyPosted, Posting, post
from ledger.verification import verify
from orders.cancelling import request_cancel
from orders.deciding import CannotDecide, ends_of, progress_by_hand, refund_whole, settle_by_hand
from orders.holding import holds, released_of
from orders.models import Order, State, Status
from orders.refunding import Refund, refund_all
from orders.settling import payback
from tests.orders.builders import OPERATOR, a_customer, a_provider, a_service, an_order, balance, books_are_right
from tests.orders.subscribed import HELD, a_subscription, a_subscription_service

pytestmark = pytest.mark.django_db
D = Decimal
NOTHING = D(0)


def in_house(kind: Account.Kind) -> Decimal:
    return balance_of(house_account(kind, settings.PANEL_CURRENCY))


def transfers(order: Order) -> dict[str, Decimal]:
    found = Transfer.objects.filter(order_id=order.pk).exclude(kind__in=["cost", "cost_return"])
    return {each.reference.removeprefix(f"order:{order.pk}:"): each.amount for each in found}


def by_hand(**fields: str) -> Order:
    return a_subscription(a_customer(), a_subscription_service(None), **fields)


def settled(order: Order, status: Status, delivered: int | None) -> Order:
    settle_by_hand(order=order, status=status, delivered=delivered, actor=OPERATOR, reason="I looked.")
    return order


def test_what_is_placed_is_held_and_not_sold() -> None:
    order = by_hand()
    assert (order.state, order.charge, order.quantity) == (State.BY_HAND, HELD, 300)
    assert holds(order)
    assert transfers(order) == {"hold": HELD}
    assert balance(order.customer) == 100 - HELD
    assert (in_house(Account.Kind.HELD), in_house(Account.Kind.SALES)) == (HELD, NOTHING)
    books_are_right()


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.EXPIRED, Status.CANCELED])
@pytest.mark.parametrize(
    ("delivered", "moved"),
    [
        (300, {"capture": HELD}),
        (0, {"release": HELD}),
        (120, {"capture": D("0.048"), "release": D("0.072")}),
    ],
)
def test_what_was_delivered_is_taken_and_the_rest_released(
    status: Status, delivered: int, moved: dict[str, Decimal]
) -> None:
    order = settled(by_hand(), status, delivered)
    assert (order.state, order.status, order.remains) == (State.ENDED, status, 300 - delivered)
    assert transfers(order) == {"hold": HELD, **moved}
    assert order.refunded == released_of(order) == moved.get("release", 0)
    assert balance(order.customer) == 100 - moved.get("capture", 0)
    assert (in_house(Account.Kind.HELD), in_house(Account.Kind.SALES)) == (NOTHING, moved.get("capture", NOTHING))
    books_are_right()


def test_a_millionth_of_what_was_delivered_is_rounded_up_as_a_charge_is() -> None:
    order = settled(by_hand(), Status.COMPLETED, 1)
    assert order.charge - order.refunded == D("0.0004")


@pytest.mark.parametrize("delivered", [None, -1, 301])
def test_a_subscription_ends_with_what_was_delivered_or_not_at_all(delivered: int | None) -> None:
    order = by_hand()
    with pytest.raises(CannotDecide, match="elivered"):
        settled(order, Status.COMPLETED, delivered)
    assert transfers(order) == {"hold": HELD}


def test_each_kind_of_order_has_ends_of_its_own() -> None:
    order = by_hand()
    plain = an_order(order.customer, a_service(None))
    assert set(ends_of(order)) == {Status.COMPLETED, Status.EXPIRED, Status.CANCELED}
    assert set(ends_of(plain)) == {Status.COMPLETED, Status.PARTIAL, Status.CANCELED}
    for each, status in ((order, Status.PARTIAL), (plain, Status.EXPIRED)):
        with pytest.raises(CannotDecide, match="not an end of this order"):
            settled(each, status, 1)


def test_only_a_subscription_is_active_or_paused_on_its_way() -> None:
    order = by_hand()
    progress_by_hand(order=order, status=Status.ACTIVE, start_count=None, remains=None, actor=OPERATOR)
    assert order.status == Status.ACTIVE
    with pytest.raises(CannotDecide, match="Only a subscription"):
        progress_by_hand(
            order=an_order(order.customer, a_service(None)), status=Status.PAUSED, start_count=None, remains=None,
            actor=OPERATOR,
        )  # fmt: skip


def test_an_order_that_was_never_placed_releases_all_of_its_hold() -> None:
    order = a_subscription(a_customer(), a_subscription_service(a_provider()))
    assert order.state == State.WAITING
    request_cancel(order=order, actor=OPERATOR)
    assert (order.status, order.refunded) == (Status.CANCELED, HELD)
    assert transfers(order) == {"hold": HELD, "release": HELD}
    assert balance(order.customer) == 100
    books_are_right()


def test_a_whole_refund_by_the_operator_releases_it() -> None:
    order = by_hand()
    refund_whole(order=order, actor=OPERATOR, reason="a mistake")
    assert transfers(order) == {"hold": HELD, "release": HELD}
    books_are_right()


def test_what_is_refunded_after_the_end_is_given_from_sales() -> None:
    order = settled(by_hand(), Status.COMPLETED, 200)
    with transaction.atomic():
        refund_all([Refund(order=order, amount=D("0.03"), why="goodwill")])
    assert transfers(order) == {"hold": HELD, "capture": D("0.08"), "release": D("0.04"), "refund:goodwill": D("0.03")}
    assert (order.refunded, released_of(order)) == (D("0.07"), D("0.04"))
    assert in_house(Account.Kind.SALES) == D("0.05")
    books_are_right()


def test_a_hold_ends_once() -> None:
    order = settled(by_hand(), Status.COMPLETED, 200)
    with pytest.raises(CannotDecide):
        settled(order, Status.CANCELED, 0)
    with pytest.raises(AlreadyPosted), transaction.atomic():
        refund_all([payback(order, D("0.08"), why="end", note="")])
    assert Order.objects.get(pk=order.pk).refunded == D("0.04")
    books_are_right()


def test_what_is_taken_and_released_moves_in_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no moment between the two at which a process could die."""
    batches: list[list[str]] = []

    def noted(postings: list[Posting]) -> object:
        batches.append([posting.kind for posting in postings])
        return post(postings)

    monkeypatch.setattr("orders.refunding.post", noted)
    settled(by_hand(), Status.COMPLETED, 200)
    assert batches == [[Transfer.Kind.CAPTURE, Transfer.Kind.RELEASE]]


def test_an_end_that_fails_after_the_money_leaves_the_hold_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: object, **__: object) -> None:
        raise RuntimeError("the process died here")

    order = by_hand()
    monkeypatch.setattr("orders.deciding.close_cancels", dies)
    with pytest.raises(RuntimeError):
        settled(order, Status.COMPLETED, 200)
    order.refresh_from_db()
    assert (order.state, order.refunded, transfers(order)) == (State.BY_HAND, NOTHING, {"hold": HELD})
    books_are_right()


def test_the_books_see_a_hold_that_did_not_end_with_its_order() -> None:
    order = by_hand()
    Order.objects.filter(pk=order.pk).update(state=State.ENDED, status=Status.COMPLETED)
    [sentence] = verify().differences
    assert sentence == f"orders: Order {order.pk} is ended: 0 of its hold of 120000 was taken or released, not 120000."


def test_the_books_see_a_hold_that_was_touched_before_the_end() -> None:
    order = settled(by_hand(), Status.COMPLETED, 300)
    Order.objects.filter(pk=order.pk).update(state=State.REVIEW, status=Status.ACTIVE)
    [sentence] = verify().differences
    assert sentence == f"orders: Order {order.pk} is review: 120000 of its hold of 120000 was taken or released, not 0."
