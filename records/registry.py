"""Which background jobs there are. Each room registers its own when ready; the schedule is made from this list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from records.turns import Turn


def _one_scope() -> Iterable[str]:
    return [""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of background work: what it does, how often, and in which parts that do not wait for each other.

    `run` does one turn and returns what it counted. `scopes` lists the parts (a provider's id, say), each with a lease,
    runs and failures of its own. `lease` is how long a dead worker may block the part; a living one renews it.
    """

    name: str
    run: Callable[[Turn], Mapping[str, int]]
    every: timedelta
    summary: str
    scopes: Callable[[], Iterable[str]] = _one_scope
    lease: timedelta = timedelta(minutes=2)


class UnknownJob(LookupError):
    """There is no job of this name; the message lists those there are."""


_jobs: dict[str, Job] = {}


def register(job: Job) -> None:
    """Add a job to the list; a name is taken once."""
    assert job.name not in _jobs or _jobs[job.name] == job, f"two jobs are called {job.name}"
    assert 0 < len(job.name) <= 40, "a job's name is 1 to 40 characters"
    _jobs[job.name] = job


def unregister(name: str) -> None:
    """Take a job off the list, for tests that bring their own."""
    _jobs.pop(name, None)


def all_jobs() -> list[Job]:
    """Every job, by name."""
    return [_jobs[name] for name in sorted(_jobs)]


def job_named(name: str) -> Job:
    """The job of this name; raises UnknownJob."""
    try:
        return _jobs[name]
    except KeyError:
        raise UnknownJob(f"There is no job called {name}. There are: {', '.join(sorted(_jobs))}.") from None
