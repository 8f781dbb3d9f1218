"""The broker may be lost, forget everything, or say everything three times, and workers may die at any moment: every
order is sent at most once, every order finishes, and the books are right.

The processes are real ones; only their waiting times are scaled. `make soak` kills workers during 1,000 orders.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Customer
from catalog.models import Service
from orders.deciding import it_exists, refund_whole
from orders.models import Order, State, Status
from orders.placing import place_orders
from providers.models import Provider
from providers.sandbox.server import Sandbox
from tests.broker.processes import Broker, Process, Processes
from tests.orders.builders import OPERATOR, a_customer, a_provider, a_service, books_are_right, line

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("broker")]
SOAK_ORDERS = int(os.environ.get("SOAK_ORDERS", "1000"))
BATCH = 10
SPEED = 40.0  # seconds that pass for the provider in one
FINISH_SECONDS = 60.0
Start = Callable[[int], Processes]
Shop = tuple[Provider, Service, Customer]


@pytest.fixture
def shop(sandbox: Sandbox) -> Shop:
    sandbox.run_at(SPEED)
    provider = a_provider(sandbox, deadline_seconds=3, concurrency=4)
    return provider, a_service(provider), a_customer("5000")


def placed(shop: Shop, number: int) -> float:
    """Places a batch; the seconds it took."""
    _, service, customer = shop
    lines = [line(service, 100, f"https://example.com/{number}-{each}") for each in range(BATCH)]
    began = time.monotonic()
    place_orders(customer=customer, lines=lines)
    return time.monotonic() - began


def states() -> Counter[str]:
    return Counter(Order.objects.values_list("state", flat=True))


def all_settled(orders: int) -> bool:
    """Nothing waits and nothing is under way; what a killed worker had just sent may be unknown."""
    now = states()
    return now[State.ENDED] + now[State.UNKNOWN] == orders


def finish(processes: Processes, orders: int, seconds: float = FINISH_SECONDS) -> None:
    try:
        processes.wait_until(f"all {orders} orders have ended", lambda: all_settled(orders), seconds)
    except AssertionError as late:
        raise AssertionError(f"{states()}, {late}") from None


def resolve_unknown(sandbox: Sandbox) -> int:
    """The operator looks into the provider's panel: here the journal, which is the truth."""
    made = {entry["link"]: str(entry["order"]) for entry in sandbox.journal.orders()}
    unknown = list(Order.objects.filter(state=State.UNKNOWN))
    for order in unknown:
        if order.link in made:
            it_exists(order=order, upstream_id=made[order.link], actor=OPERATOR, reason="seen in the provider's panel")
        else:
            refund_whole(order=order, actor=OPERATOR, reason="not in the provider's panel")
    return len(unknown)


def assert_one_to_one(sandbox: Sandbox, orders: int) -> None:
    """Each order that was not given back is at the provider exactly once, and nothing else is."""
    theirs = [(str(entry["order"]), entry["link"]) for entry in sandbox.journal.orders()]
    ours = list(Order.objects.filter(upstream_id__isnull=False).values_list("upstream_id", "link"))
    assert sorted(theirs) == sorted((str(number), link) for number, link in ours)
    assert len({link for _, link in theirs}) == len(theirs), "an order was made twice"
    never_there = Order.objects.filter(upstream_id__isnull=True)
    assert all(order.status == Status.CANCELED and order.refunded == order.charge for order in never_there)
    assert len(theirs) + len(never_there) == orders
    books_are_right()


def test_placing_does_not_notice_that_the_broker_is_down(
    shop: Shop, broker: Broker, settings: Settings
) -> None:
    settings.HINT_SILENCE_SECONDS = 0.0  # in the panel nobody tries for a while after a failure; here everybody does
    placed(shop, 0)
    broker.end()
    seconds = sorted(placed(shop, number) for number in range(1, 11))
    assert seconds[5] < 0.5, seconds  # the slowest are this machine's, when it is busy
    assert states() == {State.WAITING: 11 * BATCH}
    books_are_right()


def test_with_the_broker_gone_for_good_a_worker_finds_the_work_by_itself(
    shop: Shop, broker: Broker, processes: Start
) -> None:
    panel = processes(1)
    panel.worker()
    broker.end()
    placed(shop, 0)
    finish(panel, BATCH)


def test_a_broker_that_forgets_stops_and_repeats_itself_harms_no_order(
    shop: Shop, sandbox: Sandbox, broker: Broker, processes: Start
) -> None:
    panel = processes(3)
    panel.worker()
    for _ in range(3):
        panel.scheduler()
    batches = iter(range(100))
    for _ in range(3):
        placed(shop, next(batches))
        time.sleep(0.5)
        broker.flush()
    panel.wait_until("the worker works", lambda: states()[State.WAITING] < 3 * BATCH)
    broker.end()
    for _ in range(3):
        placed(shop, next(batches))
    time.sleep(2.0)
    broker.start()
    placed(shop, next(batches))
    finish(panel, 7 * BATCH)
    assert states() == {State.ENDED: 7 * BATCH}  # a broker alone makes nothing unknown
    assert_one_to_one(sandbox, 7 * BATCH)


def kill_workers_during(
    orders: int, shop: Shop, sandbox: Sandbox, panel: Processes, *, seed: int
) -> None:
    random = Random(seed)  # when a worker dies; where it is then, the machine decides
    sandbox.faults.add("add", "delay", "0.05", probability=0.5)  # so that many die while a request is under way
    worker = panel.worker()
    panel.scheduler()
    for number in range(orders // BATCH):
        placed(shop, number)
        if number % 4 == 3:
            at_work(panel, sandbox)
            time.sleep(random.uniform(0, 0.4))
            worker = killed_and_replaced(panel, worker)
    finish(panel, orders, FINISH_SECONDS + orders / 5)
    provider, *_ = shop
    assert resolve_unknown(sandbox) < orders / 5
    finish(panel, orders)
    assert set(states()) == {State.ENDED}
    assert_one_to_one(sandbox, orders)


def at_work(panel: Processes, sandbox: Sandbox) -> None:
    """Waits until one more order has come to the provider."""
    seen = len(sandbox.journal.orders())

    def goes_on() -> bool:
        return len(sandbox.journal.orders()) > seen or not Order.objects.filter(state=State.WAITING).exists()

    panel.wait_until("the worker is at work", goes_on)


def killed_and_replaced(panel: Processes, worker: Process) -> Process:
    worker.end()
    return panel.worker()


def test_workers_killed_during_two_hundred_orders_lose_none_and_double_none(
    shop: Shop, sandbox: Sandbox, processes: Start
) -> None:
    kill_workers_during(200, shop, sandbox, processes(1), seed=1)


@pytest.mark.soak
def test_workers_killed_during_a_thousand_orders_lose_none_and_double_none(
    shop: Shop, sandbox: Sandbox, processes: Start
) -> None:
    kill_workers_during(SOAK_ORDERS, shop, sandbox, processes(3), seed=2)


@pytest.mark.postgres
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no connections that could be ended")
def test_a_database_that_ends_all_connections_is_found_again_by_workers_and_this_process(
    shop: Shop, sandbox: Sandbox, processes: Start
) -> None:
    panel = processes(1)
    panel.worker()
    panel.scheduler()
    for number in range(6):
        placed(shop, number)
        at_work(panel, sandbox)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        connection.close()
    finish(panel, 6 * BATCH)
    resolve_unknown(sandbox)
    finish(panel, 6 * BATCH)
    assert_one_to_one(sandbox, 6 * BATCH)
