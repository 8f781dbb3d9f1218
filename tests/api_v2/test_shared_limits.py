"""Limits count for all web processes together, and a broker that hangs costs a moment once, not at every call."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from redis import Redis

from accounts import calls
from accounts.calls import last_calls
from tests.api_v2.builders import Reseller, answer
from tests.providers.test_limits import valkey

__all__ = ["valkey"]
ROOT = Path(__file__).resolve().parents[2]
TOO_MANY = {"error": "Too many requests"}


@pytest.mark.django_db
def test_what_another_process_counted_counts_here(
    rita: Reseller, settings: Settings, valkey: str, tmp_path: Path
) -> None:
    settings.REDIS_URL, settings.API_RATE_LIMIT = valkey, 3
    name = f"reads:{rita.customer.api_keys.get().pk}"
    response: Any = None
    minute = -1.0
    while minute != time.time() // 60:  # a window is a minute of the clock: both must count in one
        Redis.from_url(valkey).flushall()
        minute = time.time() // 60
        assert _counted_elsewhere(name, valkey, tmp_path) == "[None, None, None]"
        response = rita.raw("balance")
    assert answer(response) == TOO_MANY
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    settings.API_RATE_LIMIT = 600
    assert "balance" in rita.call("balance")


def _counted_elsewhere(name: str, redis_url: str, folder: Path) -> str:
    script = f"""
        import django
        django.setup()
        from api.counting import seconds_to_wait
        print([seconds_to_wait({name!r}, a_minute=3) for _ in range(3)])
    """
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings", "REDIS_URL": redis_url, "PANEL_DATA_DIR": str(folder),
    }  # fmt: skip
    command = [sys.executable, "-c", textwrap.dedent(script)]
    said = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=60)
    return said.stdout.strip()


@pytest.fixture
def hanging() -> Iterator[socket.socket]:
    """Something that takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(0.05)
        yield listening


@pytest.mark.django_db
def test_a_broker_that_hangs_costs_a_moment_once(rita: Reseller, settings: Settings, hanging: socket.socket) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{hanging.getsockname()[1]}/0"
    settings.API_LIMITS_REDIS_TIMEOUT_SECONDS, settings.API_RATE_LIMIT = 0.1, 4
    calls._redis.cache_clear()
    answers = [rita.call("balance") for _ in range(5)]
    assert ["balance" in each for each in answers] == [True] * 4 + [False]  # this process counts for itself
    assert _connections(hanging) <= 4  # of the first call: its limits and its log
    assert [call.action for call in last_calls(rita.customer)] == ["balance"] * 5


def _connections(listening: socket.socket) -> int:
    taken = 0
    with suppress(TimeoutError):
        while True:
            listening.accept()[0].close()
            taken += 1
    return taken
