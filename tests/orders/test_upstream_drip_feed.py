"""A drip-feed that its provider runs: one order here, its runs counted, settled by their prices or by its own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders.deciding import CannotDecide, settle_by_hand
from orders.models import Order, State, Status, UpstreamPart
from orders.refilling import can_refill
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    balance,
    booked,
    books_are_right,
    followed,
    sent,
    turn,
)
from tests.orders.subscribed import a_drip_feed, a_drip_feed_service, made_for

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
CHARGE, COST = D("3.375"), D("2.7")  # three runs of 1000
RUN = D("1.125")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One that lists the orders it makes."""
    with Sandbox(balance="1000", dialect="rich") as running:
        yield running


class Scene:
    """Alice's drip-feed with its provider."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.provider = a_provider(sandbox)
        self.alice = a_customer()
        self.order = a_drip_feed(self.alice, a_drip_feed_service(self.provider))
        sent(self.provider, self.order)

    def follow(self) -> Order:
        followed(self.provider, self.order)
        return self.order

    def says(self, **changes: Any) -> Order:
        self.sandbox.set_order(str(self.order.upstream_id), **changes)
        return self.follow()

    def runs(self, number: int, *, finished: bool = True) -> Order:
        """Lets runs begin until there are so many."""
        while len(made_for(self.sandbox, self.order)) < number:
            self.sandbox.advance(1)
        for part in made_for(self.sandbox, self.order):
            if finished and not part.ended:
                self.sandbox.set_order(part.id, status="Completed")
        return self.follow()


def kept(order: Order) -> Decimal:
    return order.charge - order.refunded


def is_in_review(order: Order, why: str) -> None:
    assert (order.state, order.refunded) == (State.REVIEW, D(0))
    assert why in AttentionItem.objects.get(cause="settlement_unclear").summary
    books_are_right()


def test_it_is_sent_as_one_order_with_its_runs(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    [request] = sandbox.journal.requests("add")
    assert request["fields"] == {
        "service": "1", "link": "https://example.com/post/1", "quantity": "1000", "runs": "3", "interval": "10",
    }  # fmt: skip
    assert (scene.order.state, scene.order.charge, scene.order.cost) == (State.ACCEPTED, CHARGE, COST)
    assert booked(scene.provider) == sandbox.balance


def test_its_runs_are_counted_and_followed(sandbox: Sandbox) -> None:
    order = Scene(sandbox).runs(2)
    assert (order.status, order.parts_done, order.remains) == (Status.IN_PROGRESS, 2, None)
    assert list(UpstreamPart.objects.filter(order=order).values_list("status", "charge")) == [
        ("Completed", D("0.9")), ("Completed", D("0.9")),
    ]  # fmt: skip


def test_a_completed_one_keeps_all(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.finish_all()
    order = scene.follow()
    assert (order.state, order.status, kept(order)) == (State.ENDED, Status.COMPLETED, CHARGE)
    assert can_refill(order).allowed
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_a_partial_one_is_paid_by_its_runs(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.runs(2)
    order = scene.says(status="Partial", charge="1.8", remains=1000)
    assert (order.status, kept(order), order.cost) == (Status.PARTIAL, 2 * RUN, D("1.8"))
    assert balance(scene.alice) == 100 - 2 * RUN
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_a_canceled_one_pays_for_what_was_run(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.runs(1)
    order = scene.says(status="Canceled", charge="0.9")
    assert (order.status, kept(order), order.cost) == (Status.CANCELED, RUN, D("0.9"))
    books_are_right()


@pytest.mark.parametrize("status", ["Canceled", "Partial"])
def test_a_charge_of_0_beside_runs_that_have_prices_is_none(sandbox: Sandbox, status: str) -> None:
    scene = Scene(sandbox)
    scene.runs(2)
    order = scene.says(status=status, charge="1.8", show={"charge": "0"})
    assert (order.state, kept(order), order.cost) == (State.ENDED, 2 * RUN, D("1.8"))
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


@pytest.mark.parametrize("status", ["Canceled", "Partial"])
def test_a_charge_of_0_beside_runs_alone_leaves_it_to_a_person(sandbox: Sandbox, status: str) -> None:
    scene = Scene(sandbox)
    sandbox.set_order(str(scene.order.upstream_id), hide=("orders",))
    scene.runs(2)
    order = scene.says(status=status, charge="1.8", show={"charge": "0"})
    is_in_review(order, "2 made so far, but 0 of its orders are known")
    assert order.cost == COST  # not 0: whoever decides sees what may be lost


def test_a_completed_one_at_a_charge_of_0_did_cost_something(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    order = scene.says(status="Completed", charge="2.7", show={"charge": "0", "runs": 3})
    assert (order.state, kept(order), order.cost) == (State.ENDED, CHARGE, COST)
    assert booked(scene.provider) == sandbox.balance


def test_a_price_that_stands_beside_no_run_leaves_it_to_a_person(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    order = scene.says(status="Canceled", charge="1.35")
    assert order.parts_done == 0
    is_in_review(order, "made nothing for it, but keeps a price")
    assert order.cost == D("1.35")


def test_runs_that_were_told_before_are_not_forgotten_at_the_end(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.says(show={"runs": 2, "orders": []})
    order = scene.says(status="Canceled", charge="0", show={"runs": 0})
    assert order.parts_done == 2
    is_in_review(order, "2 made so far, but 0 of its orders are known")


def test_a_canceled_one_waits_for_the_run_that_is_under_way(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.runs(2, finished=False)
    order = scene.says(status="Canceled", charge="1.8")
    assert order.state == State.ACCEPTED
    assert order.upstream_ended_at is not None
    sandbox.set_order(made_for(sandbox, order)[1].id, status="Partial", remains=500)
    order = scene.runs(2)
    assert (order.state, order.status, kept(order)) == (State.ENDED, Status.CANCELED, RUN + RUN / 2)
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_a_completed_one_waits_for_nothing(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.runs(3, finished=False)
    assert scene.says(status="Completed").state == State.ENDED


def test_one_canceled_before_its_first_run_goes_back_whole(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    order = scene.says(status="Canceled", hide=("charge", "currency"))
    assert (order.status, kept(order), order.cost, order.parts_done) == (Status.CANCELED, D(0), D(0), 0)
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_without_its_runs_its_own_price_says_how_much(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.sandbox.set_order(str(scene.order.upstream_id), hide=("orders",))
    scene.runs(2)
    order = scene.says(status="Partial", charge="1.8")
    assert (kept(order), order.cost) == (2 * RUN, D("1.8"))


def test_a_price_in_another_currency_says_nothing(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.sandbox.set_order(str(scene.order.upstream_id), hide=("orders",), show={"currency": "EUR"})
    scene.runs(2)
    is_in_review(scene.says(status="Partial", charge="1.8"), "2 made so far, but 0 of its orders are known")


def test_the_seeds_own_words_alone_are_not_enough() -> None:
    """Its answer has a status and the runs, and neither a price nor orders."""
    with Sandbox(balance="1000") as sandbox:
        scene = Scene(sandbox)
        scene.runs(1)
        order = scene.says(status="Canceled", charge="0.9")
        is_in_review(order, "Order")
        settle_by_hand(order=order, status=Status.PARTIAL, delivered=1000, actor=OPERATOR, reason="one run")
        assert (order.state, kept(order), order.remains) == (State.ENDED, RUN, 2000)
        books_are_right()


def test_a_canceled_one_whose_runs_nobody_counts_is_never_given_back_by_guess(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    is_in_review(scene.says(status="Canceled", hide=("charge", "currency", "runs", "orders")), "which orders it made")
    with pytest.raises(CannotDecide, match="between 0 and 3,000"):
        settle_by_hand(order=scene.order, status=Status.PARTIAL, delivered=3001, actor=OPERATOR, reason="?")


def test_what_remains_of_the_whole_is_not_believed(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.runs(1)
    assert scene.says(show={"remains": "999999"}).remains is None
    scene.says(show={"remains": "9999999"})
    assert not AttentionItem.objects.exists()


def test_asked_for_again_its_missing_price_is_no_news(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.finish_all()
    order = scene.follow()
    sandbox.set_order(str(order.upstream_id), hide=("charge", "currency"))
    Order.objects.filter(pk=order.pk).update(ask_again_at=timezone.now())
    turn("ask_again", scene.provider)
    order.refresh_from_db()
    assert (order.cost, order.asked_again) == (COST, 1)
    assert not AttentionItem.objects.exists()
