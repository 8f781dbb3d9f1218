"""Many rows updated by one statement: every kind of column arrives as it was, and nothing else is touched."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalog.bulk import update_rows
from catalog.models import Category, ProviderService, Service
from tests.catalog.builders import a_provider, import_, listing

pytestmark = pytest.mark.django_db
ODD = "'; DROP TABLE x; -- %s \"quoted\" \\ 👨‍👩‍👧‍👦 Ёлка\nline"


def test_every_kind_of_value_is_written_exactly() -> None:
    provider = a_provider()
    import_(provider, *[listing(number) for number in range(5)])
    rows = list(Service.objects.order_by("pk")[:2])
    shelf = Category.objects.create(name="Other shelf")
    for row in rows:
        row.name, row.description, row.rate, row.refill_days = ODD, "", Decimal("8123456.123456"), None
        row.visible, row.max, row.category = True, 2**62, shelf
    update_rows(rows, ["name", "description", "rate", "refill_days", "visible", "max", "category"])
    for row in Service.objects.filter(pk__in=[row.pk for row in rows]):
        assert (row.name, row.description, row.rate) == (ODD, "", Decimal("8123456.123456"))
        assert (row.refill_days, row.visible, row.max, row.category) == (None, True, 2**62, shelf)
    assert Service.objects.filter(name=ODD).count() == 2
    assert Service.objects.filter(rate=Decimal("1.08"), visible=False).count() == 3


def test_moments_survive_to_the_microsecond() -> None:
    provider = a_provider()
    import_(provider, listing(1))
    row, moment = ProviderService.objects.get(), datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    row.gone_at = moment
    update_rows([row], ["gone_at"])
    assert ProviderService.objects.get(gone_at=moment).gone_at == moment
    row.gone_at = None
    update_rows([row], ["gone_at"])
    assert ProviderService.objects.get().gone_at is None


def test_a_statement_a_two_thousand_rows(django_assert_num_queries: object) -> None:
    provider = a_provider()
    import_(provider, *[listing(number) for number in range(2001)])
    rows = list(Service.objects.all())
    with django_assert_num_queries(2):  # type: ignore[operator]
        update_rows(rows, ["rate"])
    with django_assert_num_queries(0):  # type: ignore[operator]
        update_rows([], ["rate"])
