"""`python -m torture`: the crash matrix, a slice of it, or one run of it again."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torture.plan import Plan

ROOT = Path(__file__).resolve().parent.parent
HELP = """
python -m torture --seeds 100 --core           the matrix that an hour holds; interrupted, the same command goes on
python -m torture --seeds 100                  with the other points too, and with a provider that never fails
python -m torture --seconds 60                 as much of it as a minute holds
python -m torture --only submit:marked/reset_after/7   one run again, its database and journal kept
python -m torture --list                       the crash points and the faults
python -m torture --render                     put the last results into docs/reliability.md
"""


def main() -> int:
    options = _options()
    os.environ["DJANGO_SETTINGS_MODULE"] = "torture.settings"
    import django

    django.setup()
    from torture import report

    if options.list:
        report.list_all()
        return 0
    if options.render:
        report.render(ROOT / "docs" / "reliability.md", options.summary)
        return 0
    return _torture(options)


def _options() -> argparse.Namespace:
    usage = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__, epilog=HELP, formatter_class=usage)
    parser.add_argument("--seeds", default="1", help="how many (100), or which (5-9)")
    parser.add_argument("--seconds", type=float, help="begin no more runs after so long")
    parser.add_argument("--only", metavar="POINT/FAULT/SEED", help="one run")
    parser.add_argument("--points", help="these points alone, or those that begin so (submit), with commas between")
    parser.add_argument("--core", action="store_true", help="the core points and every fault: what an hour holds")
    parser.add_argument("--faults", help="these faults alone, with commas between")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="runs side by side")
    parser.add_argument("--runs", type=Path, default=ROOT / ".data/torture/runs.jsonl", help="where each run is kept")
    parser.add_argument("--again", action="store_true", help="forget the runs that are kept")
    parser.add_argument("--summary", type=Path, default=ROOT / "docs/reliability-results.json")
    parser.add_argument("--write", action="store_true", help="write the summary when the matrix is complete")
    parser.add_argument("--list", action="store_true", help="list crash points and faults")
    parser.add_argument("--render", action="store_true", help="put the summary into docs/reliability.md")
    return parser.parse_args()


def _torture(options: argparse.Namespace) -> int:
    from torture import report
    from torture.matrix import Matrix, save_evidence, warm_up
    from torture.results import Result, Results, Summary, cell_of, fingerprint
    from torture.running import surroundings
    from torture.world import Databases

    began = time.monotonic()
    shared = Path("/dev/shm")  # noqa: S108 - memory where there is such a thing: each run has a folder of its own
    place = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="torture-", dir=place) as folder:
        databases = Databases(Path(folder), keep=bool(options.only))
        if options.again:
            options.runs.unlink(missing_ok=True)
        results = Results(options.runs, code=fingerprint(), database="SQLite" if databases.sqlite else "PostgreSQL")
        plans = list(_plans(options))
        asked = {plan.name for plan in plans}
        kept = set() if options.only else asked & set(results.kept)
        todo = [plan for plan in plans if plan.name not in kept]
        report.say(f"{len(asked)} runs, {len(kept)} of them done before; {options.jobs} at once.")

        def tell(result: Result) -> None:
            results.add(result)
            report.progress(result, done=len(asked & set(results.kept)), of=len(asked))
            if result["violations"] or options.only:
                save_evidence(databases, result, options.runs.parent / "failed")

        until = None if options.seconds is None else began + options.seconds
        try:
            if todo:
                surroundings()
                warm_up(databases)
                Matrix(databases, jobs=options.jobs, tell=tell).run(iter(todo), until=until)
        except KeyboardInterrupt:
            report.say("Interrupted: the same command goes on from here.")
        finally:
            databases.drop(databases.template)
    done = [result for result in results.kept.values() if cell_of(result) in asked]
    summary = Summary.of(done)
    report.table(summary, seconds=time.monotonic() - began)
    if options.write and len(done) == len(asked) and not options.only:
        options.summary.write_text(json.dumps(summary.as_json() | {"database": results.database}, indent=1) + "\n")
    return 1 if summary.violations or not done else 0


def _plans(options: argparse.Namespace) -> Iterator[Plan]:
    from torture.faults import FAULTS
    from torture.matrix import cells, core_points, every_fault, every_point
    from torture.plan import plan

    if options.only:
        point, fault, seed = options.only.split("/")
        yield plan(point, fault, int(seed))
        return
    points, faults = every_point(), every_fault()
    if options.points:
        points = [point for point in points if point.startswith(tuple(options.points.split(",")))]
    if options.core:
        points, faults = core_points(), [fault for fault in faults if FAULTS[fault]]
    if options.faults:
        faults = [fault for fault in faults if fault in options.faults.split(",")]
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last) + 1) if last else range(1, int(first) + 1)
    yield from cells(points, faults, seeds)


if __name__ == "__main__":
    sys.exit(main())
