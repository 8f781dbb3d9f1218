"""Results that outlive an interruption, and the table that a person reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torture.report import BEGIN, END, render
from torture.results import Results, Summary, fingerprint


def a_result(seed: int = 1, **changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "point": "submit:marked",
        "fault": "reset",
        "seed": seed,
        "killed": True,
        "counts": {"orders": 8, "unknown": 2},
        "violations": [],
        "seconds": 1.0,
        "processor_seconds": 0.5,
    }
    return known | changes


def test_runs_are_kept_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    Results(path, code="a", database="SQLite").add(a_result())
    assert list(Results(path, code="a", database="SQLite").kept) == ["submit:marked/reset/1"]


def test_runs_of_other_code_or_another_database_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    Results(path, code="a", database="SQLite").add(a_result())
    assert not Results(path, code="b", database="SQLite").kept
    assert not Results(path, code="a", database="PostgreSQL").kept


def test_a_line_that_a_kill_tore_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    kept = Results(path, code="a", database="SQLite")
    kept.add(a_result(1))
    kept.add(a_result(2))
    path.write_text(path.read_text()[:-20])
    again = Results(path, code="a", database="SQLite")
    assert list(again.kept) == ["submit:marked/reset/1"]
    again.add(a_result(2))
    assert len(Results(path, code="a", database="SQLite").kept) == 2


def test_the_fingerprint_is_the_codes() -> None:
    assert fingerprint() == fingerprint()


def test_violations_are_summed_and_named(tmp_path: Path) -> None:
    broken = a_result(2, counts={"orders": 9, "lost": 1}, violations=["lost: order 3"])
    summary = Summary.of([a_result(1), broken])
    assert (summary.runs, summary.killed, summary.seeds) == (2, 2, 2)
    assert summary.counts["orders"] == 17
    assert summary.violations == [("submit:marked/reset/2", "lost: order 3")]
    assert summary.as_json()["by_fault"]["reset"]["violations"] == 1


def test_the_page_gets_its_table_and_keeps_its_text(tmp_path: Path) -> None:
    page, source = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    source.write_text(json.dumps(Summary.of([a_result()]).as_json() | {"database": "SQLite"}))
    render(page, source)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| `submit:marked` | 1 | 1 | 8 | 2 |" in text
