"""What the tests of callbacks share: loopback may be a receiver and a provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.models import Customer
from tests.callbacks.builders import Receiver
from tests.orders.builders import a_customer
from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]


@pytest.fixture(autouse=True)
def _loopback_may_be_told(settings: Settings) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    settings.CALLBACK_PRIVATE_HOSTS = ["127.0.0.1"]
    settings.CALLBACK_DEADLINE_SECONDS = 1.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def alice(db: None) -> Customer:
    return a_customer("100")
