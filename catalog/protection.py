"""When an import must not go on selling by itself: what changed upstream is more than a price or a text.

Pure decisions, from what was listed before and what is listed now. A service in doubt goes off sale, and stays so until
an operator says otherwise (`catalog.shelves.confirm_back_on_sale`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from enum import StrEnum

from django.conf import settings

from catalog.searching import folded
from catalog.service_types import same_type
from ledger.amounts import plain


class Cause(StrEnum):
    """Why a service is off sale; stored on its row. The weightiest comes first."""

    GONE = "gone"
    BACK = "back"
    TYPE_CHANGED = "type_changed"
    RENAMED = "renamed"
    REFILL_LOST = "refill_lost"
    PRICE_MOVED = "price_moved"
    LIMITS = "limits"
    OUT_OF_LINE = "out_of_line"
    OPERATOR = "operator"


# What the operator reads on the attention list, after "3 of the provider's services".
SUMMARY = {
    Cause.GONE: "vanished from the provider's list",
    Cause.BACK: "vanished and came back: confirm them before they are sold again",
    Cause.TYPE_CHANGED: "changed their type",
    Cause.RENAMED: "have a very different name: perhaps the ids were given to other services",
    Cause.REFILL_LOST: "lost their refill",
    Cause.PRICE_MOVED: "changed their price beyond the limit",
    Cause.OUT_OF_LINE: "cost far from what is usual in their category: look at them before they are sold",
    Cause.LIMITS: "have a minimum above their maximum, or a price no service may have",
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason to stop selling, as a sentence."""

    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a provider promises of a service, as far as protection looks at it."""

    name: str
    type: str
    rate: Decimal
    min: int
    max: int
    refill: bool


GONE = Doubt(Cause.GONE, "The provider does not list it any more.")
BACK = Doubt(Cause.BACK, "It vanished from the provider's list and came back.")


def doubts_of_change(before: Terms, after: Terms) -> list[Doubt]:
    """Everything about this change that a person should see first, the weightiest first."""
    found = []
    if not same_type(before.type, after.type):
        found.append(Doubt(Cause.TYPE_CHANGED, f"Its type was {before.type} and is now {after.type}."))
    if before.name != after.name and similarity(before.name, after.name) < settings.IMPORT_NAME_SIMILARITY:
        found.append(Doubt(Cause.RENAMED, f"Its name was “{before.name[:120]}” and is now “{after.name[:120]}”."))
    if before.refill and not after.refill:
        found.append(Doubt(Cause.REFILL_LOST, "It is not refilled any more."))
    if _moved_too_far(before.rate, after.rate):
        found.append(Doubt(Cause.PRICE_MOVED, f"Its cost went from {plain(before.rate)} to {plain(after.rate)}."))
    return found + doubts_of_terms(after)


def doubts_of_terms(terms: Terms) -> list[Doubt]:
    """What makes a listing unfit for sale whatever it was before."""
    if terms.max < max(terms.min, 1):
        return [Doubt(Cause.LIMITS, f"Its minimum is {terms.min:,} and its maximum {terms.max:,}.")]
    if terms.rate > settings.MAX_RATE:
        return [Doubt(Cause.LIMITS, "Its price is beyond what any service may cost.")]
    return []


def similarity(one: str, other: str) -> float:
    """0 to 1, by the letters and digits in common; emoji, brackets and case do not count."""
    left, right = (" ".join(_words_only(folded(text)).split()) for text in (one, other))
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


def _words_only(text: str) -> str:
    return "".join(character if character.isalnum() else " " for character in text)


def _moved_too_far(before: Decimal, after: Decimal) -> bool:
    if before == after:
        return False
    most: Decimal = before * settings.IMPORT_PRICE_RISE
    least: Decimal = before * (1 - settings.IMPORT_PRICE_FALL)
    return not least <= after <= most
