"""The two Celery tasks: run one job at one scope, and send one message for each scope of a job that is due.

This is all that knows of Celery outside the composition root. Messages carry names only, never data: the database says
what is to be done.
"""

from __future__ import annotations

import os
import threading

from celery import current_app, shared_task
from django.conf import settings
from kombu import Connection

from records.jobs import job_named, run_job


@shared_task(name="records.run_job", ignore_result=True)
def run_job_task(name: str, scope: str = "", scheduled: bool = False) -> None:
    """Run a job once; a scheduled message is dropped when the job began lately or is running."""
    run_job(name, scope, even_if_not_due=not scheduled)


@shared_task(name="records.schedule_job", ignore_result=True)
def schedule_job_task(name: str) -> None:
    """A job is due: one message for each of its scopes, which nobody needs any more once the next are sent."""
    job = job_named(name)
    for scope in job.scopes():
        run_job_task.apply_async((name, scope, True), expires=job.every.total_seconds())


class _Line(threading.local):
    """This thread's open connection to the broker: opening one takes longer than all the rest of sending."""

    connection: Connection | None = None
    opened_for: tuple[int, str] | None = None  # a forked child must not use its parent's


_line = _Line()


def send_hint(name: str, scope: str) -> None:
    """Send one message now or raise: no step waits longer than HINT_TIMEOUT_SECONDS, nor between tries."""
    wanted = (os.getpid(), str(current_app.conf.broker_url))
    if _line.connection is not None and _line.opened_for == wanted:
        try:
            _publish(_line.connection, name, scope)
            return
        except _line.connection.recoverable_connection_errors:
            _line.connection.release()  # most likely it lay idle and was closed at the other end: once more, afresh
    _line.connection, _line.opened_for = _open(), wanted
    _publish(_line.connection, name, scope)


def _open() -> Connection:
    limit = settings.HINT_TIMEOUT_SECONDS
    options = {
        **current_app.conf.broker_transport_options,
        "max_retries": 0,
        "socket_connect_timeout": limit,
        "socket_timeout": limit,
    }
    return current_app.connection_for_write(connect_timeout=limit, transport_options=options)


def _publish(connection: Connection, name: str, scope: str) -> None:
    current_app.send_task(run_job_task.name, (name, scope), connection=connection, retry=False, ignore_result=True)
