"""A turn: when it must end, and how it keeps its lease."""

from __future__ import annotations

import multiprocessing
import time
from datetime import timedelta

import pytest
from django.db.models import F

from records import leases
from records.models import Lease
from records.turns import Turn, is_stopping, resume_working, stop_working

MINUTE = timedelta(minutes=1)


def _turn(*, lease_for: timedelta = MINUTE, budget: timedelta | None = None) -> Turn:
    assert leases.take("job:sync:7", "anna", lease_for)
    return Turn(scope="7", lease="job:sync:7", holder="anna", lease_for=lease_for, budget=budget)


@pytest.mark.django_db
def test_it_may_go_on_until_its_time_is_over() -> None:
    turn = _turn(budget=timedelta(seconds=0.05))
    assert not turn.should_stop()
    time.sleep(0.06)
    assert turn.should_stop()
    assert turn.out_of_time


@pytest.mark.django_db
def test_it_ends_when_the_worker_stops() -> None:
    turn = _turn()
    stop_working()
    assert turn.should_stop()
    assert not turn.out_of_time
    resume_working()
    assert not turn.should_stop()


@pytest.mark.django_db
def test_asking_whether_to_stop_renews_the_lease_when_a_third_is_over() -> None:
    turn = _turn(lease_for=timedelta(seconds=0.3))
    for _ in range(8):
        time.sleep(0.08)
        assert not turn.should_stop()
    assert not leases.take("job:sync:7", "bob", MINUTE)


@pytest.mark.django_db
def test_it_does_not_write_each_time_it_is_asked() -> None:
    turn = _turn()
    before = Lease.objects.get().until
    assert not any(turn.should_stop() for _ in range(100))
    assert Lease.objects.get().until == before


@pytest.mark.django_db
def test_it_ends_when_its_lease_was_lost() -> None:
    turn = _turn(lease_for=timedelta(seconds=0.1))
    Lease.objects.update(until=F("until") - MINUTE)
    assert leases.take("job:sync:7", "bob", MINUTE)
    time.sleep(0.05)
    assert turn.should_stop()
    assert turn.lost
    assert not turn.extend()
    assert leases.release("job:sync:7", "bob")  # it took nothing away from him


@pytest.mark.django_db
def test_a_rest_ends_at_once_when_the_worker_stops() -> None:
    turn = _turn()
    assert turn.rest(0.01)
    stop_working()
    began = time.monotonic()
    assert not turn.rest(30)
    assert time.monotonic() - began < 1


def _wait_for_the_stop() -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if is_stopping():
            raise SystemExit(0)
        time.sleep(0.02)
    raise SystemExit(1)


def test_the_stop_reaches_the_forked_processes_of_a_pool() -> None:
    """The signal comes to a worker's main process alone, and the turns run in its children."""
    child = multiprocessing.get_context("fork").Process(target=_wait_for_the_stop)
    child.start()
    stop_working()
    child.join(timeout=10)
    assert child.exitcode == 0
