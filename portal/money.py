"""How amounts of money are written for a person: exact where it is short, four places where it is not, never a false zero."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from ledger.amounts import MONEY_PLACES, plain

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
TRAILING_SIGNS = {"RUB": "₽", "UAH": "₴", "KZT": "₸", "TRY": "₺", "INR": "₹"}
FEW_PLACES = 2
ENOUGH_PLACES = 4


def grouped(number: Decimal | int) -> str:
    """Thousands apart, no exponent; at least two places for a `Decimal`: 12345.6 → "12,345.60"."""
    if isinstance(number, int):
        return f"{number:,}"
    whole, _, fraction = plain(number).partition(".")
    sign = "−" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}.{fraction}"


def with_currency(amount: Decimal, currency: str) -> str:
    """The exact amount with its currency: "$0.27819", "12.50 ₽", "3.00 XTS"."""
    text = grouped(abs(amount))
    minus = "−" if amount < 0 else ""
    if currency in SIGNS:
        return f"{minus}{SIGNS[currency]}{text}"
    return f"{minus}{text}\N{NO-BREAK SPACE}{TRAILING_SIGNS.get(currency, currency)}"


def places_for(amounts: Iterable[Decimal | None]) -> int:
    """How many places a column needs so that its points align: 2, or 4, or 6 where four would show a false zero."""
    needed = FEW_PLACES
    for amount in amounts:
        if amount is None or _fits(amount, needed):
            continue
        needed = ENOUGH_PLACES if amount == 0 or rounded(amount, ENOUGH_PLACES) else MONEY_PLACES
        if needed == MONEY_PLACES:
            break
    return needed


def rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def in_column(amount: Decimal, places: int) -> str:
    """The amount with exactly `places` decimals, thousands apart."""
    sign = "−" if amount < 0 else ""
    return f"{sign}{abs(rounded(amount, places)):,.{places}f}"


def _fits(amount: Decimal, places: int) -> bool:
    return rounded(amount, places) == amount
