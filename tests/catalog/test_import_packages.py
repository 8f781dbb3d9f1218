"""Packages whose price for a unit is out of line with their category: not sold before somebody looks."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from catalog.importing import plan_import
from catalog.importing.packages import package_doubts, units_named
from catalog.offers import services_on_sale, why_not_orderable
from catalog.shelves import confirm_back_on_sale, publish
from providers.models import Provider
from providers.outcomes import Listings, ServiceListing
from records.models import AttentionItem
from tests.catalog.builders import OLGA, PACKAGE, a_provider, import_, listing, sold

SETTING = "check the provider's setting “package rate unit”."


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("1000 Followers", 1000), ("10k likes", 10_000), ("5 000 просмотров", 5000), ("1.5K", 1500),
        ("2M views", 2_000_000), ("1,000 Likes", 1000), ("1.000 Likes", 1000), ("1,5k", 1500),
        ("2 500 000", 2_500_000), ("1\u00a0000 likes", 1000), ("Starter package (500)", 500), ("Package of 10", 10),
        ("10 тыс. подписчиков", 10_000), ("1 млн", 1_000_000), ("10К", 10_000), ("10 K", 10_000),
        ("𝟏𝟎𝐊 likes", 10_000), ("1000x Followers", 1000), ("Likes - 1000", 1000), ("1000 - Likes", 1000),
        ("1000 followers + 50 likes", 1000), ("Pack 3: 500 Likes", 500), ("[100] Likes", 100),
        ("1000 Followers R30", 1000), ("1000 likes | 30 days refill", 1000), ("1000 likes ♻️ 365", 1000),
        ("500 Likes · 24/7", 500), ("500 likes 1000/day", 500), ("500 likes, 10k per day", 500),
        ("500, refill: 1000", 500), ("500 likes, speed 5k-10k", 500), ("500 likes 100% real", 500),
        ("Top 100 package", None), ("500 · 1000 в день", 500), ("Starter package", None), ("R30 package", None),
        ("", None), ("30 days", None), ("24/7", None), ("50-100", None), ("3 months", None), ("likes #5000", None),
        ("0 likes", None), ("1.555k", 1_555_000), ("9" * 40, None), ("9999999999 likes", None), ("1.25", None),
        ("v2.10.3", None),
    ],
)  # fmt: skip
def test_how_many_units_a_name_promises(name: str, units: int | None) -> None:
    assert units_named(name) == units


@given(st.one_of(st.text(), st.text(alphabet="0123456789 .,'-/kmкмxтысmillionR%дней()#", max_size=500)))
def test_any_name_is_read_or_names_nothing(name: str) -> None:
    units = units_named(name)
    assert units is None or 1 <= units <= 2_147_483_647


def likes(number: int, rate: str) -> ServiceListing:
    """Sold by the thousand, in the packages' category."""
    return listing(number, category=PACKAGE.category, rate=Decimal(rate))


def package(name: str, rate: str, **fields: Any) -> ServiceListing:
    return replace(PACKAGE, name=name, rate=Decimal(rate), **fields)


BY_THE_THOUSAND = [likes(11, "0.5"), likes(12, "1"), likes(13, "2")]  # usual: 0.001 for a unit


def doubt(it: ServiceListing, *others: ServiceListing, per_thousand: bool = False) -> str:
    return package_doubts([it, *others], per_thousand=per_thousand).get(it.external_id, "")


@pytest.mark.parametrize(
    ("name", "rate", "per_thousand", "sentence"),
    [
        ("1000 likes", "1", False, ""),
        ("1000 likes", "20", False, ""),  # twenty times exactly
        ("1000 likes", "0.05", False, ""),
        (
            "1000 likes", "20.000001", False,
            "A unit of it (1,000 by its name) costs about 20 times what is usual in its category. "
            f"It looks as if it were priced per 1000: {SETTING}",
        ),
        (
            "1k likes", "1000", False,
            "A unit of it (1,000 by its name) costs about 1,000 times what is usual in its category. "
            f"It looks as if it were priced per 1000: {SETTING}",
        ),
        (
            "1k likes", "0.001", False,
            "A unit of it (1,000 by its name) costs less than a 1,000th of what is usual in its category. "
            "Check with the provider what it costs and what it holds.",
        ),
        ("1k likes", "1000", True, ""),
        (
            "1k likes", "1", True,
            "A unit of it (1,000 by its name) costs less than a 1,000th of what is usual in its category. "
            f"It looks as if it were priced whole, not per 1000: {SETTING}",
        ),
        (
            "1k likes", "1000000", True,
            "A unit of it (1,000 by its name) costs about 1,000 times what is usual in its category. "
            "Check with the provider what it costs and what it holds.",
        ),
        ("1k likes", "0", False, ""),
        ("Starter", "1000", False, ""),  # no number, and no other package to compare it with
    ],
)  # fmt: skip
def test_a_unit_is_compared_with_its_category(name: str, rate: str, per_thousand: bool, sentence: str) -> None:
    assert doubt(package(name, rate), *BY_THE_THOUSAND, per_thousand=per_thousand) == sentence


def test_fewer_than_three_comparables_prove_nothing() -> None:
    assert doubt(package("1k likes", "1000"), *BY_THE_THOUSAND[:2]) == ""
    assert doubt(package("1k likes", "1000"), *BY_THE_THOUSAND[:2], package("1k", "1", external_id="4")) != ""


