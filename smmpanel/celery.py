"""The Celery application: the worker, and the schedule that beat makes of the rooms' jobs.

A worker told to stop ends the turns of its jobs at once (they claim nothing more); Celery then waits for those that
run.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from celery import Celery, signals

from smmpanel.broker import NO_BROKER
from smmpanel.environment import BadSetting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmpanel.settings")

app = Celery("smmpanel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["records"])


def schedule() -> dict[str, dict[str, Any]]:
    """One entry a job: it sends a message for each of the job's scopes. Needs Django's apps to be ready.

    A message that waited longer than the job's interval is dropped: the next one says the same.
    """
    from records.jobs import all_jobs
    from records.tasks import schedule_job_task

    return {
        job.name: {
            "task": schedule_job_task.name,
            "args": (job.name,),
            "schedule": job.every,
            "options": {"expires": max(job.every, timedelta(seconds=10)).total_seconds()},
        }
        for job in all_jobs()
    }


@signals.setup_logging.connect
def _keep_our_logging(**_kwargs: Any) -> None:
    """Django has configured logging; a receiver here keeps Celery from doing it again."""


@signals.celeryd_init.connect
def _needs_broker(**_kwargs: Any) -> None:
    if app.conf.broker_url == NO_BROKER:
        problem = "is missing, and no panel runs in this data folder: a worker has nobody to listen to."
        raise BadSetting("REDIS_URL", problem)


@signals.beat_init.connect
def _fill_schedule(**_kwargs: Any) -> None:
    _needs_broker()
    app.conf.beat_schedule = schedule()


@signals.worker_init.connect
def _begin(**_kwargs: Any) -> None:
    from records.jobs import resume_working

    resume_working()


@signals.worker_shutting_down.connect
def _stop_claiming(**_kwargs: Any) -> None:
    from records.jobs import stop_working

    stop_working()
