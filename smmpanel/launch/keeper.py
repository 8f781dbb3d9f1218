"""Runs one command, and ends it with all its children when the launcher is gone.

    python keeper.py LOCK COMMAND…

Started by the launcher as the leader of a process group of its own, in which the command and its children stay. The
launcher stops the whole group by a signal, which the keeper outlives, so that it can pass on the command's exit code.
When the launcher dies, even by SIGKILL, the keeper asks the group to stop and, after a while, kills it. Should the
keeper itself be killed, Linux ends the command with it. Standard library alone, since six of these start at once.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

GRACE_SECONDS = 9.0
PR_SET_PDEATHSIG = 1


def main(lock: str, command: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _outlive)  # a handler, not SIG_IGN: that would be inherited
    child = subprocess.Popen(command, preexec_fn=_end_with_parent())  # noqa: S603, PLW1509 - no thread runs yet
    orphaned = threading.Event()
    threading.Thread(target=_end_with_launcher, args=(lock, orphaned), daemon=True).start()
    code = child.wait()
    os.killpg(0, signal.SIGTERM)  # what the command left behind: the workers of a killed gunicorn, say
    if orphaned.is_set():
        time.sleep(1.0)
        os.killpg(0, signal.SIGKILL)
    return 128 - code if code < 0 else code


def _outlive(_number: int, _frame: FrameType | None) -> None:
    """The signal was for the whole group; the command has it too, and this process waits for it."""


def _end_with_launcher(lock: str, orphaned: threading.Event) -> None:
    held = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    # Granted when the launcher is gone (see lifeline.py); a new one waits for us from now on.
    fcntl.lockf(held, fcntl.LOCK_SH)
    orphaned.set()
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)
    os.close(held)


def _end_with_parent() -> Callable[[], object] | None:
    """On Linux, what makes the command die with the keeper. Elsewhere nothing does, and the launcher's death counts."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
