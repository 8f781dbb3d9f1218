"""A million orders may be live: what the jobs ask of them, every few seconds, is read along an index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Customer
from orders.books import under_way
from orders.claiming import claim
from orders.jobs import providers_with
from orders.models import Attempt, Order, State
from orders.overdue import report_overdue
from orders.reconciling import bounds_of
from orders.runs import end_what_is_over, lock_parents, look_at_runs, show_progress
from orders.same_link import in_its_way, next_in_line, own_order_under_way, queue_new, queued_at
from orders.syncing import Band, _batches
from orders.withholding import look_at_held
from providers.models import Provider
from tests.orders.builders import a_customer, a_provider, a_service, an_order, turn

LARGE = ("orders_order", "orders_attempt", "orders_refillrequest", "orders_cancelrequest")
HOUR = timedelta(hours=1)


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = a_provider()
    an_order(a_customer(), a_service(provider))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # with few rows it would rather read them all
            cursor.execute("SET enable_seqscan = off")
        yield provider
        if connection.vendor == "postgresql":
            cursor.execute("RESET enable_seqscan")


def plans_of(queries: CaptureQueriesContext) -> list[tuple[str, str]]:
    """What was asked, each with its plan."""
    found = []
    with connection.cursor() as cursor:
        for sql in [query["sql"] for query in queries.captured_queries]:
            if sql.startswith("SELECT"):
                cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}")
                found.append((sql, "\n".join(str(row[-1]) for row in cursor.fetchall())))
    return found


def read_whole(queries: CaptureQueriesContext) -> list[str]:
    """The plans of those queries that read the whole of a large table."""
    return [f"{sql}\n{plan}" for sql, plan in plans_of(queries) if any(map(_is_whole, plan.splitlines()))]


def _is_whole(step: str) -> bool:
    if connection.vendor == "sqlite":  # an alias such as U0 stands for a table of a subquery
        return step.startswith(tuple(f"SCAN {name}" for name in (*LARGE, "U0"))) and "USING" not in step
    return any(f"Seq Scan on {name}" in step for name in LARGE)


@pytest.mark.django_db
def test_no_job_reads_all_orders(provider: Provider) -> None:
    attempt = Attempt(provider=provider, began_at=timezone.now() - HOUR, ended_at=timezone.now() - HOUR)
    series = an_order(Customer.objects.get(), a_service(provider, "2", dripfeed=True), runs=2, interval=60)
    with CaptureQueriesContext(connection) as queries:
        claim(provider, 4)
        list(_batches(provider, Band("new", timedelta(0), HOUR, HOUR), timezone.now()))
        list(providers_with(State.ACCEPTED))
        list(providers_with(State.UNKNOWN))
        under_way(provider)
        bounds_of(attempt)
        look_at_held(timezone.now() + HOUR, most=100)
        for job in ("ask_again", "send_cancels", "send_refills", "refill_statuses", "reconcile"):
            turn(job, provider)
        turn("tidy_orders")
        turn("send_queued")
        turn("run_series")
        with transaction.atomic():
            parents = lock_parents(Order.objects.filter(parent=series).values_list("pk", flat=True))
            show_progress(parents.values())
        look_at_runs([series])
        series.runs_left = 0
        end_what_is_over([series])
    assert parents
    whole = read_whole(queries)
    assert not whole, "\n\n".join(whole)


@pytest.mark.django_db
def test_a_link_is_looked_up_by_its_key_and_whose_turn_it_is_among_the_queued_alone(provider: Provider) -> None:
    order = Order.objects.select_related("customer", "service").get()
    order.one_at_a_time = True
    if connection.vendor == "postgresql":  # what earlier tests left in the indexes makes one look dearer than another
        with connection.cursor() as cursor:
            cursor.execute("REINDEX TABLE orders_order")
    with CaptureQueriesContext(connection) as queries:
        in_its_way(order)
        queue_new([order])
        own_order_under_way(customer=order.customer, service=order.service, link=order.link)
        list(next_in_line())
        list(queued_at(provider))
    plans = [plan for sql, plan in plans_of(queries) if "orders_order" in sql]
    assert [set(re.findall("order_of_link|order_queued", plan)) for plan in plans] == [
        {"order_of_link"},
        {"order_of_link"},
        {"order_of_link"},
        {"order_of_link", "order_queued"},
        {"order_queued"},
    ], "\n\n".join(plans)


@pytest.mark.django_db
def test_what_should_have_ended_is_found_among_the_few_that_have_such_a_time(provider: Provider) -> None:
    with CaptureQueriesContext(connection) as queries:
        report_overdue()
    [plan] = [plan for sql, plan in plans_of(queries) if "orders_order" in sql]
    assert "order_should_end" in plan, plan
