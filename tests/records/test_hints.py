"""Hints: after the commit, once, and never in anybody's way."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator, Mapping

import pytest
from celery import Celery
from django.db import transaction
from pytest_django import Settings

from records import hints, tasks
from records.jobs import Turn, hint
from tests.records.builders import a_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    messages: list[tuple[str, str]] = []
    monkeypatch.setattr(tasks, "send_hint", lambda name, scope: messages.append((name, scope)))
    return messages


@pytest.fixture
def broker_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    app = Celery("broker_of_a_test", set_as_current=False)
    monkeypatch.setattr(tasks, "current_app", app)
    yield app
    app.close()


def test_a_hint_waits_for_the_commit(sent: list[tuple[str, str]]) -> None:
    with transaction.atomic():
        hint("submit", "7")
        assert sent == []
    assert sent == [("submit", "7")]


def test_outside_of_a_transaction_it_goes_at_once(sent: list[tuple[str, str]]) -> None:
    hint("submit", "7")
    hint("submit", "7")
    assert sent == [("submit", "7")] * 2


def test_many_of_one_transaction_send_one_message(sent: list[tuple[str, str]]) -> None:
    with transaction.atomic():
        for number in range(50):
            hint("submit", str(number % 2))
    assert sent == [("submit", "0"), ("submit", "1")]
    with transaction.atomic():
        hint("submit", "0")
    assert len(sent) == 3


def test_what_is_rolled_back_is_not_hinted(sent: list[tuple[str, str]]) -> None:
    with transaction.atomic():
        hint("submit", "7")
        transaction.set_rollback(True)
    with transaction.atomic():
        hint("submit", "8")
    assert sent == [("submit", "8")]


def test_a_savepoint_that_is_rolled_back_silences_no_other(sent: list[tuple[str, str]]) -> None:
    with transaction.atomic():
        with transaction.atomic():
            hint("submit", "7")
            transaction.set_rollback(True)
        hint("submit", "7")
    assert sent == [("submit", "7")]


def test_a_broker_that_is_down_is_noted_once_in_a_while_and_swallowed(
    broker_at: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    broker_at.conf.update(broker_url="redis://127.0.0.1:1/0")  # nobody listens there
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, logger=hints.__name__):
        for number in range(20):
            with transaction.atomic():
                hint("submit", str(number))
    assert time.monotonic() - began < 3
    assert len(caplog.records) == 1
    assert "The next sweep finds the work" in caplog.text


def test_a_broker_that_hangs_is_not_waited_for(broker_at: Celery, settings: Settings) -> None:
    settings.HINT_TIMEOUT_SECONDS = 0.3
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        broker_at.conf.update(broker_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()
        hint("submit")
        hint("submit")
    assert time.monotonic() - began < 3


def test_a_message_carries_names_and_nothing_else(broker_at: Celery) -> None:
    broker_at.conf.update(broker_url="memory://hints")
    hint("submit", "7")
    with broker_at.connection_for_read() as connection:
        queue = connection.SimpleQueue("celery")
        message = queue.get(timeout=5)
        message.ack()
        queue.close()
    assert message.headers["task"] == "records.run_job"
    assert message.payload[:2] == [["submit", "7"], {}]


def test_the_task_runs_the_job_and_drops_an_early_scheduled_one() -> None:
    ran = []

    def note(turn: Turn) -> Mapping[str, int]:
        ran.append(turn.scope)
        return {}

    with a_job(note):
        tasks.run_job_task("count_stock", "7")
        tasks.run_job_task("count_stock", "7", scheduled=True)
        tasks.run_job_task("count_stock", "7")
    assert ran == ["7", "7"]


def test_a_job_that_is_due_gets_a_message_for_each_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = []
    monkeypatch.setattr(
        tasks.run_job_task, "apply_async", lambda arguments, expires: messages.append((arguments, expires))
    )
    with a_job(scopes=("7", "8")):
        tasks.schedule_job_task("count_stock")
    assert messages == [(("count_stock", "7", True), 60.0), (("count_stock", "8", True), 60.0)]
