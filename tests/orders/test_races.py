"""Rivals at the same order and the same wallet, on real connections; each race with a twin that shows it is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from accounts.models import Customer
from orders import refilling, submitting
from orders.cancelling import CannotCancel, request_cancel
from orders.claiming import claim, mark, waiting_for
from orders.ending import give_back
from orders.models import (
    Attempt,
    Order,
    Placement,
    RefillRequest,
    State,
    Status,
)
from orders.placing import Refused, place_orders
from orders.reading import News
from orders.refunding import Refund, RefundAboveCharge, refund_all
from orders.routing import ExchangeRates
from orders.settling import refund_of
from orders.submitting import Passed, submit
from orders.syncing import write_news
from providers.models import Provider
from providers.sandbox.server import Sandbox
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    books_are_right,
    line,
    sent,
)
from tests.orders.rivals import RACE, RIVALS, all_at_once
from tests.orders.test_settling import some_accepted_orders

pytestmark = RACE


def test_sixteen_orders_at_once_cannot_overdraw_a_wallet() -> None:
    alice, service = a_customer("5"), a_service(a_provider())  # money for 4 of 16

    def buy(number: int) -> object:
        customer = Customer.objects.select_related("wallet").get(pk=alice.pk)
        return place_orders(customer=customer, lines=[line(service, 1000, f"https://example.com/{number}")])

    results = all_at_once(buy)
    assert sum(isinstance(result, list) for result in results) == 4
    assert sum(isinstance(result, Refused) for result in results) == 12
    assert balance(alice) == Decimal("0.5")
    assert Order.objects.count() == 4
    books_are_right()


def test_one_token_from_sixteen_hands_places_once() -> None:
    alice, service = a_customer("100"), a_service(a_provider())

    def buy(number: int) -> object:
        customer = Customer.objects.select_related("wallet").get(pk=alice.pk)
        return [order.pk for order in place_orders(customer=customer, lines=[line(service)], once="form")]

    results = all_at_once(buy)
    assert len({str(result) for result in results}) == 1
    assert Order.objects.count() == 1
    assert balance(alice) == Decimal("98.875")


def test_twin_a_token_that_is_only_looked_for_places_sixteen_times() -> None:
    alice, service = a_customer("100"), a_service(a_provider())
    looked = threading.Barrier(RIVALS)

    def buy(_: int) -> object:
        customer = Customer.objects.select_related("wallet").get(pk=alice.pk)
        used = Placement.objects.filter(customer=customer, token="form").exists()
        looked.wait(timeout=20)
        return used or place_orders(customer=customer, lines=[line(service)])

    all_at_once(buy)
    assert Order.objects.count() == RIVALS


def test_sixteen_cancels_give_back_once() -> None:
    alice = a_customer("100")
    order = an_order(alice, a_service(a_provider()))
    results = all_at_once(lambda _: request_cancel(order=Order.objects.get(pk=order.pk), actor=OPERATOR))
    assert sum(isinstance(result, CannotCancel) for result in results) == RIVALS - 1
    assert balance(alice) == 100
    books_are_right()


def refund_a_tenth(order: Order, number: int) -> None:
    with transaction.atomic():
        fresh = Order.objects.select_related("customer__wallet").get(pk=order.pk)
        refund_all([Refund(order=fresh, amount=Decimal("0.1125"), why=f"test{number}")])


def test_refunds_of_one_order_never_exceed_its_charge() -> None:
    alice = a_customer("100")
    order = an_order(alice, a_service(a_provider()))
    results = all_at_once(lambda number: refund_a_tenth(order, number))
    assert sum(isinstance(result, RefundAboveCharge) for result in results) == RIVALS - 10
    assert balance(alice) == 100
    books_are_right()


@pytest.fixture
def no_ceiling() -> Iterator[None]:
    """The CHECK on the counter, taken away for a moment."""
    name = "order_refunds_at_most_its_charge"
    [check] = [constraint for constraint in Order._meta.constraints if constraint.name == name]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Order, check)
    yield
    Order.objects.update(refunded=0)
    with connection.schema_editor() as editor:
        editor.add_constraint(Order, check)


@pytest.mark.usefixtures("no_ceiling")
def test_twin_refunds_that_look_before_they_leap_do_exceed_it() -> None:
    """Without the conditional update and the CHECK the same race gives too much back: so the race is a real one."""
    alice = a_customer("100")
    order = an_order(alice, a_service(a_provider()))
    looked = threading.Barrier(RIVALS)

    def naive(number: int) -> None:
        with transaction.atomic():
            fresh = Order.objects.get(pk=order.pk)
            room = fresh.charge - fresh.refunded >= Decimal("0.1125")
            looked.wait(timeout=20)
            if room:
                Order.objects.filter(pk=order.pk).update(refunded=fresh.refunded + Decimal("0.1125"))

    results = all_at_once(naive)
    gave = sum(result is None for result in results) * Decimal("0.1125")
    assert gave > order.charge


def test_a_cancel_and_a_claim_at_once_never_both_win(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox, concurrency=1)
    service, alice = a_service(provider), a_customer("100")
    for number in range(10):
        order = an_order(alice, service, link=f"https://example.com/{number}")

        def rival(which: int, order: Order = order) -> object:
            if which:
                return request_cancel(order=Order.objects.get(pk=order.pk), actor=OPERATOR)
            sent(provider)
            return None

        all_at_once(rival, rivals=2)
        order.refresh_from_db()
        placed = [made for made in sandbox.orders.values() if made.link.endswith(f"/{number}")]
        assert (order.state == State.ENDED) == (placed == []) or order.state != State.ENDED
        if order.state == State.ENDED:
            assert placed == []
    books_are_right()


def test_an_order_is_claimed_by_one_of_many_workers() -> None:
    provider = a_provider()
    service, alice = a_service(provider), a_customer("100")
    orders = place_orders(customer=alice, lines=[line(service, 100, f"https://example.com/{n}") for n in range(40)])
    claimed = all_at_once(lambda _: [order.pk for order in claim(provider, 5)])
    every = [pk for mine in claimed if isinstance(mine, list) for pk in mine]
    assert len(every) == len(set(every))
    assert set(every) <= {order.pk for order in orders}


def test_twin_a_claim_that_locks_nothing_gives_one_order_to_many() -> None:
    provider = a_provider()
    order = an_order(a_customer("100"), a_service(provider))
    looked = threading.Barrier(RIVALS)

    def naive(_: int) -> int:
        [mine] = waiting_for(provider)
        looked.wait(timeout=20)
        return Order.objects.filter(pk=mine.pk).update(attempt=F("attempt") + 1)

    assert all_at_once(naive) == [1] * RIVALS
    order.refresh_from_db()
    assert order.attempt == RIVALS


def test_of_many_who_would_send_one_claim_one_may() -> None:
    provider = a_provider()
    an_order(a_customer("100"), a_service(provider))
    [order] = claim(provider, 1)
    results = all_at_once(lambda _: mark(order, {}, lease=timedelta(minutes=1)))
    assert results.count(True) == 1
    assert Attempt.objects.count() == 1


def submitted_by_two(provider: Provider, monkeypatch: pytest.MonkeyPatch, mark_: Callable[..., bool]) -> list[object]:
    """What came of one claimed order that two workers send at the same moment, each marking it so."""
    order = an_order(a_customer("100"), a_service(provider))
    claim(provider, 1)
    related = Order.objects.select_related("provider_service", "service", "customer__wallet")
    monkeypatch.setattr(submitting, "mark", mark_)
    return all_at_once(lambda _: submit(provider, related.get(pk=order.pk), ExchangeRates()), rivals=2)


def both_ready(then: Callable[..., bool]) -> Callable[..., bool]:
    """Marking that begins when both workers are about to write."""
    ready = threading.Barrier(2)

    def meet(order: Order, *args: Any, **kwargs: Any) -> bool:
        ready.wait(timeout=20)
        return then(order, *args, **kwargs)

    return meet


def test_two_workers_that_mark_one_claimed_order_send_it_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = submitted_by_two(a_provider(sandbox), monkeypatch, both_ready(mark))
    assert sorted(type(result).__name__ for result in results) == ["Accepted", "Passed"]
    assert Passed.LOST in results
    assert len(sandbox.orders) == len(sandbox.journal.requests("add")) == 1
    assert Order.objects.get().state == State.ACCEPTED
    books_are_right()


def test_twin_two_workers_that_look_before_they_mark_send_it_twice(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Barrier(2)

    def naive(order: Order, *args: Any, **kwargs: Any) -> bool:
        ours = Order.objects.filter(pk=order.pk, state=State.WAITING, attempt=order.attempt).exists()
        looked.wait(timeout=20)
        return ours and Order.objects.filter(pk=order.pk).update(state=State.SENDING) == 1

    submitted_by_two(a_provider(sandbox), monkeypatch, naive)
    assert len(sandbox.orders) == 2


def test_an_end_that_comes_sixteen_times_at_once_settles_once() -> None:
    [order] = some_accepted_orders()
    news = News(
        order_id=order.pk, status=Status.PARTIAL, word="Partial", start_count=0, remains=400, remains_said=400,
        charge=None, cost=None,
    )  # fmt: skip
    results = all_at_once(lambda _: write_news([news])["ended"])
    assert sorted(map(str, results)) == ["0"] * (RIVALS - 1) + ["1"]
    order.refresh_from_db()
    assert order.refunded == Decimal("0.45")
    assert balance(order.customer) == 100 - order.charge + order.refunded
    books_are_right()


def test_twin_an_end_that_locks_nothing_settles_more_than_once() -> None:
    """Without the row's lock, and with references of their own, two ends give back twice what was not delivered."""
    [order] = some_accepted_orders()
    looked = threading.Barrier(2)

    def naive(number: int) -> None:
        with transaction.atomic():
            unlocked = Order.objects.select_related("customer__wallet").get(pk=order.pk, state=State.ACCEPTED)
            looked.wait(timeout=20)
            due = refund_of(unlocked, Decimal("0.675"), Status.PARTIAL)
            refund_all([replace(due, why=f"end{number}")])

    assert all_at_once(naive, rivals=2) == [None, None]
    order.refresh_from_db()
    assert order.refunded == Decimal("0.9")


