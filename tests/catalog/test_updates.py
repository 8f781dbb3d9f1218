"""What customers are told of the catalogue: each way a service comes, goes or costs another price, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.migrations import Migration
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog import revisions, updates
from catalog.bulk import update_rows
from catalog.models import Category, Service, Update
from catalog.offers import services_on_sale
from catalog.prices import set_markup, set_price_by_hand
from catalog.shelves import confirm_back_on_sale, hide, publish, take_off_sale
from catalog.updates import prune_updates
from tests.catalog.builders import FOLLOWERS, OLGA, a_provider, import_, listing, sold

pytestmark = pytest.mark.django_db


def _told() -> Sequence[tuple[str, int | None, Decimal | None, Decimal | None]]:
    """And forgets it."""
    rows = Update.objects.order_by("pk").values_list("kind", "service_id", "rate_before", "rate_after")
    found = list(rows)
    Update.objects.all().delete()
    return found


def _service(**fields: object) -> Service:
    shelf, _ = Category.objects.get_or_create(name="Instagram")
    settled = {"type": "default", "rate": Decimal("0.90"), "min": 50, "max": 10_000, "visible": True, **fields}
    return Service.objects.create(category=shelf, name="Followers", **settled)


def test_an_import_that_publishes_is_told_service_by_service() -> None:
    provider = a_provider(exchange_rate="1")
    import_(provider, listing(1), listing(2), publish=True, markup=Decimal(0))
    first, second = sold(provider, "1"), sold(provider, "2")
    rate = Decimal("0.90")
    assert _told() == [("new", first.pk, None, rate), ("new", second.pk, None, rate)]


def test_what_is_imported_hidden_is_nobodys_news_until_it_is_published() -> None:
    provider = a_provider(exchange_rate="1")
    import_(provider, FOLLOWERS, markup=Decimal(0))
    assert _told() == []
    import_(provider, replace(FOLLOWERS, rate=Decimal("0.95"), description="Better"))
    assert _told() == []
    publish([sold(provider)], actor=OLGA)
    assert _told() == [("new", sold(provider).pk, None, Decimal("0.95"))]


def test_a_markup_tells_of_each_price_it_moved_and_of_no_other() -> None:
    provider = a_provider(exchange_rate="1")
    import_(provider, listing(1), listing(2), publish=True, markup=Decimal(0))
    one, other = sold(provider, "1"), sold(provider, "2")
    set_price_by_hand(other, other.rate, actor=OLGA)
    _told()
    set_markup(percent=Decimal(100), provider=provider, actor=OLGA)
    assert _told() == [("up", one.pk, Decimal("0.90"), Decimal("1.80"))]
    set_markup(percent=Decimal(50), provider=provider, actor=OLGA)
    assert _told() == [("down", one.pk, Decimal("1.80"), Decimal("1.35"))]


def test_what_the_provider_dropped_is_gone_and_comes_back_with_the_price_it_had() -> None:
    provider = a_provider(exchange_rate="1")
    others = [listing(number) for number in range(2, 5)]
    import_(provider, FOLLOWERS, *others, publish=True, markup=Decimal(0))
    service = sold(provider)
    _told()
    import_(provider, *others)
    assert Update.objects.get().name == service.name
    import_(provider, replace(FOLLOWERS, rate=Decimal("1.20")), *others)
    confirm_back_on_sale([sold(provider)], actor=OLGA)
    assert _told() == [
        ("gone", service.pk, Decimal("0.90"), None),
        ("back", service.pk, Decimal("0.90"), Decimal("1.20")),
    ]


def test_hidden_shown_taken_off_and_deleted_by_hand() -> None:
    service = _service()
    hide([service], actor=OLGA)
    publish([service], actor=OLGA)
    take_off_sale(service, actor=OLGA, reason="Slow")
    hide([service], actor=OLGA)  # it was off sale already
    number = service.pk
    service.delete()
    assert [kind for kind, *_ in _told()] == ["new", "gone", "back", "gone"]
    other = _service()
    other.delete()
    assert [kind for kind, *_ in _told()] == ["new", "gone"]
    assert number != other.pk or connection.vendor == "sqlite"


@pytest.mark.parametrize(
    "fields", [{"visible": False}, {"off_sale_reason": "Gone"}, {"type": "teleport"}, {"rate": Decimal(0)}]
)
def test_the_database_and_the_price_list_mean_the_same_by_on_sale(fields: dict[str, object]) -> None:
    service = _service(**fields)
    assert not services_on_sale().exists()
    assert _told() == []
    for name, value in {"visible": True, "off_sale_reason": "", "type": "default", "rate": Decimal(1)}.items():
        setattr(service, name, value)
    service.save()
    assert services_on_sale().exists()
    assert [kind for kind, *_ in _told()] == ["new"]


def test_other_changes_are_no_news() -> None:
    service = _service()
    _told()
    Service.objects.filter(pk=service.pk).update(description="Better", max=20_000, position=7, rate=service.rate)
    assert _told() == []


def test_news_is_taken_back_with_its_change() -> None:
    service = _service()
    _told()
    with transaction.atomic():
        Service.objects.update(rate=Decimal(2))
        assert Update.objects.count() == 1
        transaction.set_rollback(True)
    assert _told() == []
    assert Service.objects.get(pk=service.pk).rate == Decimal("0.90")


def test_thousands_repriced_cost_no_statement_more(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    rows = [_service() for _ in range(50)]
    _told()
    for row in rows:
        row.rate = Decimal(3)
    with django_assert_num_queries(1):
        update_rows(rows, ["rate"])
    assert len(_told()) == 50


def test_old_news_is_forgotten(settings: pytest.FixtureRequest) -> None:
    _service()
    Update.objects.update(at=timezone.now() - timedelta(days=100))
    _service()
    assert prune_updates() == 1
    assert Update.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases change a table in place")
@pytest.mark.django_db(transaction=True)
def test_a_table_that_a_migration_rebuilds_has_its_triggers_again() -> None:
    """SQLite rebuilds a table by a rename, which fails while a trigger of another table names it."""
    catalog = apps.get_app_config("catalog")
    updates.step_aside_for_rebuild(catalog, plan=[(Migration("0099_any", "catalog"), False)])
    with connection.schema_editor() as editor:
        editor._remake_table(Category)  # type: ignore[attr-defined] # what every change of a field comes to
        editor._remake_table(Service)  # type: ignore[attr-defined]
    revisions.install_after_migrate(catalog)
    updates.install_after_migrate(catalog)
    _service()
    assert [kind for kind, *_ in _told()] == ["new"]
