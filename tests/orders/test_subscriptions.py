"""Subscriptions: held, followed post by post, and paid by what the provider's own orders for them cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ledger.models import Transfer
from orders.accepting import Acceptance, accept
from orders.cancelling import can_cancel, request_cancel
from orders.deciding import CannotDecide, is_stuck, it_exists, settle_by_hand
from orders.models import CancelRequest, Order, State, Status, UpstreamPart
from orders.refilling import can_refill
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
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
    sent,
    turn,
)
from tests.orders.subscribed import (
    COST,
    HELD,
    a_subscription,
    a_subscription_service,
    made_for,
    sent_and_followed,
)

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One that lists the orders it makes."""
    with Sandbox(balance="1000", dialect="rich") as running:
        yield running


class Scene:
    """Alice's subscription with its provider: three posts of exactly 100."""

    def __init__(self, sandbox: Sandbox, **fields: str) -> None:
        self.sandbox = sandbox
        self.provider = a_provider(sandbox)
        self.alice = a_customer()
        self.order = a_subscription(self.alice, a_subscription_service(self.provider), **fields)
        sent(self.provider, self.order)

    def follow(self) -> Order:
        followed(self.provider, self.order)
        return self.order

    def says(self, **changes: Any) -> Order:
        """The provider says this of the order."""
        self.sandbox.set_order(str(self.order.upstream_id), **changes)
        return self.follow()

    def posts(self, number: int) -> Order:
        """Lets posts come until there are so many."""
        while len(made_for(self.sandbox, self.order)) < number:
            self.sandbox.advance(2)
        return self.follow()

    def finish_parts(self) -> None:
        for part in made_for(self.sandbox, self.order):
            if not part.ended:
                self.sandbox.set_order(part.id, status="Completed")


def parts(order: Order) -> list[tuple[str, Decimal | None]]:
    rows = UpstreamPart.objects.filter(order=order).order_by("id")
    return [(part.status, part.charge) for part in rows]


def items(cause: str) -> list[AttentionItem]:
    return list(AttentionItem.objects.filter(cause=cause, closed_at__isnull=True))


def moved(order: Order) -> dict[str, Decimal]:
    kinds = [Transfer.Kind.CAPTURE, Transfer.Kind.RELEASE, Transfer.Kind.REFUND]
    return {each.kind: each.amount for each in Transfer.objects.filter(order_id=order.pk, kind__in=kinds)}


def is_in_review(order: Order, why: str) -> None:
    assert (order.state, order.refunded, moved(order)) == (State.REVIEW, D(0), {})
    [item] = items("settlement_unclear")
    assert why in item.summary
    books_are_right()


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
    assert items("settlement_unclear")[0].evidence["made so far"] == 3
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
    assert item.order_id == order.pk
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


