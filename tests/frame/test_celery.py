"""The schedule that beat makes of the rooms' jobs, and what a worker does when it is told to stop."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from celery import signals

from records.jobs import all_jobs, is_stopping, resume_working
from smmpanel.celery import app
from smmpanel.scheduler import JobScheduler, schedule


def test_every_job_is_scheduled_as_often_as_it_says() -> None:
    entries = schedule()
    assert {name: entry["schedule"] for name, entry in entries.items()} == {job.name: job.every for job in all_jobs()}
    assert {entry["task"] for entry in entries.values()} <= set(app.tasks)


def test_beat_gets_the_jobs_as_it_starts(tmp_path: Path) -> None:
    scheduler = JobScheduler(app=app, schedule_filename=str(tmp_path / "schedule"))
    try:
        assert {job.name for job in all_jobs()} <= set(scheduler.schedule)
    finally:
        scheduler.close()


def test_a_message_that_waited_longer_than_its_interval_is_dropped() -> None:
    for job in all_jobs():
        assert schedule()[job.name]["options"]["expires"] >= min(job.every.total_seconds(), 10)


def test_a_worker_told_to_stop_claims_nothing_more() -> None:
    try:
        signals.worker_shutting_down.send(sender=None, sig="TERM", how="warm", exitcode=0)
        assert is_stopping()
    finally:
        resume_working()


def test_messages_are_hints_that_nobody_redelivers() -> None:
    assert app.conf.task_acks_late is False
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_ignore_result is True


def test_an_acknowledgement_on_a_connection_that_is_gone_ends_no_worker() -> None:
    """Celery goes on after what its consumer calls connection errors, and ends with the process after anything else."""
    consumer = SimpleNamespace(connection_errors=(OSError,))
    for step in app.steps["consumer"]:
        step(consumer)
    assert issubclass(AttributeError, consumer.connection_errors)
    assert issubclass(ConnectionError, consumer.connection_errors)
