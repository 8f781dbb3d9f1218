"""One upper panel for all tests of a process, since it takes seconds to start; a new panel below for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django import Settings

from providers.sandbox.server import Sandbox
from tests.chain.scene import Chain, a_chain
from tests.chain.upper import Upper, an_upper_panel
from tests.chain.wire import Wire

RUN_BY_UPPER = ["11"]  # its provider runs the drip-feeds of the others
LATE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Above:
    """Everything above the panel below."""

    sandbox: Sandbox
    upper: Upper
    wire: Wire


@pytest.fixture(scope="package")
def above(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Above]:
    folder: Path = tmp_path_factory.mktemp("upper")
    with (
        Sandbox(balance="1000", dialect="rich") as sandbox,
        an_upper_panel(folder, sandbox.url, sandbox.key, RUN_BY_UPPER) as upper,
        Wire(upper.url, late_seconds=LATE_SECONDS) as wire,
    ):
        yield Above(sandbox, upper, wire)


@pytest.fixture
def chain(above: Above, settings: Settings, transactional_db: None) -> Iterator[Chain]:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    settings.REDIS_URL = ""
    settings.API_RATE_LIMIT = settings.API_ORDER_LIMIT = 0
    above.wire.mend()
    yield a_chain(above.sandbox, above.upper, above.wire)
    above.wire.mend()
