"""What every test of providers starts from: loopback allowed, no counts and no connections of another test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from providers.client import limits
from providers.client.sessions import sessions


@pytest.fixture
def loopback(settings: Any) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1", "localhost", "::1"]


@pytest.fixture(autouse=True)
def _alone(settings: Any) -> Iterator[None]:
    settings.REDIS_URL = ""
    limits.start_anew()
    yield
    sessions.close()
    limits.start_anew()
