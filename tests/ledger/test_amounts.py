"""Amounts keep every digit, in both directions, or are refused."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.amounts import InexactAmount, divide_up, from_units, plain, to_units

D = Decimal
units = st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1)
places = st.sampled_from([6, 12])


@given(units, places)
def test_units_come_back_from_their_decimal(value: int, number: int) -> None:
    assert to_units(from_units(value, number), number) == value


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6))
def test_a_decimal_comes_back_from_its_units(amount: Decimal) -> None:
    assert from_units(to_units(amount)) == amount


@given(units)
def test_the_plain_text_is_the_amount(value: int) -> None:
    text = plain(from_units(value))
    assert D(text) == from_units(value)
    assert "E" not in text
    assert len(text.partition(".")[2]) >= 2


@given(units)
def test_the_context_of_the_caller_rounds_nothing(value: int) -> None:
    with localcontext(prec=3):
        assert to_units(from_units(value)) == value


@given(st.integers(min_value=0, max_value=10**15), st.integers(min_value=1, max_value=10**6))
def test_divide_up_is_the_least_whole_number_that_covers(dividend: int, divisor: int) -> None:
    result = divide_up(dividend, divisor)
    assert result * divisor >= dividend > (result - 1) * divisor


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_finite_decimal_is_exact_or_refused(amount: Decimal) -> None:
    try:
        value = to_units(amount)
    except InexactAmount:
        return
    assert from_units(value) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (D(0), "0.00"),
        (D("-0.000000"), "0.00"),
        (D("0E-6"), "0.00"),
        (D("1E+3"), "1000.00"),
        (D("12.500000"), "12.50"),
        (D("0.000001"), "0.000001"),
        (D("-0.90"), "-0.90"),
        (D(7), "7.00"),
    ],
)
def test_plain_as_people_read_it(amount: Decimal, text: str) -> None:
    assert plain(amount) == text


@pytest.mark.parametrize(
    "amount", [1.0, True, "1", None, D("NaN"), D("sNaN"), D("-Infinity"), D("0.0000001"), D("1E-5000"), D("1E+100")]
)
def test_what_is_not_an_exact_amount_is_refused(amount: Decimal) -> None:
    with pytest.raises(InexactAmount):
        to_units(amount)


def test_a_whole_number_of_currency_is_an_amount() -> None:
    assert to_units(3) == 3_000_000
    assert to_units(D("3E+2")) == 300_000_000
