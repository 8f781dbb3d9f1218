"""What is on sale, and how it is found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Category, Service
from catalog.offers import services_on_sale, why_not_orderable
from tests.catalog.builders import names

pytestmark = pytest.mark.django_db


def a_service(name: str, category: str = "Shelf", **fields: Any) -> Service:
    shelf, _ = Category.objects.get_or_create(name=category)
    values: dict[str, Any] = {"type": "default", "rate": Decimal(1), "visible": True, **fields}
    return Service.objects.create(name=name, category=shelf, **values)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"visible": False}, "This service is not on sale."),
        ({"off_sale_reason": "The provider does not list it."}, "This service is not on sale at the moment."),
        ({"type": "Telepathy"}, "This service is of a type that cannot be ordered here."),
        ({"rate": Decimal(0)}, "This service has no price yet."),
    ],
)
def test_why_a_service_cannot_be_ordered(fields: dict[str, Any], why: str | None) -> None:
    service = a_service("Views", **fields)
    assert why_not_orderable(service) == why
    assert services_on_sale().exists() == (why is None)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["Telegram Подписчики [Быстрые]", "Instagram 𝐎𝐫𝐠𝐚𝐧𝐢𝐜 Likes", "100% Real_views Ёлка"]),
        ("подписчики", ["Telegram Подписчики [Быстрые]"]),
        ("ПОДПИСЧИКИ telegram", ["Telegram Подписчики [Быстрые]"]),
        ("быстр подпис", ["Telegram Подписчики [Быстрые]"]),
        ("organic", ["Instagram 𝐎𝐫𝐠𝐚𝐧𝐢𝐜 Likes"]),
        ("LIKES сердца", ["Instagram 𝐎𝐫𝐠𝐚𝐧𝐢𝐜 Likes"]),  # one word of the name, one of the category
        ("елка", ["100% Real_views Ёлка"]),
        ("100%", ["100% Real_views Ёлка"]),
        ("re%views", []),  # no wildcards
        ("r_al", []),
        ("nothing of the kind", []),
        ("a\x00b", []),
        ("9" * 5000, []),
    ],
)
def test_search(search: str, found: list[str]) -> None:
    a_service("Telegram Подписчики [Быстрые]")
    a_service("Instagram 𝐎𝐫𝐠𝐚𝐧𝐢𝐜 Likes", "Сердца")
    a_service("100% Real_views Ёлка")
    assert sorted(names(services_on_sale(search=search))) == sorted(found)


def test_search_by_id() -> None:
    first, second = a_service("Views"), a_service("Likes")
    assert list(services_on_sale(search=str(second.pk))) == [second]
    assert list(services_on_sale(search=f"#{first.pk} views")) == [first]


def test_a_shelf_in_the_order_of_the_shelves() -> None:
    second, first = Category.objects.create(name="B", position=2), Category.objects.create(name="A", position=1)
    for name, shelf, position in (("three", second, 0), ("two", first, 5), ("one", first, 1)):
        a_service(name, shelf.name, position=position)
    assert names(services_on_sale()) == ["one", "two", "three"]
    assert names(services_on_sale(category=second)) == ["three"]


def test_a_renamed_service_is_found_by_its_new_name() -> None:
    service = a_service("Views")
    service.name = "Просмотры"
    service.save(update_fields=["name"])
    assert list(services_on_sale(search="просмотры")) == [service]
    assert not services_on_sale(search="views").exists()


def test_a_search_is_one_statement(django_assert_num_queries: object) -> None:
    a_service("Views")
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert [service.category.name for service in services_on_sale(search="vie")] == ["Shelf"]
