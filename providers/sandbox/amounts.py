"""Money of the sandbox: integers of 10⁻⁶ of its currency, written as the seed writes it ("0.27819").

Deliberately not the ledger's own arithmetic: the two are compared in tests.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, InvalidOperation

UNIT = 1_000_000
PER = 1000  # rates are for a thousand
LARGEST = 10**18  # of 10⁻⁶: what fits SQLite's integer with room for sums


def read_amount(text: object) -> int:
    """An amount in 10⁻⁶, rounded up. Raises ValueError for what is no number from zero to the largest amount."""
    try:
        value = Decimal(str(text).strip())
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount") from None
    if not value.is_finite() or value < 0 or value * UNIT > LARGEST:
        raise ValueError(f"{text!r} is not an amount between 0 and {LARGEST // UNIT}")
    return int((value * UNIT).to_integral_value(rounding=ROUND_CEILING))


def write_amount(amount: int) -> str:
    """Exact, without an exponent and without zeros at the end: 278190 is "0.27819"."""
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), UNIT)
    return f"{sign}{whole}.{part:06d}".rstrip("0").rstrip(".")


def price_of(rate: int, quantity: int) -> int:
    """⌈rate × quantity ÷ 1000⌉, in 10⁻⁶."""
    return -(-rate * quantity // PER)
