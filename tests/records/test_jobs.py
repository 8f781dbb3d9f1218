"""A job's run: its row, its lease, its failures, and who gets a turn when."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from records import jobs, leases
from records.jobs import Turn, UnknownJob, run_job, stop_working
from records.models import AttentionItem, JobRun, Lease
from tests.records.builders import MINUTE, a_job

pytestmark = pytest.mark.django_db


def _count_three(turn: Turn) -> Mapping[str, int]:
    turn.count("seen", 2)
    return {"seen": 1, "changed": 0}


def _fail(turn: Turn) -> Mapping[str, int]:
    turn.count("seen")
    raise ValueError("the shelf fell, key=s3cr3t-of-the-provider")


def _open_items() -> list[str]:
    return list(AttentionItem.objects.filter(closed_at__isnull=True).values_list("key", flat=True))


def test_a_run_leaves_a_row_with_its_times_and_counts() -> None:
    with a_job(_count_three):
        run_job("count_stock", "7")
    run = JobRun.objects.get()
    assert (run.job, run.scope, run.error, run.idle) == ("count_stock", "7", "", False)
    assert run.counts == {"seen": 3, "changed": 0}
    assert run.finished_at is not None
    assert timedelta(0) <= run.finished_at - run.started_at < MINUTE
    assert Lease.objects.get().holder == ""


def test_a_run_that_found_nothing_is_marked_idle() -> None:
    with a_job():
        run_job("count_stock")
    assert JobRun.objects.get().idle


def test_a_failure_is_stored_and_logged_and_ends_there(caplog: pytest.LogCaptureFixture) -> None:
    with a_job(_fail), caplog.at_level(logging.ERROR):
        run = run_job("count_stock")
    assert run is not None
    stored = JobRun.objects.get()
    assert stored.error.startswith("ValueError: the shelf fell")
    assert "in _fail" in stored.error
    assert stored.counts == {"seen": 1}  # what was done before it failed
    assert not stored.idle
    assert "the shelf fell" in caplog.text
    assert "s3cr3t" not in stored.error + caplog.text
    assert Lease.objects.get().holder == ""


def test_an_endless_message_is_cut(settings: Settings) -> None:
    settings.JOB_ERROR_CHARS = 500

    def shout(turn: Turn) -> Mapping[str, int]:
        raise ValueError("a" * 100_000)

    with a_job(shout):
        run_job("count_stock")
    assert len(JobRun.objects.get().error) <= 500


def test_the_third_failure_in_a_row_goes_to_the_operator_and_a_success_closes_it() -> None:
    with a_job(_fail):
        run_job("count_stock", "7")
        run_job("count_stock", "7")
        run_job("count_stock", "8")  # another scope has its own row of failures
        assert _open_items() == []
        run_job("count_stock", "7")
        run_job("count_stock", "7")
    item = AttentionItem.objects.get()
    assert (item.cause, item.key, item.times) == ("job_failed", "job_failed:count_stock:7", 2)
    assert "s3cr3t" not in item.summary + str(item.evidence)
    with a_job():
        run_job("count_stock", "8")
        assert _open_items() == [item.key]
        run_job("count_stock", "7")
    assert _open_items() == []


def test_two_failures_around_a_success_are_not_in_a_row() -> None:
    for work in (_fail, _fail, _count_three, _fail, _fail):
        with a_job(work):
            run_job("count_stock")
    assert _open_items() == []


def test_a_run_whose_process_died_is_closed_by_the_next() -> None:
    dead = JobRun.objects.create(job="count_stock", scope="7")
    other = JobRun.objects.create(job="count_stock", scope="8")
    with a_job():
        run_job("count_stock", "7")
    dead.refresh_from_db()
    other.refresh_from_db()
    assert dead.error == jobs.INTERRUPTED
    assert other.finished_at is None


def test_a_process_that_is_told_to_end_leaves_neither_lease_nor_open_row() -> None:
    def interrupted(turn: Turn) -> Mapping[str, int]:
        raise KeyboardInterrupt

    with a_job(interrupted), pytest.raises(KeyboardInterrupt):
        run_job("count_stock")
    assert JobRun.objects.get().error == "KeyboardInterrupt: the process was told to end"
    assert Lease.objects.get().holder == ""


def test_a_scheduled_message_that_comes_early_is_dropped_a_hint_is_not() -> None:
    with a_job(every=MINUTE):
        assert run_job("count_stock", even_if_not_due=False) is not None
        assert run_job("count_stock", even_if_not_due=False) is None  # the second of three schedulers
        assert run_job("count_stock") is not None
        Lease.objects.update(started_at=F("started_at") - timedelta(seconds=31))
        assert run_job("count_stock", even_if_not_due=False) is not None
    assert JobRun.objects.count() == 3


def test_a_scope_that_is_being_worked_at_is_left_alone() -> None:
    leases.take("job:count_stock:7", "somebody", MINUTE)
    with a_job():
        assert run_job("count_stock", "7") is None
        assert run_job("count_stock", "8") is not None
    assert [run.scope for run in JobRun.objects.all()] == ["8"]


def test_it_waits_for_a_lease_that_runs_out_meanwhile() -> None:
    leases.take("job:count_stock:", "somebody", timedelta(seconds=0.4))
    with a_job():
        assert run_job("count_stock", wait=timedelta(seconds=10)) is not None


def test_work_that_arrives_during_the_last_look_is_done_in_another_turn() -> None:
    shelf = [1]
    seen = []

    def take_all(turn: Turn) -> Mapping[str, int]:
        seen.append(list(shelf))
        shelf.clear()
        if len(seen) == 1:  # after the last look somebody brings more, and his hint finds the lease held
            shelf.append(2)
            assert run_job("count_stock") is None
        return {"taken": 1}

    with a_job(take_all):
        run_job("count_stock")
    assert seen == [[1], [2]]
    assert JobRun.objects.count() == 2
    assert not Lease.objects.get().wanted


def test_the_twin_without_the_wish_leaves_the_work_lying(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard off, the work of the test above stays where it is: so that test does see the gap."""
    monkeypatch.setattr(leases, "want", lambda name: True)
    seen = []

    def take_all(turn: Turn) -> Mapping[str, int]:
        seen.append(1)
        if len(seen) == 1:
            run_job("count_stock")
        return {}

    with a_job(take_all):
        run_job("count_stock")
    assert len(seen) == 1


