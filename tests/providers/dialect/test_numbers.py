"""One tolerant reader a field: the spellings of the dialect page's table, and what no reader may take."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.dialect.numbers import (
    DOWN,
    MAX_COUNT,
    UP,
    read_bool,
    read_decimal,
    read_id,
    read_int,
    read_limit,
    read_line,
    read_money,
    read_text,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0.90", "0.9"),
        (Decimal("0.9"), "0.9"),
        (8, "8"),
        ("95200", "95200"),
        ("0.33000000", "0.33"),
        (" 1.5 ", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("2.5E-2", "0.025"),
        (Decimal("1E+5"), "100000"),
        ("-3.5", "-3.5"),
        ("\u22123.5", "-3.5"),
        # thousands separators
        ("1,234.56", "1234.56"),
        ("1,234,567", "1234567"),
        ("1 234.56", "1234.56"),
        ("1\u00a0234\u00a0567", "1234567"),
        ("1'234.50", "1234.5"),
        ("1.234.567", "1234567"),
        ("-1,234.56", "-1234.56"),
        # a comma that can only be a decimal one
        ("0,90", "0.9"),
        ("0,900", "0.9"),
        ("12,5", "12.5"),
        ("1.234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1234,567", "1234.567"),
        # could be either: the reading that cannot sell below cost
        ("1,234", "1234"),
        ("1.234", "1.234"),
        # currency signs and codes
        ("$0.90", "0.9"),
        ("0.90 $", "0.9"),
        ("€1,234.56", "1234.56"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("USD 5.00", "5"),
        ("5.00 USD", "5"),
        ("12.5 руб.", "12.5"),
        ("₹ 90", "90"),
        ("R$ 1.234,56", "1234.56"),
        ("120481927710", "120481927710"),
    ],
)
def test_an_amount_in_every_spelling(value: Any, number: str) -> None:
    assert read_decimal(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "",
        " ",
        "-",
        ".",
        ",",
        "$",
        "free",
        "Unknown",
        "NaN",
        "Infinity",
        "1.2.3",
        "1,23,456",
        "1,2345.6",
        "1 23",
        "12 34",
        "1-2",
        "--5",
        "-$-5",
        "5k",
        "1.5MLN",
        "0x10",
        "1_000",
        "٣",
        "1e",
        "1e99999",
        "1e5e5",
        "5; DROP",
        "10%",
        "9" * 65,
        10**12 + 1,
        -(10**12) - 1,
        Decimal("1e400"),
        [],
        [5],
        {},
        {"amount": 5},
    ],
)
def test_what_is_no_amount_is_none(value: Any) -> None:
    assert read_decimal(value) is None


@pytest.mark.parametrize(
    ("value", "direction", "amount"),
    [
        ("0.27819", UP, "0.278190"),
        ("0.0000001", UP, "0.000001"),
        ("0.0000001", DOWN, "0.000000"),
        ("1.23456789", UP, "1.234568"),
        ("1.23456789", DOWN, "1.234567"),
        ("-1.23456789", UP, "-1.234567"),
        ("-0.0000001", UP, "0.000000"),
        (Decimal("1e-999999"), UP, "0.000001"),
        (Decimal("1e-999999"), DOWN, "0.000000"),
        (Decimal("0e999999"), UP, "0.000000"),
        ("999999999999.9999999", UP, "1000000000000.000000"),
    ],
)
def test_money_is_rounded_at_the_sixth_place_in_the_direction_told(value: Any, direction: str, amount: str) -> None:
    assert str(read_money(value, direction)) == amount


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("3572", 3572),
        (3572, 3572),
        ("1,000", 1000),
        ("1 000", 1000),
        (Decimal("12.0"), 12),
        ("12.00", 12),
        ("-5", -5),
        (0, 0),
        (MAX_COUNT, MAX_COUNT),
        ("", None),
        (None, None),
        ("Unknown", None),
        (Decimal("12.5"), None),
        (True, None),
        ("5 USD", None),
        (MAX_COUNT + 1, None),
        ("1e999", None),
        (Decimal("1e999999"), None),
        (Decimal("1e-999999"), None),
        ([5], None),
    ],
)
def test_a_count(value: Any, count: int | None) -> None:
    assert read_int(value) == count


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        ("50", 50),
        (50, 50),
        (2147483647, 2147483647),
        ("99999999999999999999999", MAX_COUNT),
        (Decimal("1e300"), MAX_COUNT),
        (-5, 0),
        ("", None),
        ("many", None),
        (Decimal("1.5"), None),
    ],
)
def test_a_limit_is_capped_not_lost(value: Any, limit: int | None) -> None:
    assert read_limit(value) == limit


TRUE: list[Any] = [True, 1, "1", "true", "True", "yes", " on ", Decimal("1.0")]
FALSE: list[Any] = [False, 0, "0", "false", "FALSE", "no", "off", Decimal(0)]
NEITHER: list[Any] = [None, "", 2, "2", "maybe", [], {}, [True], Decimal("0.5")]


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        *[(value, True) for value in TRUE],
        *[(value, False) for value in FALSE],
        *[(value, None) for value in NEITHER],
    ],
)
def test_a_flag(value: Any, flag: bool | None) -> None:
    assert read_bool(value) is flag


@pytest.mark.parametrize(
    ("value", "upstream_id"),
    [
        (23501, "23501"),
        ("23501", "23501"),
        (" 23501\n", "23501"),
        (Decimal("12.0"), "12"),
        ("ref_01HG8Z", "ref_01HG8Z"),
        ("9f1c2d3e-0a1b-4c5d-8e7f-001122334455", "9f1c2d3e-0a1b-4c5d-8e7f-001122334455"),
        ("007", "007"),
        ("1" * 64, "1" * 64),
        (10**30, "1" + "0" * 30),
    ],
)
def test_an_id(value: Any, upstream_id: str) -> None:
    assert read_id(value) == upstream_id


@pytest.mark.parametrize(
    "value",
    [
        0,
        "0",
        "000",
        -1,
        "-1",
        True,
        False,
        None,
        "",
        "  ",
        "null",
        "undefined",
        "N/A",
        "success",
        "error500",
        "1,2",
        "1 2",
        "12.5",
        "5\x00",
        "\ud8005",
        "٣",
        "1" * 65,
        10**64,
        Decimal("12.5"),
        Decimal("1e300"),
        Decimal(2**53 + 2) + Decimal("0.0"),
        [5],
        {"id": 5},
        "Order 5 was created",
    ],
)
def test_what_is_no_id_is_none(value: Any) -> None:
    assert read_id(value) is None


def test_texts_are_cut_and_cleaned_of_what_no_column_takes() -> None:
    assert read_text(" a\x00b\r\nc \ud800d ", 100) == "ab\nc d"
    assert read_line("a\nb\tc", 100) == "a b c"
    assert read_text("x" * 600, 500) == "x" * 500
    assert read_text("ab  cd", 4) == "ab"
    assert read_text(5, 10) == "5"
    nothing: list[Any] = [None, True, [], {}]
    assert [read_text(value, 10) for value in nothing] == ["", "", "", ""]
