"""What every room's tests need of the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import TransactionTestCase

from ledger.guards import expected_guards, install_guards


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_ledgers_guards() -> Iterator[None]:
    """A transactional test ends in a flush, which the ledger's triggers refuse: here they step aside for just that."""
    flush = TransactionTestCase.__dict__["_fixture_teardown"]

    def flush_without_guards(self: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            for guard in expected_guards():
                on = f" ON {guard.table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}{on}")
        flush(self)
        install_guards()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_without_guards)
        yield
