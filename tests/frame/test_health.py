"""Whether it lives and whether it can serve: who asks learns names and ok or failed, and nothing more."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from smmpanel import health
from tests.frame.panel import free_port


@pytest.mark.parametrize("address", ["/healthz", "/healthz/live"])
def test_it_lives_without_a_database(client: Client, address: str) -> None:
    answer = client.get(address)  # pytest lets no test without its mark near the database
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert not answer.cookies


@pytest.mark.django_db
def test_it_is_ready_in_a_few_queries_and_knows_nobody(
    client: Client, settings: Settings, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    settings.REDIS_URL = ""
    with django_assert_max_num_queries(3):
        answer = client.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "ok", "broker": "none"}
    assert not answer.cookies
    assert "no-cache" in answer.headers["Cache-Control"]


@pytest.mark.django_db
def test_without_a_migration_it_is_not_ready(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("records", "0002_restorations")
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["migrations"]) == ("failed", "failed")


@pytest.mark.django_db
def test_a_database_that_is_down_is_said_without_its_words(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> str:
        raise OperationalError("password authentication failed for user panel at 10.0.0.7")

    monkeypatch.setattr(health, "_database", away)
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["database"] == "failed"
    assert set(answer.json().values()) <= {"ok", "failed", "none"}


@pytest.mark.django_db
def test_a_broker_that_is_away_is_told_and_does_no_harm(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://:5ecret@127.0.0.1:{free_port()}/0"
    answer = client.get("/healthz/ready")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["broker"]) == ("ok", "failed")
    assert "5ecret" not in answer.content.decode()
