"""Running a background job: its lease, its row, its failures; the one door through which every job is run.

Celery's messages, the command line and the tests all come in here. An exception ends at this edge: it is stored with
the run and logged, and three in a row go to the operator's list.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import traceback
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from records import leases
from records.attention import close_attention, raise_attention
from records.context import about
from records.hints import hint
from records.models import JobRun
from records.plain import plain_text
from records.redaction import scrub
from records.registry import Job, UnknownJob, all_jobs, job_named, register
from records.turns import Turn, is_stopping, resume_working, stop_working

__all__ = [
    "Job", "Turn", "UnknownJob", "all_jobs", "describe", "hint", "is_stopping", "job_named", "register",
    "resume_working", "run_job", "stop_working",
]  # fmt: skip

logger = logging.getLogger(__name__)

USUAL = timedelta(days=-1)  # stands for the setting, since None already means "no limit"
WAIT_STEP_SECONDS = 0.2
INTERRUPTED = "Interrupted: the process that ran it ended without a word."


def run_job(
    name: str,
    scope: str = "",
    *,
    wait: timedelta = timedelta(0),
    even_if_not_due: bool = True,
    budget: timedelta | None = USUAL,
) -> JobRun | None:
    """Run a job at one scope in this process; its (last) run, or None when it did not get a turn.

    Waits up to `wait` for the lease. Who does not get it leaves a wish, and the holder takes another turn for it. With
    `even_if_not_due=False` (a scheduled message) it is left alone when it began less than half of `every` ago.
    `budget` is the time after which `should_stop` says so; None for a turn that may finish all it finds.
    """
    job, holder, reruns = job_named(name), _new_holder(), settings.JOB_RERUNS
    run = _begin(job, scope, holder, wait=wait, due_only=not even_if_not_due)
    last = run
    while run is not None:
        turn = Turn(
            scope=scope,
            lease=_lease_of(job, scope),
            holder=holder,
            lease_for=job.lease,
            budget=timedelta(seconds=settings.JOB_BUDGET_SECONDS) if budget is USUAL else budget,
        )
        with about(job=name, scope=scope, run=run.pk):
            error = _work(job, turn, run, holder)
        last, run = run, _finish(job, turn, run, holder, error=error, again=reruns > 0)
        reruns -= 1
    return last


def _begin(job: Job, scope: str, holder: str, *, wait: timedelta, due_only: bool) -> JobRun | None:
    give_up = time.monotonic() + wait.total_seconds()
    while not is_stopping():
        run = _take(job, scope, holder, due_only=due_only)
        if run is not None or due_only:
            return run
        if time.monotonic() < give_up:
            time.sleep(WAIT_STEP_SECONDS)
        elif leases.want(_lease_of(job, scope)):
            return None  # the holder sees the wish before it lets go; if it let go just now, we try again
    return None


def _take(job: Job, scope: str, holder: str, *, due_only: bool) -> JobRun | None:
    with transaction.atomic():
        half = job.every / 2 if due_only else None
        if not leases.take(_lease_of(job, scope), holder, job.lease, not_started_within=half):
            return None
        return _new_run(job, scope)


def _new_run(job: Job, scope: str) -> JobRun:
    # whoever has the lease is alone: a run without an end is one whose process died
    JobRun.objects.filter(job=job.name, scope=scope, finished_at__isnull=True).update(
        finished_at=timezone.now(), error=INTERRUPTED
    )
    return JobRun.objects.create(job=job.name, scope=scope)


def _work(job: Job, turn: Turn, run: JobRun, holder: str) -> str:
    """Let the job work; what went wrong, or an empty text."""
    try:
        for name, number in job.run(turn).items():
            turn.count(name, number)
    except Exception as error:  # noqa: BLE001 - the edge of every job: stored, logged, and counted
        text = describe(error)
        logger.error("The job %s %s failed: %s", job.name, turn.scope, text)
        return text
    except BaseException as error:  # the process is told to go: leave no lease and no open row behind
        _finish(job, turn, run, holder, error=f"{type(error).__name__}: the process was told to end", again=False)
        raise
    return ""


def _finish(job: Job, turn: Turn, run: JobRun, holder: str, *, error: str, again: bool) -> JobRun | None:
    """Close the run and let go of the lease, or begin the next run when one is wanted."""
    lease, following = _lease_of(job, turn.scope), None
    unfinished = turn.out_of_time and not error
    with transaction.atomic():
        run.finished_at, run.counts, run.error = timezone.now(), dict(turn.counts), error
        run.idle = not error and not any(turn.counts.values())
        run.save(update_fields=["finished_at", "counts", "error", "idle"])
        _tell(job, run)
        if not leases.release_unless_wanted(lease, holder):
            if again and not error and not is_stopping() and leases.take_again(lease, holder, job.lease):
                following = _new_run(job, turn.scope)
            else:
                unfinished = leases.release(lease, holder) or unfinished
        if unfinished and following is None and not is_stopping():
            hint(job.name, turn.scope)
    return following


def _tell(job: Job, run: JobRun) -> None:
    key = f"job_failed:{job.name}:{run.scope}"
    if not run.error:
        close_attention(key=key, decision="The next run went well.")
        return
    limit = settings.JOB_FAILURES_BEFORE_ATTENTION
    recent = JobRun.objects.filter(job=job.name, scope=run.scope, finished_at__isnull=False).order_by("-id")[:limit]
    errors = [earlier.error for earlier in recent]
    if len(errors) == limit and all(errors):
        raise_attention(
            cause="job_failed",
            key=key,
            summary=f"The job {job.name} {run.scope} failed {limit} times in a row: {run.error.splitlines()[0]}",
            evidence={"job": job.name, "scope": run.scope, "run": run.pk, "error": run.error},
        )


def describe(error: BaseException) -> str:
    """The exception as it may be kept: type and message first, then the end of the traceback; no secrets, a limit."""
    half = settings.JOB_ERROR_CHARS // 2
    first = scrub(f"{type(error).__name__}: {str(error)[:half]}")
    trace = "".join(traceback.format_exception(error))
    if len(trace) > half:  # from the start of a line: half an assignment would no longer show its secret
        trace = trace[-half:].partition("\n")[2]
    return plain_text(f"{plain_text(first, half)}\n{scrub(trace)}", settings.JOB_ERROR_CHARS)


def _lease_of(job: Job, scope: str) -> str:
    return f"job:{job.name}:{scope}"


def _new_holder() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid4().hex[:8]}"
