"""`manage.py run_jobs`: the background jobs, now, in this process."""

from __future__ import annotations

import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from records.jobs import Job, UnknownJob, all_jobs, describe, job_named, run_job


class Command(BaseCommand):
    """Runs jobs by name, or all; prints a JSON line for each scope."""

    help = """Run background jobs once, in this process, whatever their schedule.

Without names all jobs run. Each scope of a job prints one JSON line. A job that is running
elsewhere is waited for. The exit code is not 0 when one of them failed or did not get its turn.

Example:
  manage.py run_jobs verify_books prune_records"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", metavar="NAME", nargs="*")
        parser.add_argument("--list", action="store_true", help="show the jobs there are and run none")

    def handle(self, *, names: list[str], **options: Any) -> None:
        try:
            jobs = [job_named(name) for name in dict.fromkeys(names)] or all_jobs()
        except UnknownJob as error:
            raise CommandError(str(error)) from None
        if options["list"]:
            for job in jobs:
                self.stdout.write(f"{job.name:<24} every {_span(job.every):<7} {job.summary}")
            return
        failed = 0
        for job in jobs:
            for line in _run(job):
                self.stdout.write(json.dumps(line))
                failed += bool(line["error"])
        if failed:
            raise CommandError(f"{failed} {'run' if failed == 1 else 'runs'} failed; the lines above say why.")


def _run(job: Job) -> Iterator[dict[str, Any]]:
    try:
        scopes = [str(scope) for scope in job.scopes()]
    except Exception as error:  # noqa: BLE001 - a job that cannot list its parts failed; the others still run
        yield {"job": job.name, "scope": None, "error": describe(error).splitlines()[0]}
        return
    for scope in scopes:
        yield _run_scope(job, scope)


def _run_scope(job: Job, scope: str) -> dict[str, Any]:
    wait = settings.RUN_JOBS_WAIT_SECONDS
    run = run_job(job.name, scope, wait=timedelta(seconds=wait), budget=None)
    if run is None or run.finished_at is None:
        return {"job": job.name, "scope": scope, "error": f"It was running elsewhere for the {wait:g} s we waited."}
    return {
        "job": job.name,
        "scope": scope,
        "started_at": run.started_at.isoformat(),
        "seconds": round((run.finished_at - run.started_at).total_seconds(), 3),
        "counts": run.counts,
        "error": (run.error.splitlines() or [""])[0],
    }


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{span.total_seconds():g} s"
