"""Imports of long catalogues: a few statements a thousand services, and none at all when nothing changed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Service
from tests.catalog.builders import a_provider, import_, listing

pytestmark = pytest.mark.django_db
SERVICES = 10_000
MOST_PER_THOUSAND = 60  # SQLite takes 999 parameters a statement: a service has 28 columns
WRITES = ("INSERT", "UPDATE", "DELETE")


def writes(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"][:200] for query in queries if query["sql"].startswith(WRITES)]


def test_ten_thousand_services_are_imported_in_few_statements_and_again_in_none() -> None:
    provider = a_provider()
    many = [listing(number, category=f"Shelf {number % 90}") for number in range(SERVICES)]
    with CaptureQueriesContext(connection) as first:
        import_(provider, *many, markup=Decimal(25), publish=True)
    assert Service.objects.count() == SERVICES
    assert len(first) <= MOST_PER_THOUSAND * SERVICES / 1000 + 30
    with CaptureQueriesContext(connection) as second:
        result = import_(provider, *many, markup=Decimal(25), publish=True)
    assert result.counts()["unchanged"] == SERVICES
    assert writes(second) == []
    assert len(second) < 25


def test_only_the_services_that_changed_are_written() -> None:
    provider = a_provider()
    many = [listing(number) for number in range(1000)]
    import_(provider, *many)
    with CaptureQueriesContext(connection) as queries:
        import_(provider, replace(many[0], rate=Decimal(1)), *many[1:])
    # the snapshot, the price, its history, and the audit trail
    assert len(writes(queries)) == 4