def test_only_orders_that_have_not_ended_are_asked_for(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(2)
    first, second = made_for(sandbox, scene.order)
    sandbox.set_order(first.id, status="Completed")
    scene.follow()
    asked = len(sandbox.journal.requests("status"))
    scene.follow()
    new = sandbox.journal.requests("status")[asked:]
    texts = [request["fields"].get("orders", request["fields"].get("order")) for request in new]
    assert texts == [str(scene.order.upstream_id), str(second.id)]


def test_many_of_them_are_asked_for_in_batches(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, posts="7")
    type(scene.provider).objects.filter(pk=scene.provider.pk).update(multi_status_size=3)
    scene.posts(7)
    scene.finish_parts()
    assert scene.follow().state == State.ENDED
    assert len(parts(scene.order)) == 7


def test_no_more_are_asked_for_at_once_than_the_limit_lets(sandbox: Sandbox, settings: Any) -> None:
    settings.PARTS_ASK_MOST = 2
    scene = Scene(sandbox)
    scene.posts(3)
    scene.finish_parts()
    scene.follow()
    assert sum(status == "Completed" for status, _ in parts(scene.order)) == 2
    assert scene.follow().state == State.ENDED


def test_trouble_with_its_orders_leaves_the_rest_to_the_next_sweep(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.advance(300)
    sandbox.faults.add("status", "http", "500", times=1, skip=1)
    order = scene.follow()
    assert (order.state, parts(order)) == (State.ACCEPTED, [("", None)] * 3)  # known, and not read yet
    assert scene.follow().state == State.ENDED


def test_an_id_that_is_another_orders_is_not_taken(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    other = an_order(scene.alice, a_service(scene.provider))
    sent(scene.provider, other)
    scene.says(show={"orders": [other.upstream_id, str(scene.order.upstream_id)]})
    assert parts(scene.order) == []
    [item] = items("contradiction")
    assert set(item.evidence["upstream ids"]) == {other.upstream_id, scene.order.upstream_id}


def test_an_id_that_is_a_part_of_another_order_is_not_taken(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    [part] = made_for(sandbox, scene.order)
    other = a_subscription(scene.alice, scene.order.service, username="bob")
    sent(scene.provider, other)
    sandbox.set_order(str(other.upstream_id), show={"orders": [str(part.id)]})
    followed(scene.provider, scene.order, other)
    assert (len(parts(scene.order)), parts(other)) == (1, [])
    assert [item.order_id for item in items("contradiction")] == [other.pk]


def test_two_orders_that_list_one_id_do_not_both_get_it(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    other = a_subscription(scene.alice, scene.order.service, username="bob")
    sent(scene.provider, other)
    for each in (scene.order, other):
        sandbox.set_order(str(each.upstream_id), show={"orders": ["777"]})
    followed(scene.provider, scene.order, other)
    assert UpstreamPart.objects.get().order_id in (scene.order.pk, other.pk)
    assert len(items("contradiction")) == 1


def test_more_orders_than_any_subscription_has_are_told(sandbox: Sandbox, settings: Any) -> None:
    settings.PARTS_MOST = 2
    scene = Scene(sandbox)
    scene.posts(3)
    assert len(parts(scene.order)) == 2
    assert len(items("contradiction")) == 1


def test_a_part_in_unknown_words_stays_as_it_was_and_is_told(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    sandbox.set_order(made_for(sandbox, scene.order)[0].id, show={"status": "Fail"})
    scene.follow()
    assert parts(scene.order)[0][0] in ("Pending", "")
    assert items("unknown_word")[0].evidence["its part"] == str(made_for(sandbox, scene.order)[0].id)


def test_a_plain_order_that_lists_orders_has_no_parts(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    sent(provider, order)
    sandbox.set_order(str(order.upstream_id), show={"orders": ["99999"]})
    followed(provider, order)
    assert not UpstreamPart.objects.exists()


def test_no_order_is_accepted_under_the_id_of_a_part(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    [part] = UpstreamPart.objects.all()
    lost = an_order(scene.alice, a_service(scene.provider))
    sandbox.faults.add("add", "answer", f'{{"order": {part.upstream_id}}}', times=1)
    sent(scene.provider, lost)
    assert (lost.state, lost.upstream_id) == (State.UNKNOWN, None)
    assert "another order already holds" in lost.reason
    with pytest.raises(CannotDecide, match=f"a part of order {scene.order.pk}"):
        it_exists(order=lost, upstream_id=part.upstream_id, actor=OPERATOR, reason="I saw it")
    with transaction.atomic():
        late = Acceptance(order=lost, attempt=99, upstream_id=part.upstream_id, cost=D(1), exchange_rate=D(1))
        assert not accept(late)
    assert len(items("late_answer")) == 1
    books_are_right()


# cancels, refills, asking again


def test_a_cancel_is_asked_for_and_settled_by_its_orders(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    assert can_cancel(scene.order).allowed
    request_cancel(order=scene.order, actor=OPERATOR)
    turn("send_cancels", scene.provider)
    sandbox.advance(3)
    scene.finish_parts()
    order = scene.follow()
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert order.charge - order.refunded == D("0.04") * len(parts(order))
    assert CancelRequest.objects.get().status == CancelRequest.Status.DONE
    books_are_right()


def test_a_cancel_that_came_after_it_expired_was_too_late(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    request_cancel(order=scene.order, actor=OPERATOR)
    scene.says(status="Expired", charge="0")
    assert CancelRequest.objects.get().status == CancelRequest.Status.TOO_LATE


def test_a_subscription_has_no_refill(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    Order.objects.filter(pk=scene.order.pk).update(refill=True)
    sandbox.finish_all()
    assert can_refill(scene.follow()).why == "A subscription has no refill."


def asked_again(scene: Scene) -> Order:
    Order.objects.filter(pk=scene.order.pk).update(ask_again_at=timezone.now())
    turn("ask_again", scene.provider)
    scene.order.refresh_from_db()
    return scene.order


def test_an_expired_one_that_is_asked_for_again_contradicts_nothing(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.finish_parts()
    scene.says(status="Expired", charge="0.032")
    assert asked_again(scene).asked_again == 1
    sandbox.set_order(str(scene.order.upstream_id), hide=("charge", "currency"))
    asked_again(scene)
    assert not items("contradiction")
    assert not items("later_refund")
    sandbox.set_order(str(scene.order.upstream_id), show={"status": "Active"})
    asked_again(scene)
    assert len(items("contradiction")) == 1


def test_what_the_provider_gives_back_later_is_credited_and_offered(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.finish_all()
    scene.follow()
    sandbox.set_order(str(scene.order.upstream_id), charge="0.048")
    order = asked_again(scene)
    assert (order.cost, order.refunded) == (D("0.048"), D(0))
    [item] = items("later_refund")
    assert D(str(item.evidence["customer's share"])) == HELD / 2
    books_are_right()


def test_one_that_is_refused_is_released(sandbox: Sandbox) -> None:
    provider, alice = a_provider(sandbox), a_customer()
    order = a_subscription(alice, a_subscription_service(provider))
    sandbox.faults.add("add", "answer", '{"error": "Bad link"}', times=1)
    sent(provider, order)
    assert (order.state, moved(order), balance(alice)) == (State.ENDED, {"release": HELD}, D(100))
    books_are_right()


def test_posts_left_open_are_held_up_to_the_operators_limit(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = a_subscription(a_customer(), a_subscription_service(provider, open_posts=4), posts="")
    sent_and_followed(provider, order)
    assert (order.quantity, order.charge, order.details["posts"]) == (400, D("0.16"), "4")
    assert sandbox.journal.requests("add")[0]["fields"]["posts"] == "4"
