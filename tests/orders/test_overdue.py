"""Orders that their provider leaves out of its answers, or never ends: told once it is time, then a person's to settle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.deciding import CannotDecide, is_stuck, settle_by_hand
from orders.models import Order, State, Status
from providers.sandbox.server import Sandbox
from providers.upstream import Upstream
from records.models import AttentionItem
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    books_are_right,
    followed,
    sent,
    turn,
)
from tests.orders.subscribed import HELD, a_subscription, a_subscription_service

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def items(cause: str) -> list[AttentionItem]:
    return list(AttentionItem.objects.filter(cause=cause, closed_at__isnull=True))


def ago(order: Order, column: str, time: timedelta) -> None:
    Order.objects.filter(pk=order.pk).update(**{column: timezone.now() - time})


class Scene:
    """Alice's subscription and her plain order; of `forgotten` orders the provider says nothing."""

    def __init__(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, **fields: str) -> None:
        self.sandbox = sandbox
        self.provider = a_provider(sandbox)
        self.alice = a_customer()
        self.order = a_subscription(self.alice, a_subscription_service(self.provider), **fields)
        self.other = an_order(self.alice, a_service(self.provider))
        self.forgotten: set[Order] = set()
        sent(self.provider, self.order, self.other)
        ask = Upstream.status

        def without(upstream: Upstream, ids: Sequence[str]) -> Mapping[str, Any]:
            gone = {order.upstream_id for order in self.forgotten}
            return {id: said for id, said in ask(upstream, ids).items() if id not in gone}

        monkeypatch.setattr(Upstream, "status", without)

    def follow(self) -> Order:
        followed(self.provider, self.order, self.other)
        return self.order

    def says(self, **changes: Any) -> Order:
        self.sandbox.set_order(str(self.order.upstream_id), **changes)
        return self.follow()


@pytest.fixture
def scene(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(sandbox, monkeypatch)


def test_one_answer_without_an_order_says_nothing(scene: Scene) -> None:
    scene.forgotten = {scene.order}
    since = scene.follow().absent_since
    assert since is not None
    assert scene.follow().absent_since == since
    assert not AttentionItem.objects.exists()
    assert not is_stuck(scene.order)
    assert scene.other.absent_since is None
    with pytest.raises(CannotDecide):
        settle_by_hand(order=scene.order, status=Status.CANCELED, delivered=0, actor=OPERATOR, reason="?")


def test_an_order_that_is_left_out_for_a_day_is_told_and_can_be_settled(scene: Scene) -> None:
    scene.forgotten = {scene.order, scene.other}
    scene.follow()
    for order in (scene.order, scene.other):
        ago(order, "absent_since", DAY)
    scene.follow()
    assert {item.order_id for item in items("order_absent")} == {scene.order.pk, scene.other.pk}
    assert is_stuck(scene.order)
    assert is_stuck(scene.other)
    settle_by_hand(order=scene.order, status=Status.CANCELED, delivered=0, actor=OPERATOR, reason="it is gone there")
    settle_by_hand(order=scene.other, status=Status.COMPLETED, delivered=None, actor=OPERATOR, reason="I see it")
    assert (scene.order.state, scene.order.refunded, scene.other.state) == (State.ENDED, HELD, State.ENDED)
    assert not items("order_absent")
    books_are_right()


def test_an_order_that_is_answered_for_again_is_forgotten(scene: Scene) -> None:
    scene.forgotten = {scene.other}
    scene.follow()
    ago(scene.other, "absent_since", DAY)
    scene.follow()
    scene.forgotten = set()
    scene.follow()
    assert scene.other.absent_since is None
    assert AttentionItem.objects.get(cause="order_absent").decision == "The provider answers for it again."
    assert not is_stuck(scene.other)
    with CaptureQueriesContext(connection) as queries:
        scene.follow()
    assert not [each for each in queries if "absent_since" in each["sql"] and each["sql"].startswith("UPDATE")]


def test_an_end_that_waits_is_told_also_where_nobody_answers_for_it_any_more(scene: Scene) -> None:
    order = scene.says(show={"status": "Completed", "posts": 1, "orders": ["9999999"]})
    assert order.upstream_ended_at is not None
    assert order.should_end_at is not None
    scene.forgotten = {scene.order}
    for time, told in ((4 * DAY - timedelta(hours=1), 0), (4 * DAY, 1), (5 * DAY, 0)):  # once
        ago(order, "should_end_at", time)
        assert turn("tidy_orders")["overdue"] == told
    [item] = items("order_overdue")
    assert (item.order_id, item.times) == (order.pk, 1)
    settle_by_hand(order=order, status=Status.COMPLETED, delivered=100, actor=OPERATOR, reason="one post")
    assert balance(scene.alice) == 100 - HELD / 3 - scene.other.charge
    assert not items("order_overdue")
    books_are_right()


def test_one_that_goes_on_after_its_end_does_not_put_it_off(scene: Scene) -> None:
    for _ in range(2):
        order = scene.says(show={"status": "Completed", "posts": 2, "orders": ["9999999"]})
        ago(order, "should_end_at", 4 * DAY)
        order = scene.says(show={"status": "Active"})
    assert order.state == State.ACCEPTED
    assert turn("tidy_orders")["overdue"] == 1
    assert is_stuck(order)


def test_a_subscription_that_is_active_past_its_expiry_is_told(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow = datetime.now(UTC) + DAY
    order = Scene(sandbox, monkeypatch, expiry=f"{tomorrow:%d/%m/%Y}").follow()
    assert order.should_end_at == (tomorrow + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    assert turn("tidy_orders")["overdue"] == 0
    assert not is_stuck(order)
    ago(order, "should_end_at", 4 * DAY)
    assert turn("tidy_orders")["overdue"] == 1
    assert is_stuck(order)


def test_a_subscription_without_an_expiry_should_end_with_its_last_post(scene: Scene) -> None:
    assert scene.says(show={"posts": 2}).should_end_at is None
    last = scene.says(show={"posts": 3}).should_end_at
    assert last is not None
    assert scene.says(show={"posts": 4}).should_end_at == last


def test_an_order_that_has_ended_is_not_overdue(scene: Scene) -> None:
    scene.says(status="Canceled", show={"posts": 0})
    Order.objects.update(should_end_at=timezone.now() - 5 * DAY)
    assert scene.order.state == State.ENDED
    assert turn("tidy_orders")["overdue"] == 1  # the other one, which is with its provider still
    assert [item.order_id for item in items("order_overdue")] == [scene.other.pk]
