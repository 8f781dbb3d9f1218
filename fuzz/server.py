"""The panel's own web server, as production runs it, on a free port of this machine alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 15.0


@contextmanager
def running(surroundings: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Its address; whatever happens, the server and its workers are gone afterwards."""
    port = _free_port()
    environment = {**surroundings, "HOST": "127.0.0.1", "PORT": str(port), "WEB_PROCESSES": "1"}
    command = [sys.executable, "-m", "gunicorn", "-c", "python:fuzz.serving", "smmpanel.wsgi"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _await(server, f"{address}/healthz")
            yield address
        finally:
            _stop(server)


def _await(server: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            raise SystemExit(f"The server ended with {server.returncode}: see above.")
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=2):  # noqa: S310
            return
        time.sleep(0.1)
    raise SystemExit(f"The server did not answer within {START_SECONDS:.0f} seconds.")


def _stop(server: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
