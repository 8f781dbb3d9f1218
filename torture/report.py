"""What a person reads: progress, the table at the end, and the table in docs/reliability.md."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from torture.checking import COUNTED, ZERO
from torture.faults import FAULTS
from torture.points import POINTS
from torture.results import WORDS, Result, Summary, cell_of

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def list_all() -> None:
    for name, point in POINTS.items():
        say(f"{name:24} {point.says}")
    for name, kinds in FAULTS.items():
        say(f"{name:24} {', '.join(map(str, kinds))}".rstrip())


def progress(result: Result, *, done: int, of: int) -> None:
    if result["violations"]:
        say(f"\nVIOLATION in {cell_of(result)}; again: python -m torture --only {cell_of(result)}")
        for sentence in result["violations"]:
            say(f"  {sentence}")
    elif done % 100 == 0 or done == of:
        say(f"{done:,} of {of:,}")


def table(summary: Summary, *, seconds: float) -> None:
    say(f"\n{summary.runs} runs ({summary.killed} processes killed at their point), {summary.seeds} seeds, ")
    say(f"{len(summary.by_point)} crash points, {len(summary.by_fault)} faults; {seconds:.0f} s now, ")
    say(f"{summary.processor_seconds / max(1, summary.runs):.2f} processor seconds a run.")
    for name in (*COUNTED, *ZERO):
        mark = " <-- violation" if name in ZERO and summary.counts[name] else ""
        say(f"  {WORDS[name]:76} {summary.counts[name]:8}{mark}")
    for run in dict.fromkeys(run for run, _ in summary.violations):
        say(f"  again: python -m torture --only {run}")


def render(page: Path, source: Path) -> None:
    """Put the results between the marks of the page."""
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    assert rest, f"{page} has no place for results"
    page.write_text(f"{before}{BEGIN}\n{markdown(json.loads(source.read_text()))}{END}{after}")


def markdown(results: dict[str, Any]) -> str:
    matrix = f"{results['points']} crash points × {results['faults']} faults × {results['seeds']} seeds"
    runs = f"{results['runs']:,} runs on {results['database']}, {matrix}"
    lines = [f"{runs}; in {results['killed']:,} of them the process was killed at its point.", ""]
    lines += ["| found | |", "|---|---:|"]
    for name in ZERO:
        lines.append(f"| {WORDS[name]} | **{results['counts'][name]:,}** |")
    for name in COUNTED:
        lines.append(f"| {WORDS[name]} | {results['counts'][name]:,} |")
    for title, rows in (("crash point", results["by_point"]), ("fault", results["by_fault"])):
        columns = "runs | killed | orders | unknown | attached | not placed | to the operator | violations"
        lines += ["", f"| {title} | {columns} |"]
        lines.append("|---|" + "---:|" * 8)
        for name, row in rows.items():
            lines.append(f"| `{name}` | " + " | ".join(f"{number:,}" for number in row.values()) + " |")
    return "\n".join(lines) + "\n"
