"""Old runs go: those that found nothing first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from records.jobs import run_job
from records.models import JobRun

pytestmark = pytest.mark.django_db


def _run(age: timedelta, *, idle: bool, finished: bool = True) -> int:
    began = timezone.now() - age
    run = JobRun.objects.create(job="sync", started_at=began, finished_at=began if finished else None, idle=idle)
    return run.pk


def test_runs_are_kept_by_what_they_tell(settings: Settings) -> None:
    settings.RECORDS_PRUNE_BATCH = 2
    kept = {
        _run(timedelta(hours=23), idle=True),
        _run(timedelta(days=13), idle=False),
        _run(timedelta(days=30), idle=True, finished=False),  # may still be running: not ours to judge
    }
    for hours in range(25, 30):
        _run(timedelta(hours=hours), idle=True)
    for days in range(15, 18):
        _run(timedelta(days=days), idle=False)
    run = run_job("prune_records")
    assert run is not None
    assert run.counts == {"old_runs": 3, "idle_runs": 5}
    assert set(JobRun.objects.exclude(pk=run.pk).values_list("pk", flat=True)) == kept
