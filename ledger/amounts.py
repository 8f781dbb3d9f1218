"""Amounts of money as integers and as decimals.

In the database an amount is an integer number of units of 10⁻⁶ of its account's currency; in Python it is a `Decimal`.
Exact arithmetic (a rate times a quantity) is done on the integers, where nothing is ever rounded by a context.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation

MONEY_PLACES = 6
EXCHANGE_PLACES = 12
PER = 1000  # rates are for a thousand
ZERO = Decimal(0)

_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])  # three times the digits of any stored amount


class InexactAmount(ValueError):
    """Not a finite decimal with at most the field's decimal places: round it on purpose, and say which way."""


def to_units(amount: Decimal | int, places: int = MONEY_PLACES) -> int:
    """The amount as an integer of 10^-places; raises InexactAmount for a float, NaN, or digits beyond `places`."""
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise InexactAmount(f"{amount!r} is not a Decimal")
    if isinstance(amount, int):
        return int(amount * 10**places)
    if not amount.is_finite():
        raise InexactAmount(f"{amount!r} is not finite")
    try:
        return int(amount.quantize(Decimal((0, (1,), -places)), context=_EXACT).scaleb(places, context=_EXACT))
    except DecimalException as error:
        raise InexactAmount(f"{amount!r} has more than {places} decimal places, or is beyond any amount") from error


def from_units(units: int, places: int = MONEY_PLACES) -> Decimal:
    """The decimal that an integer of 10^-places stands for, exact for every integer up to 60 digits."""
    return Decimal(units).scaleb(-places, context=_EXACT)


def divide_up(dividend: int, divisor: int) -> int:
    """⌈dividend ÷ divisor⌉ of integers, for amounts that must not be rounded in the customer's favour by accident."""
    return -(-dividend // divisor)


def plain(amount: Decimal) -> str:
    """A finite amount as people and API clients read it: no exponent, no trailing zeros beyond the second place."""
    whole, _, fraction = f"{amount if amount else ZERO:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
