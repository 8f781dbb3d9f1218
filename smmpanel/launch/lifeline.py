"""The lock that says "a launcher lives here".

The launcher holds it exclusively for as long as it lives; the system takes it away with the process, however that
ends, and (unlike flock's) such a lock is not handed on to the processes it forks. Each keeper waits for a shared hold
on it: getting it means that the launcher is gone. Keepers hold on until what they keep has ended, so a new launcher
waits for the last of them.

A process that holds the lock must not open the file a second time: closing that would drop the lock.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

STEP_SECONDS = 0.2


class Taken(Exception):
    """A launcher lives already; or what an earlier one ran does not end."""


def hold(path: Path, *, patience_seconds: float) -> int:
    """Take the lock for the rest of this process's life. Raises Taken: at once when another launcher lives."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up = time.monotonic() + patience_seconds
    while not _try(descriptor, fcntl.LOCK_EX):
        if not _try(descriptor, fcntl.LOCK_SH):
            owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise Taken(f"A panel already runs in {path.parent} (process {owner}).")
        fcntl.lockf(descriptor, fcntl.LOCK_UN)
        if time.monotonic() > give_up:
            raise Taken(f"What an earlier panel ran in {path.parent} has not ended yet: try again in a moment.")
        time.sleep(STEP_SECONDS)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
