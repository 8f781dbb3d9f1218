"""The sandbox as a process of its own, which a test can kill and start again on the same state."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from providers.sandbox.journal import Journal, read_journal
from providers.sandbox.server import KEY

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
WAIT_SECONDS = 30


class SandboxProcess:
    """`manage.py sandbox_provider` on a free port, with state and journal in a folder. Its clock stands still."""

    def __init__(self, folder: Path, *options: str, speed: float = 0) -> None:
        self.state, self.journal_file = folder / "sandbox.sqlite3", folder / "sandbox.jsonl"
        self._environment = os.environ | {"PANEL_DATA_DIR": str(folder)}
        files = ("--state", str(self.state), "--journal", str(self.journal_file))
        self._options = (*files, "--speed", str(speed), *options)
        self.key = KEY
        self.port = 0
        self.url = ""

    def start(self) -> Self:
        command = [sys.executable, str(MANAGE), "sandbox_provider", "--port", str(self.port), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self._environment)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.fullmatch(r"Sandbox provider listens: (http://127\.0\.0\.1:([0-9]+)/api/v2) \(key .+\)\n", line)
        assert found, f"it did not start: {line!r}"
        self.url, self.port = found[1], int(found[2])
        return self

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(WAIT_SECONDS)
        if self._process.stdout:
            self._process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    @property
    def journal(self) -> Journal:
        return read_journal(self.journal_file)

    def ask(self, action: str, **fields: object) -> Any:
        data = {"key": self.key, "action": action, **{name: str(value) for name, value in fields.items()}}
        return requests.post(self.url, data=data, timeout=WAIT_SECONDS).json()

    def steer(self, what: str, **body: object) -> Any:
        """POST to the control address: steer("clock", advance=60), steer("faults", faults=["add=http:503x1"])."""
        answer = requests.post(f"http://127.0.0.1:{self.port}/sandbox/{what}", json=body, timeout=WAIT_SECONDS)
        assert answer.ok, answer.text
        return answer.json()
