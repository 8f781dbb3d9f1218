"""The fixture `sandbox`: a provider of the test's own, with its clock standing still. Imported into conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Holds 1000 USD and its own catalogue; `sandbox.advance(60)` lets a minute pass."""
    with Sandbox(balance="1000") as running:
        yield running
