"""From the bytes of an answer to a JSON value, or `Unreadable`.

Liberal about what hosts put around the JSON (a BOM, PHP's own notices), strict about the JSON itself: the whole body
must be accounted for. A page with a stray brace, or a record inside an answer that was cut, is never taken for it.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from providers.dialect.answer import Unreadable


class Contradiction:
    """The value of a key that an object gives twice, differently: it is nothing that any reader accepts."""

    def __repr__(self) -> str:
        return "CONTRADICTION"


CONTRADICTION: Final = Contradiction()

JSON = Any  # None, bool, int, Decimal, str, list or dict of these, CONTRADICTION; never a float

LONGEST_NUMBER = 400  # digits: PHP prints up to 54 of a double; more is an attack on the integer parser

# "<br />\n<b>Notice</b>:  Undefined index: x in <b>/var/a.php</b> on line <b>7</b><br />" and its plain-text twin.
# A fatal error is not among them: what follows it did not come from the end of the script.
_NOTICE = re.compile(
    r"(?:\s|\ufeff|<br\s?/?>)*(?:<b>)?(?:PHP )?(?:Notice|Warning|Deprecated|Strict Standards)(?:</b>)?:"
    r".{1,2000}? on line (?:<b>)?[0-9]{1,7}(?:</b>)?(?:\s|<br\s?/?>)*",
    re.DOTALL,
)
_BLANK = " \t\r\n\ufeff"


def read_body(body: bytes) -> JSON:
    """The one JSON value that the body holds; raises Unreadable.

    Numbers with a point or an exponent are Decimals. NaN, Infinity and numbers of absurd length read as null, so that
    one of them costs its field and not the whole catalogue.
    """
    text = _without_notices(body.decode("utf-8", "replace"))
    if not text:
        raise Unreadable("the answer is empty")
    if text[0] == "<":
        raise Unreadable("the answer is a web page, not JSON")
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise Unreadable("the answer is nested too deep") from error
    except ValueError as error:
        raise Unreadable("the answer is not JSON, or cut") from error


def _without_notices(text: str) -> str:
    text = text.strip(_BLANK)
    start = 0
    while notice := _NOTICE.match(text, start):
        start = notice.end()
    text = text[start:].strip(_BLANK)
    # Notices of a shutdown handler come after the JSON. They are cut only where they reach the very end.
    end = max(text.rfind("}"), text.rfind("]")) + 1
    rest = text[end:]
    while end and (notice := _NOTICE.match(rest)):
        rest = rest[notice.end() :]
        if not rest:
            return text[:end]
    return text


def _number(text: str) -> Decimal | None:
    if len(text) > LONGEST_NUMBER:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what decimals can hold
        return None


def _integer(text: str) -> int | None:
    return int(text) if len(text) <= LONGEST_NUMBER else None


def _nothing(_: str) -> None:
    return None


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    seen: dict[str, JSON] = {}
    for name, value in pairs:
        seen[name] = value if name not in seen or same(seen[name], value) else CONTRADICTION
    return seen


def same(one: JSON, other: JSON) -> bool:
    """Whether two values say the same; two that are too deep to compare do not."""
    try:
        return type(one) is type(other) and bool(one == other)  # 1 and true are equal in Python, not here
    except RecursionError:
        return False


# strict=False: raw line breaks inside descriptions are common and harmless.
_DECODER = json.JSONDecoder(
    parse_float=_number, parse_int=_integer, parse_constant=_nothing, object_pairs_hook=_object, strict=False
)
