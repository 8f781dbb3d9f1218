"""`python -m smmpanel.launch`: what `make run` runs once .venv is there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from types import FrameType

from honcho.environ import parse_procfile

from smmpanel import settings
from smmpanel.broker import embedded_url
from smmpanel.launch.crew import Crew
from smmpanel.launch.lifeline import Taken, hold
from smmpanel.launch.ports import PortTaken, check_free, lasting_port
from smmpanel.places import UnsafePlace

STOPPING_SECONDS = 16.0  # how long to wait for what an earlier panel in this folder still runs


def main() -> int:
    """Run the panel until it is told to stop; the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings.PLACES.make()
        hold(settings.PLACES.lock, patience_seconds=STOPPING_SECONDS)
        check_free(settings.HOST, settings.PORT)
    except (Taken, PortTaken, UnsafePlace) as problem:
        sys.exit(str(problem))
    environment = _environment()
    print("Preparing the database and the pages …", flush=True)  # noqa: T201
    prepare = [sys.executable, "-m", "smmpanel.launch.prepare"]
    prepared = subprocess.run(prepare, env=environment, cwd=settings.BASE_DIR)  # noqa: S603
    if prepared.returncode:
        return prepared.returncode
    return _run(environment)


def _run(environment: dict[str, str]) -> int:
    multiprocessing.set_start_method("fork")  # honcho's processes share the terminal and the queue of lines
    crew = Crew(settings.PLACES.lock)
    for name, command in parse_procfile((settings.BASE_DIR / "Procfile").read_text()).processes.items():
        if _wanted(name):
            crew.enlist(name, command, environment, settings.BASE_DIR)
    crew.loop()
    return crew.exit_code()


def _wanted(name: str) -> bool:
    if name == "valkey":
        return not _broker_given()
    return name != "sandbox" or settings.PANEL_DEMO


def _broker_given() -> bool:
    return bool(os.environ.get("REDIS_URL", "").strip())


def _environment() -> dict[str, str]:
    """What the processes get: ours, and what was decided here, so that all agree on it from the first moment."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "smmpanel.settings",
        "PANEL_DATA_DIR": str(settings.DATA_DIR),
        "PANEL_CURRENCY": settings.PANEL_CURRENCY,
    }
    if not _broker_given():
        environment["REDIS_URL"] = embedded_url(settings.PLACES)
    if settings.PANEL_DEMO:
        environment["SANDBOX_PORT"] = str(lasting_port(settings.PLACES.sandbox_port))
    return environment


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
