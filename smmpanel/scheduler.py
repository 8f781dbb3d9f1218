"""The schedule that beat makes of the rooms' jobs: one entry a job, which sends a message for each of the job's scopes.

A scheduler class of our own, because that is where beat itself asks for the entries: Django's apps, and with them the
jobs, are ready by then, and no sooner.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler

from records.jobs import all_jobs
from records.tasks import schedule_job_task

SHORTEST_LIFE = timedelta(seconds=10)  # of a message: a busy worker needs a moment


def schedule() -> dict[str, dict[str, Any]]:
    """The entries by job. A message that waited longer than the job's interval is dropped: the next says the same."""
    return {
        job.name: {
            "task": schedule_job_task.name,
            "args": (job.name,),
            "schedule": job.every,
            "options": {"expires": max(job.every, SHORTEST_LIFE).total_seconds()},
        }
        for job in all_jobs()
    }


class JobScheduler(PersistentScheduler):
    """Beat's own scheduler, which remembers in the data folder when it last sent what, with our entries."""

    def setup_schedule(self) -> None:
        self.app.conf.beat_schedule = schedule()
        super().setup_schedule()
