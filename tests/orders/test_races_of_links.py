"""Orders of one link that meet in many hands, on PostgreSQL, each race with its twin without the guard."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from catalog.models import SameLink
from orders import placing, same_link, submitting
from orders.claiming import claim, mark
from orders.ending import give_back
from orders.models import (
    UNDER_WAY,
    Attempt,
    Order,
    State,
    Status,
)
from providers.models import Provider
from providers.sandbox.server import Sandbox
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    books_are_right,
    turn,
)
from tests.orders.rivals import RACE, RIVALS, all_at_once

pytestmark = RACE


def same_link_waiting(provider: Provider, rivals: int = RIVALS) -> list[Order]:
    """Claimed orders of one link, placed at the same moment by as many customers, so that none saw another."""
    service = a_service(provider, same_link=SameLink.QUEUE)
    for number in range(rivals):
        an_order(a_customer("10", email=f"{number}@example.com"), service)
    Order.objects.update(state=State.WAITING)
    return claim(provider, rivals)


def test_of_many_orders_of_a_link_one_is_marked_and_the_rest_queue() -> None:
    orders = same_link_waiting(a_provider())
    results = all_at_once(lambda number: mark(orders[number], {}, lease=timedelta(minutes=1)))
    assert (results.count(True), results.count(False)) == (1, RIVALS - 1)
    states = Counter(Order.objects.values_list("state", flat=True))
    assert states == {State.SENDING: 1, State.QUEUED: RIVALS - 1}
    assert Attempt.objects.count() == 1


@pytest.fixture
def no_rule_of_links() -> Iterator[None]:
    """The constraint of one order a link, taken away for a moment."""
    name = "one_order_a_link_at_a_time"
    [rule] = [constraint for constraint in Order._meta.constraints if constraint.name == name]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Order, rule)
    yield
    Order.objects.update(one_at_a_time=False)
    with connection.schema_editor() as editor:
        editor.add_constraint(Order, rule)


@pytest.mark.usefixtures("no_rule_of_links")
def test_twin_without_the_constraint_many_orders_of_a_link_are_marked() -> None:
    """Each has looked, none saw another: what parts them is the database alone."""
    orders = same_link_waiting(a_provider())
    looked = threading.Barrier(RIVALS)

    def look_and_mark(number: int) -> bool:
        free = not Order.objects.filter(link_key=orders[number].link_key, state__in=UNDER_WAY).exists()
        looked.wait(timeout=20)
        return free and mark(orders[number], {}, lease=timedelta(minutes=1))

    assert all_at_once(look_and_mark) == [True] * RIVALS


def many_buy_one_link(sandbox: Sandbox, rivals: int = 8) -> int:
    """Many customers order for one link at once, all are sent and ended; the most that were open together there."""
    provider = a_provider(sandbox, concurrency=rivals)
    service = a_service(provider, same_link=SameLink.QUEUE)
    customers = [a_customer("10", email=f"{number}@example.com") for number in range(rivals)]
    all_at_once(lambda number: an_order(customers[number], service), rivals)
    most = 0
    for _ in range(2 * rivals):
        turn("submit_orders", provider)
        most = max(most, sum(not made.ended for made in sandbox.orders.values()))
        sandbox.finish_all()
        turn("sync_new", provider)
        turn("send_queued")
    assert set(Order.objects.values_list("status", flat=True)) == {Status.COMPLETED}
    assert len(sandbox.orders) == rivals
    books_are_right()
    return most


def test_a_link_that_many_buy_at_once_has_one_order_open_at_the_provider(sandbox: Sandbox) -> None:
    assert many_buy_one_link(sandbox) == 1


@pytest.mark.usefixtures("no_rule_of_links")
def test_twin_without_the_rule_a_link_that_many_buy_has_many_open(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submitting, "in_its_way", lambda order: None)
    monkeypatch.setattr(placing, "queue_new", lambda orders: None)
    assert many_buy_one_link(sandbox) > 1


def test_a_link_that_becomes_free_lets_one_of_the_queued_go_however_many_look() -> None:
    service = a_service(a_provider(), same_link=SameLink.QUEUE)
    first, *rest = (an_order(a_customer("10", email=f"{n}@example.com"), service) for n in range(4))
    give_back(first, why="test", note="", of=(State.WAITING,), actor=OPERATOR)
    ids = [rest[0].pk]
    assert sorted(map(str, all_at_once(lambda _: same_link._release(ids)))) == ["0"] * (RIVALS - 1) + ["1"]
    assert Counter(Order.objects.values_list("state", flat=True)) == {"ended": 1, "waiting": 1, "queued": 2}
