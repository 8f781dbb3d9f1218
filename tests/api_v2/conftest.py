"""What the tests of the API share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts import calls
from api import counting, price_list
from tests.api_v2.builders import Reseller, a_reseller
from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]


@pytest.fixture(autouse=True)
def _counts_begin_anew(settings: Settings) -> Iterator[None]:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    settings.REDIS_URL = ""
    for module in (counting, price_list, calls):
        module.start_anew()
    yield
    for module in (counting, price_list, calls):
        module.start_anew()


@pytest.fixture
def rita(db: None) -> Reseller:
    """A reseller with 100.00 USD."""
    return a_reseller()
