"""A pytest plugin that tries the faults of one module: once through all tests as they are, then a fork for each fault.

The first round must pass; it also notes which tests enter which function, and for how long they run. For each fault a
child process with a database of its own runs those tests, the short ones first, until one fails. Told by environment:
MUTANTS_MODULE, MUTANTS_REPORT (a file to write), MUTANTS_JOBS.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

import pytest
from _pytest.runner import runtestprotocol
from django.db import connections
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings

from mutants.insertion import insert
from mutants.mutations import Mutant, mutants_of

LONGEST_TRIAL = 5.0  # seconds beyond ten times what its tests take; then the fault has made something endless
KILLED, SURVIVED = 1, 0

MODULE = os.environ["MUTANTS_MODULE"]
hypothesis_settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # which example fails does not matter, so none is made smaller
    suppress_health_check=list(HealthCheck),
)
hypothesis_settings.load_profile("mutants")


class Baseline:
    """How the tests run without a fault."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.entered: defaultdict[str, set[str]] = defaultdict(set)  # scope -> tests

    def tests_for(self, mutant: Mutant, items: list[pytest.Item]) -> list[pytest.Item]:
        every = set().union(*self.entered.values())
        wanted = every if mutant.of_table else self.entered[mutant.scope]
        chosen = [item for item in items if item.nodeid in wanted]
        return sorted(chosen, key=lambda item: self.seconds[item.nodeid])


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    if session.testsfailed:
        raise session.Interrupted("the tests could not be collected")
    baseline = _first_round(session.items)
    mutants = mutants_of(Path(MODULE).read_text(), MODULE)
    _try_none(session.items, baseline)
    results = _try_all(mutants, session.items, baseline)
    Path(os.environ["MUTANTS_REPORT"]).write_text(json.dumps(results))
    return True


def _first_round(items: list[pytest.Item]) -> Baseline:
    baseline, target = Baseline(), str(Path(MODULE).resolve())
    entered: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename == target:
            entered.add(frame.f_code.co_qualname.split(".<locals>")[0])

    for number, item in enumerate(items):
        entered.clear()
        began = time.monotonic()
        threading.setprofile(note)
        sys.setprofile(note)
        passed = _passes(item, items[(number + 1) % len(items)])
        sys.setprofile(None)
        threading.setprofile(None)
        if not passed:
            raise pytest.UsageError(f"{item.nodeid} fails without any fault")
        baseline.seconds[item.nodeid] = time.monotonic() - began
        for scope in entered:
            baseline.entered[scope].add(item.nodeid)
    return baseline


def _passes(item: pytest.Item, following: pytest.Item) -> bool:
    """`following` keeps the fixtures of the session: the database above all."""
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _try_none(items: list[pytest.Item], baseline: Baseline) -> None:
    """A child without a fault must pass, or each of them would be called killed for a reason of its own."""
    connections.close_all()
    tests = [item for item in items if item.nodeid in set().union(*baseline.entered.values())]
    pid = os.fork()
    if pid == 0:
        _trial(None, tests, items)
    if os.waitpid(pid, 0)[1] != SURVIVED:
        raise pytest.UsageError("the tests fail in a child that has no fault")


def _try_all(mutants: list[Mutant], items: list[pytest.Item], baseline: Baseline) -> dict[str, str]:
    connections.close_all()
    results: dict[str, str] = {}
    running: dict[int, tuple[Mutant, float]] = {}
    jobs = int(os.environ.get("MUTANTS_JOBS", "1"))
    waiting = list(reversed(mutants))
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            tests = baseline.tests_for(mutant, items)
            if not tests:
                results[mutant.name] = "survived"
                continue
            budget = LONGEST_TRIAL + 10 * sum(baseline.seconds[item.nodeid] for item in tests)
            pid = os.fork()
            if pid == 0:
                _trial(mutant, tests, items)
            running[pid] = (mutant, time.monotonic() + budget)
        _collect(running, results)
    return {mutant.name: results[mutant.name] for mutant in mutants}


def _collect(running: dict[int, tuple[Mutant, float]], results: dict[str, str]) -> None:
    for pid, (mutant, until) in list(running.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            del running[pid]
            results[mutant.name] = "survived" if status == SURVIVED else "killed"
        elif time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            del running[pid]
            results[mutant.name] = "endless"
    time.sleep(0.005)


def _trial(mutant: Mutant | None, tests: list[pytest.Item], items: list[pytest.Item]) -> None:
    """The child: ends with KILLED at the first test that fails, and takes its database with it."""
    code, copied = KILLED, ""
    try:
        copied = _own_database()
        if mutant is not None:
            insert(mutant, importlib.import_module(MODULE.removesuffix(".py").replace("/", ".")))
        tests[0].session._setupstate.teardown_exact(tests[0])  # what the test before left for another
        following = [*tests[1:], items[0] if tests[-1] is not items[0] else items[-1]]
        if all(_passes(item, after) for item, after in zip(tests, following, strict=True)):
            code = SURVIVED
    finally:
        if copied:
            for end in ("", "-wal", "-shm"):
                Path(copied + end).unlink(missing_ok=True)
        os._exit(code)


def _own_database() -> str:
    settings = connections.settings["default"]
    if not settings["ENGINE"].endswith("sqlite3") or not Path(settings["NAME"]).exists():
        return ""  # the tests use none, or share one: then one job at a time
    copied = f"{settings['NAME']}-{os.getpid()}"
    shutil.copyfile(settings["NAME"], copied)
    settings["NAME"] = copied
    return copied
