"""The jobs of the records themselves: old runs are pruned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from records.models import JobRun
from records.turns import Turn


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