def test_other_categories_unknown_types_and_services_without_a_price_do_not_count() -> None:
    elsewhere = [replace(each, category="Views") for each in BY_THE_THOUSAND]
    unknown = [replace(each, type="Telepathy") for each in BY_THE_THOUSAND]
    free = [replace(each, rate=Decimal(0)) for each in BY_THE_THOUSAND]
    for others in (elsewhere, unknown, free):
        assert doubt(package("1k likes", "1000"), *others) == ""


def test_packages_without_a_number_are_compared_with_each_other() -> None:
    names = ("Bronze", "Silver", "Gold", "Platinum")
    packs = [package(name, rate, external_id=name) for name, rate in zip(names, ("5", "8", "9", "9000"), strict=True)]
    assert package_doubts([*packs, *BY_THE_THOUSAND], per_thousand=False) == {
        "Platinum": "This package costs about 1,125 times what the other packages of its category do. "
        f"It looks as if it were priced per 1000: {SETTING}"
    }
    assert package_doubts(packs[1:], per_thousand=False) == {}  # two others are too few


def test_the_median_is_that_of_the_others() -> None:
    prices = [package("1 like", rate, external_id=rate) for rate in ("1", "1", "1", "100")]
    twins = [replace(each, external_id=f"{number}") for number, each in enumerate(prices)]
    assert list(package_doubts(twins, per_thousand=False)) == ["3"]


def test_how_far_is_a_setting(settings: Settings) -> None:
    settings.IMPORT_PACKAGE_TIMES = 2
    assert doubt(package("1000 likes", "2"), *BY_THE_THOUSAND) == ""
    assert doubt(package("1000 likes", "2.1"), *BY_THE_THOUSAND) != ""


@pytest.mark.django_db
@pytest.mark.parametrize(("rate", "per_thousand"), [("1000", False), ("1", True)])
def test_a_new_package_in_doubt_is_not_sold_before_the_operator_looks(rate: str, per_thousand: bool) -> None:
    unit = Provider.RateUnit.THOUSAND if per_thousand else Provider.RateUnit.PACKAGE
    provider = a_provider(package_rate_unit=unit)
    odd = package("1000 likes", rate)
    plan = plan_import(provider, Listings([odd, *BY_THE_THOUSAND], []))
    [change] = [change for change in plan.changes if change.out_of_line]
    assert change.external_id == odd.external_id
    assert change.doubts[0].reason.endswith(SETTING)
    assert change.warnings == ()  # said once
    result = import_(provider, odd, *BY_THE_THOUSAND, publish=True)
    assert result.off_sale == 1
    service = sold(provider, odd.external_id)
    assert service.off_sale_reason.endswith(SETTING)
    assert why_not_orderable(service) is not None
    assert service not in services_on_sale()
    [item] = AttentionItem.objects.filter(closed_at__isnull=True)
    assert item.cause == "service_out_of_line"
    assert item.evidence["services"][0]["service"] == service.pk
    confirm_back_on_sale([service], actor=OLGA)
    assert services_on_sale().filter(pk=service.pk).exists()
    assert not AttentionItem.objects.filter(closed_at__isnull=True).exists()


@pytest.mark.django_db
def test_hidden_it_raises_nothing_and_shown_later_it_is_still_off_sale() -> None:
    provider, odd = a_provider(), package("1000 likes", "1000")
    import_(provider, odd, *BY_THE_THOUSAND)
    assert not AttentionItem.objects.exists()
    publish([sold(provider, odd.external_id)], actor=OLGA)
    assert not services_on_sale().exists()
    assert AttentionItem.objects.get().cause == "service_out_of_line"


@pytest.mark.django_db
def test_ticked_in_the_preview_it_is_sold_at_once_and_imports_leave_it_on_sale() -> None:
    provider, odd = a_provider(), package("1000 likes", "1000")
    import_(provider, odd, *BY_THE_THOUSAND, publish=True, confirmed=[odd.external_id])
    assert sold(provider, odd.external_id).off_sale_reason == ""
    result = import_(provider, replace(odd, name="1000 likes HQ"), *BY_THE_THOUSAND)
    [change] = result.plan.changes
    assert change.doubts == ()
    assert change.warnings[0].endswith(SETTING)
    assert sold(provider, odd.external_id).off_sale_reason == ""


@pytest.mark.django_db
def test_the_providers_setting_is_what_the_warning_goes_by() -> None:
    provider = a_provider(package_rate_unit=Provider.RateUnit.THOUSAND)
    plan = plan_import(provider, Listings([package("1000 likes", "1000"), *BY_THE_THOUSAND], []))
    assert [change for change in plan.changes if change.warnings or change.doubts] == []


@pytest.mark.django_db
def test_ten_thousand_packages_are_compared_without_a_query_more() -> None:
    provider = a_provider()
    plain = [listing(number) for number in range(20)]
    packs = [replace(listing(number), type="Package", name=f"{number % 900 + 1}k views") for number in range(10_000)]
    with CaptureQueriesContext(connection) as few:
        plan_import(provider, Listings(plain, []))
    with CaptureQueriesContext(connection) as many:
        began = time.perf_counter()
        package_doubts(packs, per_thousand=False)
        assert time.perf_counter() - began < 5
        plan_import(provider, Listings(packs, []))
    assert len(many) == len(few)
