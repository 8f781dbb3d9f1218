"""What a line costs the customer and us: exact, rounded up, never sold below cost by arithmetic."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.costs import cost_in_panel_currency, cost_of, unit_cost, would_lose
from catalog.markup import Rule, price_for
from catalog.pricing import PriceOutOfRange, charge
from providers.models import Provider
from tests.catalog.builders import an_upstream_service

money = st.integers(0, 10**12).map(lambda units: Decimal(units).scaleb(-6))
exchange = st.integers(1, 10**15).map(lambda units: Decimal(units).scaleb(-12))
percents = st.integers(0, 10**9).map(lambda units: Decimal(units).scaleb(-6))
quantities = st.integers(1, 2_147_483_647)
UNSAVED = Provider(name="upstream", currency="USD")
THOUSAND = Provider(name="upstream", currency="USD", package_rate_unit=Provider.RateUnit.THOUSAND)


@pytest.mark.parametrize(
    ("rate", "quantity", "amount"),
    [
        ("0.90", 1000, "0.90"),
        ("0.90", 50, "0.045"),
        ("0.000001", 1, "0.000001"),  # rounded up, never to nothing
        ("0.0874", 1, "0.000088"),
        ("1.234567", 333, "0.411111"),
        ("5", None, "5"),  # a package
    ],
)
def test_charges(rate: str, quantity: int | None, amount: str) -> None:
    assert charge(Decimal(rate), quantity) == Decimal(amount)


@pytest.mark.parametrize(
    ("rate", "quantity", "message"),
    [
        ("1", 0, "The quantity must be between 1 and"),
        ("1", -5, "The quantity must be between 1 and"),
        ("1", 2_147_483_648, "The quantity must be between 1 and"),
        ("1000000001", 1, "A rate must be between"),
        ("-1", 1, "A rate must be between"),
        ("NaN", 1, "A rate must be between"),
        ("1000000", 2_000_000, "One order may cost at most 1,000,000,000 USD"),
    ],
)
def test_what_is_beyond_the_caps_is_refused_with_a_sentence(rate: str, quantity: int, message: str) -> None:
    with pytest.raises(PriceOutOfRange, match=message):
        charge(Decimal(rate), quantity)


@given(rate=money, quantity=st.integers(1, 10**5))
def test_a_charge_is_the_exact_product_rounded_up(rate: Decimal, quantity: int) -> None:
    exact = Fraction(rate) * quantity / 1000
    assert charge(rate, quantity) == Decimal(ceil(exact * 10**6)).scaleb(-6)


@given(rate=money, quantity=st.integers(1, 10**5), more=st.integers(0, 10**4))
def test_a_charge_never_falls_when_more_is_bought(rate: Decimal, quantity: int, more: int) -> None:
    assert charge(rate, quantity) <= charge(rate, quantity + more)


@pytest.mark.parametrize(
    ("provider", "type", "quantity", "in_theirs", "in_ours", "unit"),
    [
        (UNSAVED, "Default", 500, "257.821", "2.784467", "5.568934"),
        (UNSAVED, "Package", None, "515.642", "5.568934", "5.568934"),
        (THOUSAND, "Package", None, "0.515642", "0.005569", "0.005569"),
        (THOUSAND, "custom_comments_package", None, "0.515642", "0.005569", "0.005569"),
        (THOUSAND, "Default", 500, "257.821", "2.784467", "5.568934"),  # the setting is about packages alone
    ],
)
def test_costs(provider: Provider, type: str, quantity: int | None, in_theirs: str, in_ours: str, unit: str) -> None:
    upstream, rate = an_upstream_service(provider, rate="515.642", type=type), Decimal("0.0108")
    assert cost_of(upstream, quantity) == Decimal(in_theirs)
    assert cost_in_panel_currency(upstream, quantity, rate) == Decimal(in_ours)
    assert unit_cost(upstream, rate) == Decimal(unit)


def test_equal_to_the_cost_may_be_sold_and_a_millionth_less_may_not() -> None:
    upstream = an_upstream_service(UNSAVED, rate="1.00")
    assert not would_lose(Decimal("0.0108"), 1000, upstream, Decimal("0.0108"))
    assert would_lose(Decimal("0.010799"), 1000, upstream, Decimal("0.0108"))
    package = an_upstream_service(THOUSAND, rate="5000", type="Package")
    assert not would_lose(Decimal(5), None, package, Decimal(1))
    assert would_lose(Decimal("4.999999"), None, package, Decimal(1))


@given(cost=money, rate=exchange, quantity=quantities)
def test_what_is_priced_at_cost_is_never_sold_at_a_loss(cost: Decimal, rate: Decimal, quantity: int) -> None:
    upstream = an_upstream_service(UNSAVED, rate=str(cost))
    try:
        price = price_for(upstream, rate, Rule(Decimal(0)))
    except PriceOutOfRange:
        return
    assert not would_lose(price, quantity, upstream, rate)


@given(
    cost=money, rate=exchange, percent=percents, fixed=money, rounding=st.integers(1, 10**9), floor=money,
    package=st.booleans(), provider=st.sampled_from([UNSAVED, THOUSAND]),
)  # fmt: skip
def test_a_price_is_never_below_cost_or_floor(
    cost: Decimal, rate: Decimal, percent: Decimal, fixed: Decimal, rounding: int, floor: Decimal, package: bool,
    provider: Provider,
) -> None:  # fmt: skip
    upstream = an_upstream_service(provider, rate=str(cost), type="Package" if package else "Default")
    rule = Rule(percent, fixed, Decimal(rounding).scaleb(-6), floor)
    try:
        price = price_for(upstream, rate, rule)
    except PriceOutOfRange:
        return
    assert price >= unit_cost(upstream, rate)
    assert price >= floor
    assert price == floor or price % rule.rounding == 0
