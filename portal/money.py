"""How money is written for a person: exact where that is short, four places where it is not, never a false zero."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from catalog.sentences import grouped_as_read
from ledger.amounts import MONEY_PLACES, plain

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
TRAILING_SIGNS = {"RUB": "₽", "UAH": "₴", "KZT": "₸", "TRY": "₺", "INR": "₹"}
FEW_PLACES = 2
ENOUGH_PLACES = 4


def grouped(number: Decimal | int) -> str:
    """Thousands apart, no exponent; at least two places for a `Decimal`: 12345.6 → "12,345.60", in Russian
    "12 345.60", since "1,000" is one there. The point stays everywhere: amounts are typed with it too.
    """
    if isinstance(number, int):
        return grouped_as_read(f"{number:,}")
    whole, _, fraction = plain(number).partition(".")
    sign = "−" if whole.startswith("-") else ""
    return f"{sign}{grouped(abs(int(whole)))}.{fraction}"


def with_currency(amount: Decimal, currency: str) -> str:
    """The exact amount with its currency: "$0.27819", "12.50 ₽", "3.00 XTS"."""
    text = grouped(abs(amount))
    minus = "−" if amount < 0 else ""
    if currency in SIGNS:
        return f"{minus}{SIGNS[currency]}{text}"
    return f"{minus}{text}\N{NO-BREAK SPACE}{TRAILING_SIGNS.get(currency, currency)}"


def places_for(amounts: Iterable[Decimal | None], *, most: int = ENOUGH_PLACES) -> int:
    """How many places a column needs so that its points align: 2, or 4, or 6 where four would show a false zero.

    With `most=MONEY_PLACES` nothing is left out: for rates, and for columns that must add up.
    """
    needed = FEW_PLACES
    for amount in amounts:
        if amount is None or _fits(amount, needed):
            continue
        false_zero = amount != 0 and not rounded(amount, ENOUGH_PLACES)
        exact_needs_more = most > ENOUGH_PLACES and not _fits(amount, ENOUGH_PLACES)
        needed = MONEY_PLACES if false_zero or exact_needs_more else max(needed, ENOUGH_PLACES)
        if needed == MONEY_PLACES:
            break
    return needed


def rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def in_column(amount: Decimal, places: int) -> tuple[str, int]:
    """The amount with at most `places` decimals, and how many digits of room keep its point above the others'."""
    sign = "−" if amount < 0 else ""
    text = f"{sign}{grouped_as_read(f'{abs(rounded(amount, places)):,.{places}f}')}"
    short = text.rstrip("0") if places else text
    short += "0" * max(FEW_PLACES - len(short.partition(".")[2]), 0)
    return short, len(text) - len(short)


def _fits(amount: Decimal, places: int) -> bool:
    return rounded(amount, places) == amount
