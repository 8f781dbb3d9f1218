"""Ids as clients send them: digits, several with commas between, at most a hundred."""

from __future__ import annotations

from django.conf import settings

from api import errors
from api.errors import ApiError

MOST_DIGITS = 18


def one_id(text: str) -> int | None:
    """The id, or None for what is none of ours."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS else None


def part_of(text: str) -> tuple[int, int] | None:
    """An order's id and the number of its part, of what `status` lists under `orders`: 23501-3."""
    order, dash, number = text.strip().partition("-")
    found = (one_id(order), one_id(number))
    return (found[0], found[1]) if dash and found[0] is not None and found[1] is not None else None


def many_ids(text: str) -> dict[str, int | None]:
    """Each id once, as it was sent and in that order, with its number. Raises ApiError for none or too many."""
    asked = dict.fromkeys(part.strip() for part in text.split(",") if part.strip())
    if not asked:
        raise ApiError(errors.INCORRECT_REQUEST)
    if len(asked) > settings.API_MAX_IDS:
        raise ApiError(errors.TOO_MANY_IDS.format(settings.API_MAX_IDS))
    return {text: one_id(text) for text in asked}


def as_sent(text: str) -> int | str:
    """How an id stands in a list of answers: a number where it is one."""
    number = one_id(text)
    return text if number is None else number
