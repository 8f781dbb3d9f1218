"""The processes of a panel, run together by honcho, with three promises honcho does not make.

They stop in order (the broker last, so that a worker can say goodbye to it), they are gone within STOP_SECONDS even
when one does not listen, and each runs under a keeper, so that none outlives the launcher.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from honcho.manager import Manager
from honcho.printer import Message, Printer

KEEPER = Path(__file__).with_name("keeper.py")
STOP_SECONDS = 12.0  # until what still runs is killed; 15 are promised
STEP_SECONDS = 0.1
LAST = "valkey"  # the others talk to it until they end
ERRAND = "ready"  # ends when its work is done, and then nothing is wrong


class Output(Printer):  # type: ignore[misc]
    """Honcho's lines; what the errand says stands alone, for people and scripts to find."""

    def write(self, message: Message) -> None:
        self.prefix = message.name != ERRAND
        super().write(message)


class Crew(Manager):  # type: ignore[misc]
    """Honcho's manager. `loop` runs until all have ended; `exit_code` is for sys.exit then."""

    def __init__(self, lock: Path) -> None:
        super().__init__(Output(sys.stdout))
        self._lock = lock
        self._parent = os.getppid()
        self._asked: set[str] = set()

    def enlist(self, name: str, command: str, environment: dict[str, str], folder: Path) -> None:
        """Add a process by its line in the Procfile."""
        kept = shlex.join([sys.executable, "-S", str(KEEPER), str(self._lock), "/bin/sh", "-c", f"exec {command}"])
        self.add_process(name, f"exec {kept}", env=environment, cwd=str(folder))

    def exit_code(self) -> int:
        """After the loop: the signal's, else that of the process that failed; never 0: a panel does not just end."""
        failed = (code for code in (process.get("returncode") for process in self._processes.values()) if code)
        return int(self.returncode or next(failed, 1)) % 256

    def terminate(self) -> None:
        """Begin to stop. The watching thread does it: honcho calls this in a signal handler and from its loop."""
        self._terminating = True

    def kill(self) -> None:
        """Honcho's own deadline, which is shorter than ours."""

    def _start(self) -> None:
        super()._start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._terminating:
            if os.getppid() != self._parent:
                self.returncode = 1
                self.terminate()  # whoever started us is gone, and with it whoever would stop us
            time.sleep(STEP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        while self._running() and time.monotonic() < deadline:
            others = self._running() - {LAST}
            for name in (others or {LAST}) - self._asked:
                self._signal(name, signal.SIGTERM)
            time.sleep(STEP_SECONDS)
        for name in self._running():
            self._signal(name, signal.SIGKILL)
        time.sleep(2.0)
        os._exit(self.returncode or 1)  # a process that even SIGKILL does not end must not keep us

    def _running(self) -> set[str]:
        return {name for name, process in self._processes.items() if process.get("returncode") is None}

    def _signal(self, name: str, number: signal.Signals) -> None:
        """Once each: a second SIGTERM would mean "now" to some. One that has not told its id yet gets it later."""
        process: dict[str, Any] = self._processes[name]
        if "pid" not in process:
            return
        self._asked.add(name)
        with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
            os.killpg(process["pid"], number)

    def _any_stopped(self) -> bool:
        """Whether one ended that should not have; honcho stops the others then, and somebody should know why."""
        ended = next((name for name, process in self._processes.items() if _ended_early(name, process)), None)
        if ended is not None and not self._terminating:
            self._system_print(f"{ended} ended by itself, so the panel stops. make run goes on where it stopped.\n")
        return ended is not None


def _ended_early(name: str, process: dict[str, Any]) -> bool:
    return process.get("returncode") is not None and not (name == ERRAND and process["returncode"] == 0)