def a_refill_that_waits() -> RefillRequest:
    [order] = some_accepted_orders()
    return RefillRequest.objects.create(order=order, customer_id=order.customer_id)


def test_one_refill_is_sent_by_one_of_many_workers() -> None:
    request = a_refill_that_waits()
    results = all_at_once(lambda _: refilling._mark(request, timedelta(minutes=1)))
    assert results.count(True) == 1
    assert results.count(False) == RIVALS - 1


def test_twin_a_refill_that_is_only_looked_at_is_sent_by_all() -> None:
    request = a_refill_that_waits()
    looked = threading.Barrier(RIVALS)

    def naive(_: int) -> bool:
        fresh = RefillRequest.objects.get(pk=request.pk)
        looked.wait(timeout=20)
        if fresh.status != RefillRequest.Status.WAITING:
            return False
        fresh.status = RefillRequest.Status.SENDING
        fresh.save(update_fields=["status"])
        return True

    assert all_at_once(naive) == [True] * RIVALS


def test_an_order_ends_once_however_many_give_it_back() -> None:
    alice = a_customer("100")
    order = an_order(alice, a_service(a_provider()))

    def end(number: int) -> object:
        return give_back(
            Order.objects.get(pk=order.pk), why=f"test{number}", note="", of=(State.WAITING,), actor=OPERATOR
        )

    results = all_at_once(end)
    assert results.count(True) == 1
    assert balance(alice) == 100
    books_are_right()
