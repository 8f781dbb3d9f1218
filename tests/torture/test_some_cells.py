"""The command, on a handful of cells: it kills, recovers, checks, keeps its results and goes on from them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CELLS = ("--points", "submit:marked,settle:refunded,deposit:posted", "--faults", "none,reset")


def torture(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PANEL_DATA_DIR": str(folder)}
    places = ("--runs", str(folder / "runs.jsonl"), "--summary", str(folder / "summary.json"), "--jobs", "2")
    command = [sys.executable, "-m", "torture", *places, *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def test_a_handful_of_cells_holds_and_is_resumed(tmp_path: Path) -> None:
    first = torture(tmp_path, *CELLS, "--write")
    assert first.returncode == 0, first.stdout + first.stderr
    lines = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert len(lines) == 6
    assert sum(line["killed"] for line in lines) >= 4
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["runs"], summary["points"], summary["faults"], summary["violations"]) == (6, 3, 2, [])

    again = torture(tmp_path, *CELLS)
    assert "6 runs, 6 of them done before" in again.stdout
    assert len((tmp_path / "runs.jsonl").read_text().splitlines()) == 6


def test_one_run_is_repeated_by_its_name(tmp_path: Path) -> None:
    done = torture(tmp_path, "--only", "submit:written/none/1")
    assert done.returncode == 0, done.stdout + done.stderr
    [result] = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert (result["point"], result["killed"], result["counts"]["unknown"]) == ("submit:written", True, 1)
