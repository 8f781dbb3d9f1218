"""A job's turn while it runs: may it go on, and what has it counted; and the stop that ends every turn of a process.

A turn ends when the worker is stopping, when its time is over (so that messages stay short and other scopes get their
share), or when its lease was lost (then somebody else may be at the same work already).
"""

from __future__ import annotations

import mmap
import time
from collections import Counter
from datetime import timedelta
from threading import Lock

from records import leases

STEP_SECONDS = 0.2  # how soon a resting turn notices the stop

# One byte that a worker's main process shares with the pool processes it forks: the signal to stop reaches only the
# main process, while turns run in the others. A threading.Event would be a copy of its own in each of them.
_stopping = mmap.mmap(-1, 1)


def stop_working() -> None:
    """End the turns of this process and of those forked from it: they claim nothing more. Safe in a signal handler."""
    _stopping[0] = 1


def resume_working() -> None:
    """Take `stop_working` back: a process that begins to work, or a test that is over."""
    _stopping[0] = 0


def is_stopping() -> bool:
    """Whether this process was asked to stop working."""
    return bool(_stopping[0])


class Turn:
    """One turn of a job at one scope. `should_stop` belongs into every loop; it also keeps the lease. Thread-safe.

    Call `should_stop` and `extend` outside of transactions: inside, the renewal would show only after the commit.
    """

    def __init__(self, *, scope: str, lease: str, holder: str, lease_for: timedelta, budget: timedelta | None) -> None:
        self.scope = scope
        self.counts: Counter[str] = Counter()
        self.lost = False
        self.out_of_time = False
        self._lease, self._holder, self._lease_for = lease, holder, lease_for
        self._lock = Lock()
        self._renewed = time.monotonic()
        self._end = None if budget is None else self._renewed + budget.total_seconds()

    def should_stop(self) -> bool:
        """Whether to claim nothing more and return: the worker stops, the time is over, or the lease is lost."""
        if self.lost or is_stopping():
            return True
        if self._end is not None and time.monotonic() >= self._end:
            self.out_of_time = True  # there may be work left: the job runs again soon
            return True
        if time.monotonic() - self._renewed > self._lease_for.total_seconds() / 3:
            return not self.extend()
        return False

    def extend(self) -> bool:
        """Renew the lease now, before something that takes long; False when it is lost."""
        with self._lock:
            asked = time.monotonic()
            if not self.lost and leases.renew(self._lease, self._holder, self._lease_for):
                self._renewed = asked
            else:
                self.lost = True
            return not self.lost

    def count(self, name: str, by: int = 1) -> None:
        """Count something done; kept also when the turn fails later. What `run` returns is added to it."""
        with self._lock:
            self.counts[name] += by

    def rest(self, seconds: float) -> bool:
        """Wait, but not beyond a reason to stop; whether to go on."""
        until = time.monotonic() + seconds
        while not self.should_stop():
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(STEP_SECONDS, left))
        return False
