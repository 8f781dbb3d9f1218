"""A panel really started, in a folder and at a port of its own, to see how it stops."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 40.0
GONE_SECONDS = 15.0


def clean_environment(**settings: str) -> dict[str, str]:
    """What a user's shell would have, with these settings alone."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PANEL_ENV_FILE": "", "PYTHONUNBUFFERED": "1", **settings}


def manage(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """One command of manage.py as somebody types it."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Panel:
    """A launcher, without demo, in a process group of its own as a shell would give it."""

    def __init__(self, folder: Path, port: int, **settings: str) -> None:
        self.folder, self.port = folder, port
        self.log = folder.with_name(f"{folder.name} at {port}.log")
        with open(self.log, "w") as output:
            self.launcher = subprocess.Popen(
                [sys.executable, "-m", "smmpanel.launch"],
                cwd=ROOT,
                env=clean_environment(PANEL_DATA_DIR=str(folder), PORT=str(port), PANEL_DEMO="0", **settings),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text()

    def wait_until_ready(self) -> None:
        within(PATIENCE_SECONDS, lambda: "Ready: " in self.output() or self.launcher.poll() is not None)
        assert f"Ready: http://127.0.0.1:{self.port}\n" in self.output(), self.output()

    def processes(self) -> set[int]:
        """Every living process with this folder in its environment, or at work in it (Valkey overwrites the former)."""
        mark = f"PANEL_DATA_DIR={self.folder}\0".encode()
        return {
            pid
            for pid in _all_processes()
            if mark in _environment_of(pid) or str(self.folder) in link_of(f"/proc/{pid}/cwd")
        }

    def commands(self) -> str:
        return "\n".join(_command_of(pid) for pid in self.processes())

    def assert_nothing_is_left(self) -> None:
        self.launcher.poll()
        within(GONE_SECONDS, lambda: not self.processes())
        assert not self.processes(), f"{self.commands()}\n{self.output()}"

    def kill(self) -> None:
        """Clean up after a test that failed."""
        for pid in {self.launcher.pid, *self.processes()}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.launcher.wait()


def within(seconds: float, holds: Callable[[], bool]) -> None:
    """Wait until it holds, at most so long."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)


def _all_processes() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]


def _environment_of(pid: int) -> bytes:
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return b""
        return Path(f"/proc/{pid}/environ").read_bytes() + b"\0"
    except OSError:
        return b""


def link_of(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
