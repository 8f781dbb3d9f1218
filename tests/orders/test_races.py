"""Rivals at the same order and the same wallet, on real connections; each race with a twin that shows it is one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Customer
from catalog.models import SameLink, Service
from ledger.amounts import PER, divide_up, to_units
from orders import placing, refilling, same_link, series, submitting
from orders.accepting import Acceptance, accept
from orders.cancelling import CannotCancel, request_cancel
from orders.claiming import claim, mark, waiting_for
from orders.ending import give_back
from orders.models import (
    UNDER_WAY,
    Attempt,
    Order,
    OrderEvent,
    Placement,
    RefillRequest,
    State,
    Status,
    UpstreamPart,
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
    turn,
)
from tests.orders.subscribed import COST, a_subscription, a_subscription_service
from tests.orders.test_settling import some_accepted_orders

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="a race needs PostgreSQL's many writers"),
]
RIVALS = 16


def all_at_once(work: Callable[[int], object], rivals: int = RIVALS) -> list[object]:
    """Every rival's result, or the exception it ended with."""
    start = threading.Barrier(rivals)
    results: list[object] = [None] * rivals

    def run(number: int) -> None:
        try:
            connections["default"].ensure_connection()
            start.wait(timeout=20)
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 - the rival's end is what the test looks at
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(rivals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


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
    return RefillRequest.objects.create(order=order)


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
