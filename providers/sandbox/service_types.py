"""The seventeen service types and the parameters of `add` that each takes (dialect §2).

A type says which fields must be there, where the quantity comes from, and which values a field may have. What an
order asks for is read here once, into an `Ask`; prices and lives are elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from providers.sandbox.refusals import (
    BAD_LINK,
    INCORRECT_REQUEST,
    NO_DRIPFEED,
    TOO_FEW,
    TOO_MANY,
    Refused,
)

DELAYS = frozenset(
    (0, 5, 10, 15, 20, 30, 40, 50, 60, 90, 120, 150, 180, 210, 240, 270, 300, 360, 420, 480, 540, 600)
)  # minutes
LONGEST_LINK = 2048
MOST_RUNS = 1000
LONGEST_INTERVAL = 10_000  # minutes: a week
MOST_POSTS = 1000


class Measure(Enum):
    """Where the quantity of an order comes from."""

    GIVEN = "the field `quantity`"
    LINES = "the lines of a field"
    ONE = "a package: one"
    POSTS = "a subscription: min to max for each post"


@dataclass(frozen=True, slots=True)
class ServiceType:
    name: str
    measure: Measure
    needs: tuple[str, ...] = ()
    lines: str = ""  # the field whose lines are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What an order asks for, checked. `quantity` is of one run, or the most for one post of a subscription."""

    link: str
    quantity: int
    runs: int = 0
    interval: int = 0
    least: int = 0
    posts: int | None = None
    old_posts: int = 0
    delay: int = 0
    expiry: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    min: int
    max: int
    dripfeed: bool


def _given(name: str, *needs: str) -> ServiceType:
    return ServiceType(name, Measure.GIVEN, needs)


TYPES = (
    _given("Default"),
    ServiceType("Package", Measure.ONE),
    _given("SEO", "keywords"),
    ServiceType("Custom Comments", Measure.LINES, lines="comments"),
    ServiceType("Custom Comments Package", Measure.ONE, ("comments",)),
    _given("Mentions", "usernames"),
    _given("Mentions with Hashtags", "usernames", "hashtags"),
    ServiceType("Mentions Custom List", Measure.LINES, lines="usernames"),
    _given("Mentions Hashtag", "hashtag"),
    _given("Mentions User Followers", "username"),
    _given("Mentions Media Likers", "media"),
    _given("Comment Likes", "username"),
    ServiceType("Comment Replies", Measure.LINES, ("username",), lines="comments"),
    _given("Poll", "answer_number"),
    _given("Invites from Groups", "groups"),
    ServiceType("Subscriptions", Measure.POSTS),
    _given("Web Traffic", "country", "device", "type_of_traffic"),
)


def letters(word: str) -> str:
    """A word as it is compared: without case, space, `_` and `-`."""
    return re.sub(r"[\s_-]+", "", word).lower()


_BY_LETTERS = {letters(each.name): each for each in TYPES}


def type_named(word: str) -> ServiceType | None:
    return _BY_LETTERS.get(letters(word))


def read_ask(kind: ServiceType, limits: Limits, fields: Mapping[str, str]) -> Ask:
    """Raises Refused with the provider's words."""
    if kind.measure is Measure.POSTS:
        return _read_subscription(limits, fields)
    link = fields.get("link", "").strip()
    if not link or len(link) > LONGEST_LINK or any(mark.isspace() for mark in link):
        raise Refused(BAD_LINK)
    for field in kind.needs:
        if not fields.get(field, "").strip():
            raise Refused(INCORRECT_REQUEST)
    _check_choices(kind, fields)
    quantity = _quantity(kind, limits, fields)
    runs, interval = _drip_feed(kind, limits, fields)
    return Ask(link=link, quantity=quantity, runs=runs, interval=interval)


def lines_of(text: str) -> list[str]:
    return [line for line in re.split(r"\r\n|\n|\r", text) if line.strip()]


def whole_number(text: str | None, refusal: str = INCORRECT_REQUEST) -> int:
    """A number of plain digits; anything else is refused."""
    digits = (text or "").strip()
    if not re.fullmatch(r"[0-9]{1,18}", digits):
        raise Refused(refusal)
    return int(digits)


def _quantity(kind: ServiceType, limits: Limits, fields: Mapping[str, str]) -> int:
    if kind.measure is Measure.ONE:
        return 1
    if kind.measure is Measure.LINES:
        quantity = len(lines_of(fields.get(kind.lines, "")))
    else:
        quantity = whole_number(fields.get("quantity"), TOO_FEW.format(limits.min))
    if quantity < max(1, limits.min):
        raise Refused(TOO_FEW.format(limits.min))
    if quantity > limits.max:
        raise Refused(TOO_MANY.format(limits.max))
    return quantity


def _drip_feed(kind: ServiceType, limits: Limits, fields: Mapping[str, str]) -> tuple[int, int]:
    if not fields.get("runs", "").strip():
        return 0, 0
    runs, interval = whole_number(fields["runs"]), whole_number(fields.get("interval"))
    if kind.name != "Default" or not limits.dripfeed:
        raise Refused(NO_DRIPFEED)
    if not 1 <= runs <= MOST_RUNS or not 1 <= interval <= LONGEST_INTERVAL:
        raise Refused(INCORRECT_REQUEST)
    return runs, interval


def _check_choices(kind: ServiceType, fields: Mapping[str, str]) -> None:
    if kind.name == "Poll":
        whole_number(fields["answer_number"])
    if kind.name != "Web Traffic":
        return
    traffic = whole_number(fields["type_of_traffic"])
    if not 1 <= whole_number(fields["device"]) <= 5 or not 1 <= traffic <= 3:
        raise Refused(INCORRECT_REQUEST)
    asked = {1: "google_keyword", 2: "referring_url"}.get(traffic)
    if asked and not fields.get(asked, "").strip():
        raise Refused(INCORRECT_REQUEST)


def _read_subscription(limits: Limits, fields: Mapping[str, str]) -> Ask:
    username = fields.get("username", "").strip()
    if not username:
        raise Refused(INCORRECT_REQUEST)
    least, most = whole_number(fields.get("min")), whole_number(fields.get("max"))
    if least < max(1, limits.min):
        raise Refused(TOO_FEW.format(limits.min))
    if most > limits.max:
        raise Refused(TOO_MANY.format(limits.max))
    delay = whole_number(fields.get("delay"))
    posts = whole_number(fields.get("posts") or "0") or None  # none or 0: until it expires
    if most < least or delay not in DELAYS or (posts or 0) > MOST_POSTS:
        raise Refused(INCORRECT_REQUEST)
    old_posts = whole_number(fields.get("old_posts") or "0")
    return Ask(
        link=username,
        quantity=most,
        least=least,
        posts=posts,
        old_posts=old_posts,
        delay=delay,
        expiry=_expiry(fields.get("expiry", "").strip()),
    )


def _expiry(text: str) -> str:
    """d/m/Y, as it is sent; empty for never."""
    if text:
        try:
            datetime.strptime(text, "%d/%m/%Y")  # noqa: DTZ007 - a date, no moment
        except ValueError:
            raise Refused(INCORRECT_REQUEST) from None
    return text
