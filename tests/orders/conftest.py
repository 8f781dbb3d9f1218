"""What the tests of orders share: the sandbox may be reached, and nothing is hinted to a broker."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]


@pytest.fixture(autouse=True)
def _loopback_is_a_provider(settings: Settings) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
