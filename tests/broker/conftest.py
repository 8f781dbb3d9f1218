"""A broker and processes that are gone after the test, and a panel in this process that hints through that broker."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery
from kombu.transport.redis import Channel
from pytest_django import Settings

from records import hints, tasks
from smmpanel.broker import Broker as Address
from tests.broker.processes import Broker, Processes
from tests.broker.scaled import deliver
from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short path: a socket lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="panel-broker-", dir="/tmp"))  # noqa: S108 - pytest's own are too long
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def broker(place: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Broker]:
    """Runs, and this process hints to it as a web process does."""
    server = Broker(place).start()
    app = Celery("web_of_a_test", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.update(broker_url=Address(server.url).celery_url)
    monkeypatch.setattr(tasks, "current_app", app)
    monkeypatch.setattr(hints, "_silent_until", 0.0)
    settings.HINT_SILENCE_SECONDS = 1.0
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    yield server
    app.close()
    server.end()


@pytest.fixture
def processes(
    place: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Callable[[int], Processes]]:
    """`processes(3)` delivers every message three times."""
    made: list[Processes] = []

    def make(deliveries: int = 1) -> Processes:
        monkeypatch.setattr(Channel, "_put", deliver(deliveries))
        made.append(Processes(place, broker, deliveries=deliveries))
        return made[-1]

    yield make
    for each in made:
        each.end()
