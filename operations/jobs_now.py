"""The background jobs as the operator sees them: each with its last run, and the wish that it runs now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from operations.refusals import Refused
from records.audit import Actor, audit
from records.jobs import Job, all_jobs, hint, job_named
from records.models import JobRun
from records.registry import UnknownJob

FAILED_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Known:
    job: Job
    last: JobRun | None


def known_jobs() -> list[Known]:
    """Two queries, however many jobs and runs there are."""
    newest = JobRun.objects.values("job").annotate(newest=Max("pk")).values_list("newest", flat=True)
    last = {run.job: run for run in JobRun.objects.filter(pk__in=list(newest)).defer("error")}
    return [Known(job, last.get(job.name)) for job in all_jobs()]


def failing_jobs() -> list[JobRun]:
    """The parts of jobs whose last finished run, of the last day, failed."""
    since = timezone.now() - FAILED_WITHIN
    newest = (
        JobRun.objects.filter(started_at__gt=since, finished_at__isnull=False)
        .values("job", "scope")
        .annotate(newest=Max("pk"))
        .values_list("newest", flat=True)
    )
    return list(JobRun.objects.filter(pk__in=list(newest)).exclude(error="").order_by("job", "scope"))


def run_soon(name: str, *, actor: Actor) -> str:
    """Ask the workers to run every part of a job; the sentence that says so. Raises Refused."""
    try:
        job = job_named(name)
    except UnknownJob as error:
        raise Refused(str(error)) from None
    if not settings.REDIS_URL:
        raise Refused("There is no broker, so no worker can be asked. Run it with: manage.py run_jobs " + job.name)
    scopes = list(job.scopes())
    with transaction.atomic():
        audit(actor=actor, action="job.run", target=JobRun(job=job.name), after={"job": job.name, "parts": len(scopes)})
    for scope in scopes:
        hint(job.name, scope)
    if not scopes:
        return f"{job.name} has nothing to run for at the moment."
    return f"The workers were asked to run {job.name}. Its run shows here when it begins."