def test_turns_for_others_are_bounded_then_a_message_takes_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_RERUNS = 2
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(jobs, "hint", lambda name, scope: sent.append((name, scope)))

    def always_wanted(turn: Turn) -> Mapping[str, int]:
        run_job("count_stock", "7")
        return {}

    with a_job(always_wanted):
        run_job("count_stock", "7")
    assert JobRun.objects.count() == 3
    assert sent == [("count_stock", "7")]
    assert Lease.objects.get().holder == ""


def test_a_turn_whose_time_is_over_asks_to_go_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.JOB_BUDGET_SECONDS = 0
    sent: list[str] = []
    monkeypatch.setattr(jobs, "hint", lambda name, scope: sent.append(name))

    def until_told(turn: Turn) -> Mapping[str, int]:
        assert turn.should_stop()
        return {}

    with a_job(until_told):
        run_job("count_stock")
    assert sent == ["count_stock"]


def test_without_a_budget_a_turn_may_finish(settings: Settings) -> None:
    settings.JOB_BUDGET_SECONDS = 0
    told: list[bool] = []

    def ask(turn: Turn) -> Mapping[str, int]:
        told.append(turn.should_stop())
        return {}

    with a_job(ask):
        run_job("count_stock", budget=None)
    assert told == [False]


def test_a_stopping_process_begins_nothing() -> None:
    stop_working()
    with a_job():
        assert run_job("count_stock", wait=MINUTE) is None
    assert not JobRun.objects.exists()


def test_an_unknown_job_is_named_with_those_there_are() -> None:
    with a_job(), pytest.raises(UnknownJob, match=r"no job called stok.*count_stock"):
        run_job("stok")


def test_a_name_stands_for_one_job() -> None:
    with a_job(), pytest.raises(AssertionError, match="two jobs"), a_job(_fail):
        pass
