"""`manage.py run_jobs`: each scope a JSON line, and an exit code that scripts can trust."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from records import leases
from records.management.commands.run_jobs import Command
from records.models import JobRun
from records.turns import Turn
from tests.records.builders import MINUTE, a_job

pytestmark = pytest.mark.django_db


def _lines(out: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _fail_at_eight(turn: Turn) -> Mapping[str, int]:
    if turn.scope == "8":
        raise OSError("the line\nbroke")
    return {"seen": 1}


def test_each_scope_is_a_line_whatever_the_schedule() -> None:
    out = StringIO()
    with a_job(lambda turn: {"seen": 1}, scopes=("7", "8"), every=timedelta(days=1)):
        call_command("run_jobs", "count_stock", stdout=out)
        call_command("run_jobs", "count_stock", "count_stock", stdout=out)
    assert [(line["job"], line["scope"], line["counts"], line["error"]) for line in _lines(out)] == [
        ("count_stock", "7", {"seen": 1}, ""),
        ("count_stock", "8", {"seen": 1}, ""),
    ] * 2
    assert JobRun.objects.count() == 4


def test_without_names_all_run() -> None:
    out = StringIO()
    with a_job():
        call_command("run_jobs", stdout=out)
    assert {"count_stock", "prune_records"} <= {line["job"] for line in _lines(out)}


def test_one_that_fails_does_not_keep_the_others_from_running() -> None:
    out = StringIO()
    with a_job(_fail_at_eight, scopes=("8", "7")), pytest.raises(CommandError, match="1 run failed"):
        call_command("run_jobs", "count_stock", stdout=out)
    assert [line["error"] for line in _lines(out)] == ["OSError: the line", ""]


def test_one_that_cannot_list_its_scopes_failed() -> None:
    out = StringIO()
    with a_job() as job:
        object.__setattr__(job, "scopes", lambda: 1 // 0)
        with pytest.raises(CommandError, match="1 run failed"):
            call_command("run_jobs", "count_stock", stdout=out)
    assert _lines(out)[0]["error"].startswith("ZeroDivisionError")


def test_one_that_runs_elsewhere_is_waited_for_and_then_said_so(settings: Settings) -> None:
    settings.RUN_JOBS_WAIT_SECONDS = 0.3
    leases.take("job:count_stock:", "somebody", MINUTE)
    out = StringIO()
    with a_job(), pytest.raises(CommandError, match="1 run failed"):
        call_command("run_jobs", "count_stock", stdout=out)
    assert _lines(out)[0]["error"] == "It was running elsewhere for the 0.3 s we waited."


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(CommandError, match=r"There is no job called nope\. There are: .*prune_records"):
        call_command("run_jobs", "nope")


def test_the_list_runs_nothing() -> None:
    out = StringIO()
    with a_job(every=timedelta(seconds=90)):
        call_command("run_jobs", "--list", stdout=out)
    assert "count_stock              every 90 s    Counts the stock." in out.getvalue().splitlines()
    assert not JobRun.objects.exists()


def test_the_help_has_an_example() -> None:
    text = Command().create_parser("manage.py", "run_jobs").format_help()
    assert "Example:\n  manage.py run_jobs verify_books" in text
