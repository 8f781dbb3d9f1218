"""One tolerant reader for each kind of value: amounts, counts, flags, ids, texts. None means absent or unreadable.

Every reader takes any JSON value and raises nothing. Spellings: dialect page, "Fields".

A comma is read so: `1,234.56` and `1,234,567` have thousands separators; `0,90`, `12,5` and `1.234,56` a decimal comma,
since no thousands separator stands there. `1,234` alone could be either: it is read as 1234, which is what PHP's
number_format writes, and of the two the one that cannot sell below cost: a rate a thousand times too high sells none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from ledger.amounts import MONEY_PLACES
from providers.dialect.body import JSON

MAX_AMOUNT = Decimal(10**12)  # of any currency: a ninth of what a 64-bit column of 10⁻⁶ holds; beyond it is no amount
MAX_COUNT = 2**63 - 1  # what a BigIntegerField holds
MAX_ID_LENGTH = 64  # of upstream_id and external_id
LONGEST_NUMBER_TEXT = 64
EXACT_IN_A_DOUBLE = 2**53  # an id that came as 12.0 was a double upstream: above this its last digits are made up

UP, DOWN = ROUND_CEILING, ROUND_FLOOR

_PLACE = Decimal(1).scaleb(-MONEY_PLACES)
_WIDE = Context(prec=60, traps=[])
_SPACES = re.compile(r"[\s\u00a0\u2009\u202f]+")
# A sign, and a currency's sign or code on either side. "1.5MLN" is no currency, and no amount that can be trusted.
_CURRENCY = r"(?:US\$|R\$|[$€£¥₹₽₺₴₩₫฿₦₸]|Rs\.?|kr\.?|zł|TL|руб\.?|р\.|USDT|(?!MLN|MIL|MIO|BLN|BIL)[A-Z]{3})"
_MARKED = re.compile(rf"(-?) ?{_CURRENCY}? ?(-?)([0-9.,][0-9.,' ]*(?:[eE][-+]?[0-9]{{1,4}})?)(?: ?{_CURRENCY})?")
_PLAIN = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?: [0-9]{3})+|(?:'[0-9]{3})+)(?:\.[0-9]*)?")
_GROUPED_WITH_COMMA = re.compile(r"([1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+|(?: [0-9]{3})+))(?:,([0-9]+))")
_DOTTED = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}")
_COMMA = re.compile(r"[0-9]+,[0-9]+")
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_:=-]{0,63}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TRUE = frozenset({"true", "1", "yes", "y", "on", "enabled"})
_FALSE = frozenset({"false", "0", "no", "n", "off", "disabled"})


def read_decimal(value: JSON) -> Decimal | None:
    """The finite number that the value spells, within ±MAX_AMOUNT; a sentinel beyond that is no number."""
    number = _number(value, _spelled_amount)
    return None if number is None or number.copy_abs() > MAX_AMOUNT else number


def read_money(value: JSON, rounding: str) -> Decimal | None:
    """The amount at six places, rounded as told: UP for what we pay, DOWN for what we have."""
    number = read_decimal(value)
    return None if number is None else round_money(number, rounding)


def round_money(number: Decimal, rounding: str) -> Decimal:
    if number.adjusted() < -MONEY_PLACES * 2:  # far below the last place: its exponent may be beyond any context
        number = Decimal((number.is_signed(), (int(bool(number)),), -MONEY_PLACES * 2))
    amount = number.quantize(_PLACE, rounding=rounding, context=_WIDE)
    return amount if amount else amount.copy_abs()  # there is no -0 of money


def read_int(value: JSON) -> int | None:
    """The whole number that the value spells (`"1,000"`, `12.0`), within 64 bits."""
    number = _number(value, _spelled_number)
    if number is None or number.adjusted() > 18:
        return None
    whole = int(number) if number.adjusted() >= -18 else 0
    return whole if whole == number and -MAX_COUNT <= whole <= MAX_COUNT else None


def read_limit(value: JSON) -> int | None:
    """A `min` or `max`: as read_int, but none below zero, and a huge one is as good as the largest there is."""
    number = _number(value, _spelled_number)
    if number is not None and number > MAX_COUNT:
        return MAX_COUNT
    whole = read_int(value)
    return None if whole is None else max(0, whole)


def read_bool(value: JSON) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def read_id(value: JSON) -> str | None:
    """An id that can be asked for again: a whole number above zero, or a word with a digit in it.

    Zero, negative numbers and true are what hosts put where they have no id. So are words like `null`, `failed` or
    `N/A`: no digit, no id.
    """
    if isinstance(value, Decimal):
        value = read_int(value)
        if value is None or value > EXACT_IN_A_DOUBLE:
            return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 < value < 10**MAX_ID_LENGTH else ""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if not _ID.fullmatch(text) or not text.strip("0") or "error" in text.lower():
        return None
    return text if any(c.isdigit() for c in text) else None


def read_text(value: JSON, limit: int) -> str:
    """The text on its own line breaks, without NUL and other characters that no column takes, cut to `limit`."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return _CONTROLS.sub("", value.replace("\r\n", "\n")).strip()[:limit].rstrip()


def read_line(value: JSON, limit: int) -> str:
    """As read_text, on one line."""
    return read_text(value, limit).replace("\n", " ").replace("\t", " ")


def _number(value: JSON, spelled: Callable[[str], Decimal | None]) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str):
        return spelled(value.strip()) if len(value) <= LONGEST_NUMBER_TEXT else None
    return value if isinstance(value, Decimal) and value.is_finite() else None


def _spelled_amount(text: str) -> Decimal | None:
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    marked = _MARKED.fullmatch(_SPACES.sub(" ", text).replace("\u2212", "-"))
    if not marked or (marked[1] and marked[2]):
        return None
    return _spelled_number(marked[1] + marked[2] + marked[3].strip())


def _spelled_number(text: str) -> Decimal | None:
    """A number with any separators, and nothing around it but a minus."""
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    digits = _SPACES.sub(" ", text.removeprefix("-"))
    sign = "-" if text.startswith("-") else ""
    if _GROUPED.fullmatch(digits) or _DOTTED.fullmatch(digits):
        plain = re.sub(r"[, ']", "", digits)
        return Decimal(sign + (plain.replace(".", "") if _DOTTED.fullmatch(digits) else plain))
    if grouped := _GROUPED_WITH_COMMA.fullmatch(digits):
        return Decimal(sign + re.sub(r"[. ]", "", grouped[1]) + "." + grouped[2])
    if _COMMA.fullmatch(digits):
        return Decimal(sign + digits.replace(",", "."))
    return None
