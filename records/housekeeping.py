"""The jobs that keep the house: the books are verified and get their checkpoints, old runs are pruned.

The first two are the ledger's work; it lies below the jobs and cannot register any itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from ledger.balances import cut_checkpoints as cut_all_checkpoints
from ledger.verification import verify
from records.attention import close_attention, raise_attention
from records.models import JobRun
from records.turns import Turn

BOOKS_DIFFER = "books_differ"
EVIDENCE_LINES = 50  # of differences: a person begins with the first ones


class BooksDiffer(Exception):
    """The books do not agree; the operator's list has the differences."""


def verify_books(turn: Turn) -> Mapping[str, int]:
    """Audit the books; a difference goes to the operator and fails the run, agreement takes it off the list."""
    report = verify()
    turn.count("transfers", report.transfers)
    turn.count("differences", len(report.differences))
    if report.clean:
        close_attention(key=BOOKS_DIFFER, decision="The books agree again.")
        return {}
    first = report.differences[0]
    raise_attention(
        cause=BOOKS_DIFFER,
        key=BOOKS_DIFFER,
        summary=f"The books do not agree in {len(report.differences)} places. {first}",
        evidence={"taken_at": report.taken_at, "differences": report.differences[:EVIDENCE_LINES]},
    )
    raise BooksDiffer(f"{len(report.differences)} differences. {first}")


def cut_checkpoints(turn: Turn) -> Mapping[str, int]:
    """Sum up what is old enough, so that a balance is read from a few transfers and not from all."""
    return {"checkpoints": cut_all_checkpoints()}


def prune_records(turn: Turn) -> Mapping[str, int]:
    """Delete runs by age: the idle ones after hours, the others after days. The other records stay."""
    now = timezone.now()
    finished = JobRun.objects.filter(finished_at__isnull=False)
    old = finished.filter(started_at__lt=now - timedelta(days=settings.JOB_RUNS_KEEP_DAYS))
    idle = finished.filter(idle=True, started_at__lt=now - timedelta(hours=settings.JOB_RUNS_IDLE_KEEP_HOURS))
    return {"old_runs": _delete(turn, old), "idle_runs": _delete(turn, idle)}


def _delete(turn: Turn, runs: QuerySet[JobRun]) -> int:
    """In batches, each a short transaction, oldest first along the index."""
    deleted = 0
    while not turn.should_stop():
        batch = list(runs.order_by("started_at").values_list("pk", flat=True)[: settings.RECORDS_PRUNE_BATCH])
        JobRun.objects.filter(pk__in=batch).delete()
        deleted += len(batch)
        if len(batch) < settings.RECORDS_PRUNE_BATCH:
            break
    return deleted
