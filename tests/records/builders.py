"""Jobs for tests: registered for as long as a test runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from records.registry import Job, register, unregister
from records.turns import Turn

MINUTE = timedelta(minutes=1)


def nothing(turn: Turn) -> Mapping[str, int]:
    """A turn that finds nothing to do."""
    return {}


@contextmanager
def a_job(
    run: Callable[[Turn], Mapping[str, int]] = nothing,
    *,
    name: str = "count_stock",
    every: timedelta = MINUTE,
    lease: timedelta = MINUTE,
    scopes: tuple[str, ...] = ("",),
) -> Iterator[Job]:
    """A registered job; it is forgotten at the end."""
    job = Job(name=name, run=run, every=every, lease=lease, scopes=lambda: scopes, summary="Counts the stock.")
    register(job)
    try:
        yield job
    finally:
        unregister(name)
