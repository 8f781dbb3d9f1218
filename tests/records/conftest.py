from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from records import hints
from records.turns import resume_working


@pytest.fixture(autouse=True)
def _work_goes_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test inherits the stop or the silence of another."""
    monkeypatch.setattr(hints, "_silent_until", 0.0)
    yield
    resume_working()


@pytest.fixture
def postgres(transactional_db: None) -> None:
    """Real rivals on real rows; SQLite has one writer and nothing to race for."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: races between real connections")
