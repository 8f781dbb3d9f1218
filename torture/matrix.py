"""Many runs side by side, each in a process of its own, forked from this one, where everything is loaded already."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from torture.faults import FAULTS
from torture.plan import Plan, plan
from torture.points import POINTS
from torture.results import Result
from torture.running import in_a_process, run_one
from torture.world import Databases

RUN_SECONDS = 90.0  # a run that takes longer has hung: it is ended and told


@dataclass(slots=True)
class _Running:
    plan: Plan
    process: int
    name: str
    until: float
    text: bytearray = field(default_factory=bytearray)


def cells(points: list[str], faults: list[str], seeds: range) -> Iterator[Plan]:
    """Every point with every fault for one seed, then for the next; shuffled, so that a slice of it is a fair one."""
    for seed in seeds:
        pairs = [(point, fault) for point in points for fault in faults]
        Random(seed).shuffle(pairs)  # noqa: S311 - repeatable on purpose
        for point, fault in pairs:
            yield plan(point, fault, seed)


def every_point() -> list[str]:
    return list(POINTS)


def core_points() -> list[str]:
    return [name for name, point in POINTS.items() if point.core]


def every_fault() -> list[str]:
    return list(FAULTS)


def warm_up(databases: Databases) -> None:
    """One run in this process, so that those forked from it find everything imported."""
    databases.make_template()
    run_one(plan("deposit:posted", "none", 0), databases, "warm-up")
    deadline = time.monotonic() + 5
    while threading.active_count() > 1:  # a thread's locks would be copied by a fork, and the thread would not
        assert time.monotonic() < deadline, f"threads that do not end: {threading.enumerate()}"
        time.sleep(0.01)
    gc.collect()
    gc.freeze()


class Matrix:
    """Runs plans, `jobs` at once, and hands each result on as it comes."""

    def __init__(self, databases: Databases, *, jobs: int, tell: Callable[[Result], None]) -> None:
        self._databases, self._jobs, self._tell = databases, jobs, tell
        self._running: dict[int, _Running] = {}
        self._pipes = selectors.DefaultSelector()
        self._number = 0

    def run(self, plans: Iterator[Plan], *, until: float | None = None) -> None:
        """All of them, or as many as begin before `until` (monotonic)."""
        waiting = next(plans, None)
        try:
            while self._running or waiting is not None:
                while waiting is not None and len(self._running) < self._jobs:
                    if until is not None and time.monotonic() >= until:
                        waiting = None
                        break
                    self._begin(waiting)
                    waiting = next(plans, None)
                self._wait()
        finally:
            for running in list(self._running.values()):
                self._end(running)

    def _begin(self, plan: Plan) -> None:
        self._number += 1
        name = f"run{self._number}"
        process, pipe = in_a_process(plan, self._databases, name)
        with contextlib.suppress(OSError):
            os.setpgid(process, process)
        self._running[pipe] = _Running(plan, process, name, time.monotonic() + RUN_SECONDS)
        self._pipes.register(pipe, selectors.EVENT_READ)

    def _wait(self) -> None:
        for key, _ in self._pipes.select(timeout=1.0):
            pipe = key.fd
            piece = os.read(pipe, 65536)
            if piece:
                self._running[pipe].text += piece
                continue
            running = self._forget(pipe)
            os.waitpid(running.process, 0)
            self._tell(self._result(running, "the run's process ended without a word"))
        for pipe, running in list(self._running.items()):
            if time.monotonic() >= running.until:
                self._forget(pipe)
                self._end(running)
                self._tell(self._result(running, f"the run took longer than {RUN_SECONDS:.0f} seconds"))

    def _forget(self, pipe: int) -> _Running:
        self._pipes.unregister(pipe)
        os.close(pipe)
        return self._running.pop(pipe)

    def _end(self, running: _Running) -> None:
        """End the run's process and its victim."""
        with contextlib.suppress(OSError):
            os.killpg(running.process, signal.SIGKILL)
            os.waitpid(running.process, 0)

    def _result(self, running: _Running, otherwise: str) -> Result:
        with contextlib.suppress(ValueError):
            result: Result = json.loads(running.text)
            return result | {"name": running.name}
        return {
            "point": running.plan.point,
            "fault": running.plan.fault,
            "seed": running.plan.seed,
            "killed": False,
            "counts": {"failures": 1},
            "violations": [f"failures: {otherwise}"],
            "seconds": RUN_SECONDS,
            "processor_seconds": RUN_SECONDS,
            "name": running.name,
        }


def save_evidence(databases: Databases, result: Result, to: Path) -> None:
    """Move a failed run's database and journal to where they stay."""
    place = to / f"{result['point']}-{result['fault']}-{result['seed']}".replace(":", "-")
    place.mkdir(parents=True, exist_ok=True)
    for file in databases.folder.glob(f"{result['name']}.*"):
        shutil.move(file, place / file.name.partition(".")[2])
