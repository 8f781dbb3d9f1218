"""The matrix finds what it is meant to find: with a guard of the product taken off, the same runs must fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.sabotaged import PAIRS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    environment = os.environ | {"PANEL_DATA_DIR": str(tmp_path_factory.mktemp("sabotaged"))}
    command = [sys.executable, "-m", "tests.torture.sabotaged"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    read: dict[str, dict[str, int]] = json.loads(done.stdout)
    return read


@pytest.mark.parametrize("guard", list(PAIRS))
def test_without_its_guard_the_promise_breaks(found: dict[str, dict[str, int]], guard: str) -> None:
    assert found[guard].get(PAIRS[guard][2], 0) > 0, found[guard]


def test_with_all_guards_the_same_runs_are_clean(found: dict[str, dict[str, int]]) -> None:
    assert found["nothing"]["violations"] == 0, found["nothing"]
    assert found["nothing"]["killed"] > 0
