"""Subscriptions: held, followed post by post, and paid by what the provider's own orders for them cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ledger.models import Transfer
from orders.deciding import is_stuck, settle_by_hand
from orders.models import Order, State, Status, UpstreamPart
from orders.refunding import Refund, refund_all
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_service,
    an_order,
    balance,
    booked,
    books_are_right,
)
from tests.orders.subscribed import (
    COST,
    HELD,
    made_for,
)
from tests.orders.subscription_scene import D, Scene, is_in_review, items, moved, parts, sandbox

__all__ = ["sandbox"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_sent_as_the_type_says_and_held_until_its_end(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, old_posts="1", expiry="31/12/2099")
    [request] = sandbox.journal.requests("add")
    assert request["fields"] == {
        "service": "13", "username": "alice", "min": "100", "max": "100", "posts": "3", "old_posts": "1", "delay": "0",
        "expiry": "31/12/2099",
    }  # fmt: skip
    assert (scene.order.state, scene.order.status, scene.order.cost) == (State.ACCEPTED, Status.PENDING, COST)
    assert balance(scene.alice) == 100 - HELD
    books_are_right()


def test_its_status_is_read_by_the_words_of_subscriptions(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    assert scene.follow().status == Status.ACTIVE
    assert scene.says(status="Paused").status == Status.PAUSED
    assert scene.says(status="Active").status == Status.ACTIVE
    assert [event.status for event in scene.order.events.filter(kind="status").order_by("id")] == [
        Status.ACTIVE, Status.PAUSED, Status.ACTIVE,
    ]  # fmt: skip


def test_a_word_of_orders_is_unknown_for_a_subscription(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    assert scene.says(show={"status": "Partial"}).status == Status.PENDING
    [item] = items("unknown_word")
    assert item.evidence["word"] == "Partial"


def test_posts_are_counted_and_their_orders_followed(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    order = scene.posts(2)
    assert order.parts_done == 2
    assert len(parts(order)) == 2
    scene.finish_parts()
    scene.follow()
    assert parts(order) == [("Completed", D("0.032")), ("Completed", D("0.032"))]
    assert (order.state, order.refunded) == (State.ACCEPTED, D(0))


def test_a_subscription_that_ran_its_course_is_taken_whole(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.finish_all()
    order = scene.follow()
    assert (order.state, order.status, order.parts_done) == (State.ENDED, Status.COMPLETED, 3)
    assert (order.refunded, moved(order)) == (D(0), {"capture": HELD})
    assert balance(scene.alice) == 100 - HELD
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_smaller_posts_are_paid_by_what_they_were(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(3)
    first = made_for(sandbox, scene.order)[0]
    sandbox.set_order(first.id, status="Partial", remains=50)  # half of one post of three
    scene.finish_parts()
    order = scene.follow()
    assert (order.status, order.cost) == (Status.COMPLETED, D("0.08"))
    assert moved(order) == {"capture": D("0.1"), "release": D("0.02")}
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_an_expired_one_releases_what_was_not_posted(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.finish_parts()
    order = scene.says(status="Expired", charge="0.032")
    assert (order.state, order.status, order.cost) == (State.ENDED, Status.EXPIRED, D("0.032"))
    assert moved(order) == {"capture": D("0.04"), "release": D("0.08")}
    assert order.events.get(kind="ended").status == Status.EXPIRED
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_one_that_ends_before_any_post_releases_all(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    order = scene.says(status="Canceled")
    assert (order.state, order.status, order.parts_done) == (State.ENDED, Status.CANCELED, 0)
    assert (moved(order), order.cost) == ({"release": HELD}, D(0))
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_without_a_charge_of_its_own_it_costs_what_its_orders_cost(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.finish_parts()
    order = scene.says(status="Expired", charge="0.032", hide=("charge", "currency"))
    assert (order.cost, order.charge - order.refunded) == (D("0.032"), D("0.04"))
    books_are_right()


def test_a_charge_of_0_beside_orders_that_have_prices_is_none(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(2)
    scene.finish_parts()
    order = scene.says(status="Expired", charge="0.064", show={"charge": "0"})
    assert (order.cost, moved(order)) == (D("0.064"), {"capture": D("0.08"), "release": D("0.04")})
    assert booked(scene.provider) == sandbox.balance
    books_are_right()


def test_a_price_that_stands_beside_no_post_leaves_it_to_a_person(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    is_in_review(scene.says(status="Completed", charge="0.096", show={"posts": "0"}), "but keeps a price")


@pytest.mark.parametrize("last", [{"hide": ("posts",)}, {"show": {"posts": 1}}, {"show": {"posts": ""}}])
def test_posts_that_were_told_before_are_not_forgotten_at_the_end(sandbox: Sandbox, last: dict[str, Any]) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.finish_parts()
    scene.says(show={"posts": 3})
    order = scene.says(status="Completed", charge="0.032", **last)
    assert order.parts_done == 3
    is_in_review(order, "3 made so far, but 1 of its orders are known")


@pytest.mark.parametrize("count", [10**12, -1, "two", "1.5"])
def test_a_count_that_cannot_be_read_leaves_the_end_to_a_person(sandbox: Sandbox, count: object) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.finish_parts()
    order = scene.says(status="Completed", charge="0.032", show={"posts": count})
    is_in_review(order, "count of what it made for it cannot be read")


def test_an_end_waits_for_the_orders_that_are_still_under_way(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(2)
    order = scene.says(status="Canceled", charge="0.064")
    assert (order.state, order.status, moved(order)) == (State.ACCEPTED, Status.ACTIVE, {})
    told_at = order.upstream_ended_at
    assert told_at is not None
    assert is_stuck(order)  # so that a person may settle it before
    assert scene.follow().upstream_ended_at == told_at
    assert order.events.filter(kind="waits_for_parts").count() == 1
    sandbox.set_order(made_for(sandbox, order)[0].id, status="Partial", remains=50)
    scene.finish_parts()
    order = scene.follow()
    assert (order.state, order.status, moved(order)) == (
        State.ENDED, Status.CANCELED, {"capture": D("0.06"), "release": D("0.06")},
    )  # fmt: skip
    books_are_right()


def test_while_it_waits_an_unchanged_answer_writes_nothing(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.says(status="Canceled", charge="0.032")
    with CaptureQueriesContext(connection) as queries:
        scene.follow()
    written = [query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))]
    assert not [sql for sql in written if "orders_" in sql]


def test_an_end_that_was_none_after_all_goes_on(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.says(status="Canceled", charge="0.032")
    first = scene.order.upstream_ended_at
    assert first is not None
    for _ in range(2):
        order = scene.says(show={"status": "Active"})
        assert (order.state, order.status) == (State.ACCEPTED, Status.ACTIVE)
        assert scene.says(show={"status": "Canceled"}).upstream_ended_at == first  # nothing puts it off
    [item] = items("contradiction")
    assert "told to have ended, and goes on as Active" in item.summary
    assert item.times == 2
    assert is_stuck(order)


def test_orders_that_never_end_are_a_persons_after_two_days(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    order = scene.says(status="Canceled", charge="0.032")
    for ago, state in ((timedelta(hours=47), State.ACCEPTED), (timedelta(hours=49), State.REVIEW)):
        Order.objects.filter(pk=order.pk).update(upstream_ended_at=timezone.now() - ago)
        assert scene.follow().state == state
    is_in_review(order, "1 of the 1 orders that the provider made for it have not ended.")


def test_a_provider_that_lists_no_orders_leaves_the_end_to_a_person(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.set_order(str(scene.order.upstream_id), hide=("orders",))
    sandbox.finish_all()
    order = scene.follow()
    is_in_review(order, "3 made so far, but 0 of its orders are known")
    evidence = items("settlement_unclear")[0].evidence
    shown = ("made so far", "its orders known here", "their charges")
    assert [evidence[name] for name in shown] == [3, 0, "0.000000"]
    settle_by_hand(order=order, status=Status.COMPLETED, delivered=150, actor=OPERATOR, reason="they said so")
    assert moved(order) == {"capture": D("0.06"), "release": D("0.06")}
    books_are_right()


@pytest.mark.parametrize(
    ("hidden", "price", "cost", "said"),
    [
        (("charge", "currency"), "0.032", "0.064", "Our cost is 0.064, the price of the 2 known orders for it."),
        ((), "0.032", "0.096", "Our cost stays at 0.096: the provider told a price for the whole."),
        (("charge", "currency"), None, "0.096", "Our cost stays at 0.096: not all of the provider's orders for it"),
    ],
)
def test_settled_by_a_person_it_costs_what_is_known(
    sandbox: Sandbox, hidden: tuple[str, ...], price: str | None, cost: str, said: str
) -> None:
    scene = Scene(sandbox)
    sandbox.set_order(str(scene.order.upstream_id), hide=hidden)
    scene.posts(2)
    scene.finish_parts()
    for part in made_for(sandbox, scene.order):
        sandbox.set_order(part.id, show={"charge": price})
    order = scene.says(status="Completed", charge="0.096", show={"posts": 3})
    is_in_review(order, "3 made so far, but 2 of its orders are known")
    settle_by_hand(order=order, status=Status.COMPLETED, delivered=200, actor=OPERATOR, reason="I looked")
    assert (order.cost, moved(order)) == (D(cost), {"capture": D("0.08"), "release": D("0.04")})
    assert booked(scene.provider) == 1000 - D(cost)
    assert said in order.events.get(kind="ended").note
    assert said in AttentionItem.objects.get(cause="settlement_unclear").decision
    books_are_right()


def test_what_is_left_to_a_person_is_booked_at_the_providers_price_where_its_orders_cost_no_more(
    sandbox: Sandbox,
) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.finish_parts()
    order = scene.says(status="Canceled", charge="0.032", show={"posts": 2})  # as much as its one order
    is_in_review(order, "tells of 2 made so far, but 1 of its orders are known")
    assert order.cost == D("0.032")
    assert booked(scene.provider) == 1000 - D("0.032")


def test_an_order_that_tells_no_price_leaves_the_end_to_a_person(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(3)
    sandbox.set_order(made_for(sandbox, scene.order)[1].id, hide=("charge",))
    scene.finish_parts()
    is_in_review(scene.follow(), "1 of the 3 orders that the provider made for it tell no usable charge.")


def test_a_part_that_became_an_order_of_ours_in_the_same_instant_leaves_the_end_to_a_person(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(3)
    scene.follow()
    part = UpstreamPart.objects.filter(order=scene.order).order_by("pk")[1]
    other = an_order(a_customer(email="bob@example.com"), a_service(scene.provider))
    Order.objects.filter(pk=other.pk).update(upstream_id=part.upstream_id, provider=scene.provider)
    scene.finish_parts()
    is_in_review(scene.follow(), "1 of the 3 orders that the provider made for it tell no usable charge.")


def test_a_price_in_another_currency_is_none(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(3)
    sandbox.set_order(made_for(sandbox, scene.order)[1].id, show={"currency": "EUR"})
    scene.finish_parts()
    is_in_review(scene.follow(), "tell no usable charge")


def test_orders_above_the_booked_cost_take_the_hold_and_no_more(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(3)
    sandbox.set_order(made_for(sandbox, scene.order)[1].id, show={"charge": "0.5"})
    scene.finish_parts()
    order = scene.follow()
    assert (order.state, moved(order)) == (State.ENDED, {"capture": HELD})
    [item] = items("contradiction")
    assert (item.order_id, item.provider_id) == (order.pk, scene.provider.pk)
    assert {name: str(value) for name, value in item.evidence.items()} == {
        "status": "Completed", "charge": "0.12", "made so far": "3", "its orders known here": "3",
        "their charges": "0.564000",
    }  # fmt: skip
    books_are_right()


def test_a_settlement_that_comes_twice_moves_once(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.finish_all()
    scene.follow()
    before = Transfer.objects.count()
    Order.objects.filter(pk=scene.order.pk).update(ask_again_at=None)
    scene.follow()
    assert Transfer.objects.count() == before


# its orders upstream


def test_a_refund_of_nothing_moves_nothing_and_holds_up_no_hold_that_is_taken_whole(
    sandbox: Sandbox, django_assert_num_queries: Any
) -> None:
    scene = Scene(sandbox)
    plain = an_order(scene.alice, a_service(scene.provider))
    with transaction.atomic():
        with django_assert_num_queries(0):
            refund_all([Refund(order=plain, amount=D(0), why="end")])
        held = Refund(order=scene.order, amount=D(0), why="end", captured=scene.order.charge)
        refund_all([Refund(order=plain, amount=D(0), why="end"), held])
        assert moved(scene.order) == {"capture": HELD}
        assert moved(plain) == {}
        transaction.set_rollback(True)
