"""The two Celery tasks: run one job at one scope, and send one message for each scope of a job that is due.

This is all that knows of Celery outside the composition root. Messages carry names only, never data: the database says
what is to be done.
"""

from __future__ import annotations

from celery import current_app, shared_task
from django.conf import settings

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


def send_hint(name: str, scope: str) -> None:
    """Send one message now or raise: on a connection that gives up after HINT_TIMEOUT_SECONDS and never tries twice."""
    limit = settings.HINT_TIMEOUT_SECONDS
    options = {
        **current_app.conf.broker_transport_options,
        "max_retries": 0,
        "socket_connect_timeout": limit,
        "socket_timeout": limit,
    }
    with current_app.connection_for_write(connect_timeout=limit, transport_options=options) as connection:
        current_app.send_task(run_job_task.name, (name, scope), connection=connection, retry=False, ignore_result=True)
