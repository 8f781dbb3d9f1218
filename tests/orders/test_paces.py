"""The average time of a service's last finished orders, as customers choose by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Customer
from catalog.models import Service
from orders import paces
from orders.models import Order, Pace, Status
from orders.paces import measure, paces_of
from records.jobs import run_job
from tests.portal.builders import a_customer, a_service, ended, under_way

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> Customer:
    return a_customer()


def _finished(
    customer: Customer, service: Service, *minutes: int, status: Status = Status.COMPLETED, **fields: object
) -> None:
    """One after the other, the first of them the oldest."""
    for number, each in enumerate(minutes):
        end = timezone.now() - timedelta(days=len(minutes) - number)
        ended(customer, status, service, created_at=end - timedelta(minutes=each), ended_at=end, **fields)


def test_the_average_is_of_the_last_finished_orders(alice: Customer, settings: pytest.FixtureRequest) -> None:
    settings.PACE_ORDERS = 3  # type: ignore[attr-defined]
    service = a_service()
    _finished(alice, service, 9000, 10, 20, 60)
    assert measure() == 1
    assert paces_of([service]) == {service.pk: timedelta(minutes=30)}


def test_too_few_orders_say_nothing(alice: Customer) -> None:
    service = a_service()
    _finished(alice, service, 10, 20)
    assert measure() == 0
    assert paces_of([service]) == {}


def test_what_was_canceled_runs_or_goes_on_does_not_count(alice: Customer) -> None:
    service = a_service()
    _finished(alice, service, 10, 10, 10)
    _finished(alice, service, 1, 1, 1, status=Status.CANCELED, refunded="0.90")
    _finished(alice, service, 1, 1, 1, status=Status.PARTIAL, remains=5)
    _finished(alice, service, 9999, runs=2, interval=60, quantity=2000)
    under_way(alice, service)
    measure()
    assert paces_of([service]) == {service.pk: timedelta(minutes=10)}


def test_a_pace_follows_and_an_unchanged_one_is_not_written(alice: Customer) -> None:
    service, other = a_service(), a_service("Views")
    _finished(alice, service, 10, 10, 10)
    _finished(alice, other, 30, 30, 30)
    assert measure() == 2
    assert measure() == 0
    _finished(alice, service, 50, 50, 50)
    assert measure() == 1
    assert Pace.objects.get(service=service).seconds == 30 * 60


def test_one_statement_however_many_services(
    alice: Customer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        _finished(alice, a_service(f"Service {number}"), 10, 10, 10)
    with django_assert_num_queries(1):
        assert measure() == 12


def test_it_goes_by_its_index(alice: Customer) -> None:
    """Of each service the last few entries are read, however many orders it ever had."""
    for number in range(30):
        _finished(alice, a_service(f"Service {number}"), *[10] * 20)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ANALYZE {Order._meta.db_table}")
            cursor.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        cursor.execute(f"{explain} {paces._sql()}", [timezone.now(), 3, 10])
        plan = "\n".join(str(row) for row in cursor.fetchall())
    assert "order_finished_of_service" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_its_job_brings_them_up_to_date(alice: Customer) -> None:
    service = a_service()
    _finished(alice, service, 10, 10, 10)
    run = run_job("measure_paces")
    assert run is not None
    assert (run.error, run.counts) == ("", {"services": 1})
    assert Pace.objects.get().service == service
