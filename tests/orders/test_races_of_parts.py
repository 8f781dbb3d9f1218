"""Holds, and the runs of drip-feeds, in many hands, on PostgreSQL, each race with its twin without the guard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Customer
from catalog.models import Service
from ledger.amounts import PER, divide_up, to_units
from orders import series
from orders.accepting import Acceptance, accept
from orders.cancelling import request_cancel
from orders.models import (
    Order,
    OrderEvent,
    State,
    Status,
    UpstreamPart,
)
from orders.reading import News
from orders.refunding import refund_all
from orders.routing import ExchangeRates
from orders.settling import refund_of
from orders.syncing import write_news
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    books_are_right,
)
from tests.orders.rivals import RACE, RIVALS, all_at_once
from tests.orders.subscribed import COST, a_subscription, a_subscription_service

pytestmark = RACE


def a_subscription_that_ends() -> tuple[Order, News]:
    """Accepted, one post of 100 delivered of at most 300, and the provider says that it expired."""
    provider = a_provider()
    order = a_subscription(a_customer("100"), a_subscription_service(provider))
    Order.objects.update(state=State.SENDING, attempt=1)
    with transaction.atomic():
        fresh = Order.objects.select_related("provider__account").get(pk=order.pk)
        assert accept(Acceptance(order=fresh, attempt=1, upstream_id="1", cost=COST, exchange_rate=Decimal(1)))
    UpstreamPart.objects.create(
        order=order, provider=provider, upstream_id="2", status=Status.COMPLETED, charge=Decimal("0.032")
    )
    news = News(
        order_id=order.pk, status=Status.EXPIRED, word="Expired", start_count=None, remains=None, remains_said=None,
        charge=None, cost=None, parts_done=1,
    )  # fmt: skip
    return order, news


def test_a_hold_that_ends_sixteen_times_at_once_is_taken_and_released_once() -> None:
    order, news = a_subscription_that_ends()
    results = all_at_once(lambda _: write_news([news])["ended"])
    assert sorted(map(str, results)) == ["0"] * (RIVALS - 1) + ["1"]
    order.refresh_from_db()
    assert (order.status, order.refunded) == (Status.EXPIRED, Decimal("0.08"))
    assert balance(order.customer) == 100 - Decimal("0.04")
    books_are_right()


def test_twin_a_hold_that_ends_without_a_lock_and_a_name_is_released_more_than_once() -> None:
    """Without the row's lock, and with a reference of its own for each, two ends release what was held twice over."""
    order, _ = a_subscription_that_ends()
    looked = threading.Barrier(2)

    def naive(number: int) -> None:
        with transaction.atomic():
            unlocked = Order.objects.select_related("customer__wallet").get(pk=order.pk, state=State.ACCEPTED)
            looked.wait(timeout=20)
            due = refund_of(unlocked, Decimal("0.08"), Status.EXPIRED)
            refund_all([replace(due, why=f"end{number}", captured=None)])

    assert all_at_once(naive, rivals=2) == [None, None]
    order.refresh_from_db()
    assert order.refunded == Decimal("0.08")  # 0.04 is what one end gives back


def a_due_series() -> Order:
    service = a_service(a_provider(), dripfeed=True)
    return an_order(a_customer("100"), service, runs=3, interval=60)


def test_sixteen_schedulers_make_one_run() -> None:
    a_due_series()
    results = all_at_once(lambda _: [series.begin_run(due, ExchangeRates()) for due in series.due_series()])
    assert [result for result in results if isinstance(result, Exception)] == []
    assert sum(run is not None for made in results if isinstance(made, list) for run in made) == 1
    assert Order.objects.filter(parent__isnull=False).count() == 1
    books_are_right()


@pytest.fixture
def runs_may_repeat() -> Iterator[None]:
    """The unique key of runs, taken away for a moment."""
    [key] = [constraint for constraint in Order._meta.constraints if constraint.name == "one_order_a_run"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Order, key)
    yield
    OrderEvent.objects.all().delete()
    Order.objects.filter(parent__isnull=False).delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(Order, key)


@pytest.mark.usefixtures("runs_may_repeat")
def test_twin_schedulers_that_look_before_they_leap_make_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the conditional update and the unique key the same race makes a run for each: so the race is a real one.
    """
    a_due_series()
    looked = threading.Barrier(RIVALS)
    monkeypatch.setattr(series, "_take", lambda parent: bool(looked.wait(timeout=20) + 1))
    all_at_once(lambda _: [series.begin_run(due, ExchangeRates()) for due in series.due_series()])
    assert Order.objects.filter(parent__isnull=False, run=1).count() == RIVALS


def test_a_stop_and_a_run_at_once_never_leave_a_run_behind() -> None:
    for _ in range(5):
        Order.objects.filter(parent__isnull=True).exclude(state=State.ENDED).update(next_run_at=None)
        alice = Customer.objects.first() or a_customer("100")
        service = Service.objects.first() or a_service(a_provider(), dripfeed=True)
        parent = an_order(alice, service, runs=3, interval=60)

        def rival(which: int, parent: Order = parent) -> object:
            if which:
                return request_cancel(order=Order.objects.get(pk=parent.pk), actor=OPERATOR)
            return [series.begin_run(due, ExchangeRates()) for due in series.due_series()]

        results = all_at_once(rival, rivals=2)
        assert not any(isinstance(result, Exception) for result in results)
        parent.refresh_from_db()
        assert (parent.state, parent.refunded) == (State.ENDED, parent.charge)
        assert not Order.objects.filter(parent=parent).exclude(state=State.ENDED).exists()
    books_are_right()


def test_runs_that_end_in_many_hands_leave_their_parents_money_exact() -> None:
    """Ends and a stop, all of one drip-feed: parents are locked first, so none waits in a ring.
    """
    parent = an_order(
        a_customer("100"), a_service(a_provider(), dripfeed=True, rate="1.111111"), 997, runs=RIVALS + 1, interval=60
    )
    for number in range(RIVALS):
        Order.objects.filter(pk=parent.pk).update(next_run_at=timezone.now())
        [due] = series.due_series()
        run = series.begin_run(due, ExchangeRates())
        assert run is not None
        Order.objects.filter(pk=run.pk).update(
            state=State.ACCEPTED, upstream_id=str(number), accepted_at=timezone.now(), cost=0, exchange_rate=1
        )
    runs = list(Order.objects.filter(parent=parent).order_by("run"))

    def rival(number: int) -> object:
        if number == 0:
            return request_cancel(order=Order.objects.get(pk=parent.pk), actor=OPERATOR)
        ended = [runs[number], runs[0]] if number % 2 else [runs[number]]
        return write_news([
            News(
                order_id=run.pk, status=Status.PARTIAL, word="Partial", start_count=0, remains=100, remains_said=100,
                charge=None, cost=None,
            )
            for run in ended
        ])  # fmt: skip

    results = all_at_once(rival)
    assert [result for result in results if isinstance(result, Exception)] == []
    parent.refresh_from_db()
    assert (parent.state, parent.undelivered) == (State.ENDED, RIVALS * 100 + 997)
    kept = divide_up(to_units(parent.rate) * (997 * (RIVALS + 1) - parent.undelivered), PER)
    assert to_units(parent.charge - parent.refunded) == kept
    books_are_right()
