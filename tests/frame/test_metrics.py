"""What a Prometheus reads: the right numbers, in a fixed number of queries, for whoever has the token."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from orders.models import Order
from providers.sandbox.server import Sandbox
from records.attention import raise_attention
from records.jobs import run_job
from records.models import JobRun
from smmpanel.metrics import exposition
from tests.orders.builders import a_customer, a_provider, a_service, an_order, sent, turn
from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]

TOKEN = "a token for tests alone"
LINE = re.compile(r'smmpanel_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+')


@pytest.fixture(autouse=True)
def _loopback_is_a_provider(settings: Settings) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]


def read() -> dict[str, float]:
    """Every sample by its name with its labels; each line must be one that Prometheus reads."""
    lines = [line for line in exposition().splitlines() if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in lines), lines
    pairs = (line.rpartition(" ") for line in lines)
    return {name: float(value) for name, _, value in pairs}


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [
        ("", "", 404),
        ("", "Bearer ", 404),
        (TOKEN, "", 401),
        (TOKEN, "Bearer", 401),
        (TOKEN, "Bearer another", 401),
        (TOKEN, "Bearer ä", 401),
        (TOKEN, TOKEN, 401),
        (TOKEN, f"Bearer {TOKEN}", 200),
    ],
)
@pytest.mark.django_db
def test_it_is_there_for_whoever_has_the_token(
    client: Client, settings: Settings, token: str, given: str, status: int
) -> None:
    settings.METRICS_TOKEN = token
    answer = client.get("/metrics", headers={"Authorization": given})
    assert answer.status_code == status
    assert not answer.cookies
    if status == 200:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.content.startswith(b"# HELP smmpanel_info")
    else:
        assert b"smmpanel_" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_it_tells_how_the_panel_is(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox, name='The "best"')
    service = a_service(provider)
    alice = a_customer()
    sent(provider, an_order(alice, service, link="https://example.com/1"))
    an_order(alice, service, link="https://example.com/2")
    Order.objects.filter(state="waiting").update(not_before=timezone.now() - timedelta(minutes=5))
    turn("provider_balances", provider)
    turn("verify_books")
    raise_attention(cause="order_held", key="x", summary="x")
    raise_attention(cause="order_held", key="y", summary="y")
    lines = exposition()
    assert r'provider="The \"best\""' in lines
    provider.name = "best"
    provider.save(update_fields=["name"])

    seen = read()

    assert seen['smmpanel_orders{state="accepted"}'] == 1
    assert seen['smmpanel_orders{state="waiting"}'] == 1
    assert seen['smmpanel_orders{state="unknown"}'] == 0
    assert 300 <= seen["smmpanel_orders_waiting_oldest_seconds"] < 360
    assert seen['smmpanel_provider_queue{provider="best",queue="open"}'] == 1
    assert seen['smmpanel_provider_queue{provider="best",queue="paused"}'] == 0
    assert seen['smmpanel_provider_balance{provider="best",currency="USD"}'] == float(sandbox.balance)
    assert 0 <= seen['smmpanel_provider_last_add_seconds{provider="best"}'] < 30
    assert 0 <= seen['smmpanel_job_last_success_age_seconds{job="submit_orders"}'] < 60
    assert abs(seen["smmpanel_books_verified_timestamp_seconds"] - timezone.now().timestamp()) < 60
    assert seen['smmpanel_attention_open{cause="order_held"}'] == 2
    assert seen["smmpanel_callbacks_due"] == 0
    assert "example.com" not in lines


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_is_counted_until_it_goes_well(sandbox: Sandbox) -> None:
    run = run_job("verify_books")
    assert run is not None
    assert read()['smmpanel_job_failing_scopes{job="verify_books"}'] == 0
    JobRun.objects.create(job="verify_books", finished_at=timezone.now(), error="It failed")
    assert read()['smmpanel_job_failing_scopes{job="verify_books"}'] == 1
    run_job("verify_books")
    assert read()['smmpanel_job_failing_scopes{job="verify_books"}'] == 0


@pytest.mark.django_db(transaction=True)
def test_ten_times_as_much_costs_no_more_queries(sandbox: Sandbox) -> None:
    alice = a_customer()
    counted = []
    for number in range(11):
        service = a_service(a_provider(sandbox, name=f"Provider {number}"), str(number))
        an_order(alice, service, 50, link=f"https://example.com/{number}")
        turn("submit_orders", service.routes.get().provider_service.provider)
        if number in (0, 10):
            with CaptureQueriesContext(connection) as queries:
                exposition()
            counted.append(len(queries))
    assert counted[0] == counted[1] <= 6


@pytest.mark.django_db
def test_a_count_stops_where_it_tells_no_more(settings: Settings) -> None:
    settings.METRICS_COUNTED = 2
    alice, service = a_customer(), a_service(a_provider())
    for number in range(3):
        an_order(alice, service, 50, link=f"https://example.com/{number}")
    assert read()['smmpanel_orders{state="waiting"}'] == 2


@pytest.mark.django_db(transaction=True)
def test_no_state_is_counted_by_reading_all_orders() -> None:
    """Ended orders are millions; each live state must be answered by its own index."""
    if connection.vendor != "sqlite":
        pytest.skip("an empty table is read whole by PostgreSQL's choice")
    with CaptureQueriesContext(connection) as queries:
        exposition()
    [statement] = [query["sql"] for query in queries if "UNION ALL" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        plan = [str(row[3]) for row in cursor.fetchall() if "orders_order" in str(row[3])]
    assert len(plan) == 9
    assert all("USING" in step and "INDEX" in step for step in plan), plan
