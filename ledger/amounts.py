"""Amounts of money as integers and as decimals.

In the database an amount is an integer number of units of 10⁻⁶ of its account's currency; in Python it is a `Decimal`.
Exact arithmetic (a rate times a quantity) is done on the integers, where nothing is ever rounded by a context.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MONEY_PLACES = 6
EXCHANGE_PLACES = 12
PER = 1000  # rates are for a thousand
ZERO = Decimal(0)


class InexactAmount(ValueError):
    """The amount is not a finite decimal with at most the field's decimal places: round it on purpose, and say which way."""


def to_units(amount: Decimal | int, places: int = MONEY_PLACES) -> int:
    """The amount as an integer of 10^-places; raises InexactAmount for a float, NaN, or digits beyond `places`."""
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise InexactAmount(f"{amount!r} is not a Decimal")
    if isinstance(amount, int):
        return amount * 10**places
    if not amount.is_finite():
        raise InexactAmount(f"{amount!r} is not finite")
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    value = int("".join(map(str, digits)))
    shift = exponent + places
    if shift > 40:
        raise InexactAmount(f"{amount!r} is beyond any amount")
    if shift >= 0:
        value *= 10**shift
    else:
        value, rest = divmod(value, 10**-shift) if shift > -200 else (0, value)
        if rest:
            raise InexactAmount(f"{amount!r} has more than {places} decimal places")
    return -value if sign else value


def from_units(units: int, places: int = MONEY_PLACES) -> Decimal:
    """The decimal that an integer of 10^-places stands for, exact for every integer."""
    return Decimal((int(units < 0), tuple(map(int, str(abs(units)))), -places))


def divide_up(dividend: int, divisor: int) -> int:
    """⌈dividend ÷ divisor⌉ of integers, for amounts that must not be rounded in the customer's favour by accident."""
    return -(-dividend // divisor)


def plain(amount: Decimal) -> str:
    """The amount as people and API clients read it: no exponent, no trailing zeros beyond the second decimal place."""
    try:
        text = f"{amount:f}"
    except InvalidOperation:  # pragma: no cover - only for signalling NaN
        return str(amount)
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(2, "0")
    return f"{whole}.{fraction}"
