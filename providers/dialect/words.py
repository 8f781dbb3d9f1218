"""Status words: the tables of the dialect, and the words that a provider's own map adds.

Words are compared by their letters (and digits) only. An unknown word is None, never a guess: the order is left as it
is, and the operator may teach the word to the provider's map, which is asked first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from providers.dialect.answer import redact
from providers.dialect.body import JSON
from providers.dialect.numbers import read_line
from providers.outcomes import Cause, OrderWord, RefillWord, SubscriptionWord

WORD_LENGTH = 60  # of a status word as kept and shown
LONGEST_WORD = 1000  # looked at, so that a key in it is found whole before it is cut

Meaning = TypeVar("Meaning", bound=StrEnum)

_SEPARATORS = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"[0-9]+")

ORDER_WORDS: Mapping[str, OrderWord] = {
    "pending": OrderWord.PENDING,
    "awaiting": OrderWord.PENDING,
    "queued": OrderWord.PENDING,
    "inprogress": OrderWord.IN_PROGRESS,
    "active": OrderWord.IN_PROGRESS,
    "processing": OrderWord.PROCESSING,
    "completed": OrderWord.COMPLETED,
    "complete": OrderWord.COMPLETED,
    "partial": OrderWord.PARTIAL,
    "canceled": OrderWord.CANCELED,
    "cancelled": OrderWord.CANCELED,
    "refunded": OrderWord.CANCELED,
    "refunds": OrderWord.CANCELED,
    "refund": OrderWord.CANCELED,
}
SUBSCRIPTION_WORDS: Mapping[str, SubscriptionWord] = {
    "active": SubscriptionWord.ACTIVE,
    "pending": SubscriptionWord.ACTIVE,  # placed and not begun: nothing is delivered, and no money moves
    "paused": SubscriptionWord.PAUSED,
    "completed": SubscriptionWord.COMPLETED,
    "complete": SubscriptionWord.COMPLETED,
    "expired": SubscriptionWord.EXPIRED,
    "canceled": SubscriptionWord.CANCELED,
    "cancelled": SubscriptionWord.CANCELED,
}
REFILL_WORDS: Mapping[str, RefillWord] = {
    "pending": RefillWord.PENDING,
    "inprogress": RefillWord.IN_PROGRESS,
    "completed": RefillWord.COMPLETED,
    "complete": RefillWord.COMPLETED,
    "rejected": RefillWord.REJECTED,
    "canceled": RefillWord.CANCELED,
    "cancelled": RefillWord.CANCELED,
    "error": RefillWord.ERROR,
}

# For a provider that answers numbers: what an operator may load into its word map with one choice. Never assumed.
NUMERIC_STATUS_WORDS: Mapping[str, str] = {
    "0": OrderWord.PENDING.value,
    "1": OrderWord.PROCESSING.value,
    "2": OrderWord.COMPLETED.value,
    "3": OrderWord.PARTIAL.value,
    "4": OrderWord.CANCELED.value,
    "5": "Refunded",
}


def letters(text: str) -> str:
    """The text as words are compared: letters and digits of any script, without case."""
    return _SEPARATORS.sub("", text.casefold())


def refusal_letters(text: str) -> str:
    """The text as refusals are compared: letters only ("minimal 50" teaches "minimal 100"); a bare code stays."""
    return _DIGITS.sub("", letters(text)) or letters(text)


@dataclass(frozen=True, slots=True)
class WordMap:
    """A provider's own words, ready to look up. Make it with `WordMap.read`."""

    status: Mapping[str, OrderWord] = field(default_factory=dict)
    subscription: Mapping[str, SubscriptionWord] = field(default_factory=dict)
    refill: Mapping[str, RefillWord] = field(default_factory=dict)
    refusal: Mapping[str, Cause] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Any) -> WordMap:
        """From `{"status": {word: meaning}, "subscription": …, "refill": …, "refusal": {text: cause}}`, each optional.

        Meanings are the dialect's words, causes the values of Cause. What makes no sense is left out, since no status
        may fail to be read by a typing error; `word_map_problems` names it when the map is edited.
        """
        entries = stored if isinstance(stored, Mapping) else {}
        return cls(
            status=_meanings(entries.get("status"), ORDER_WORDS),
            subscription=_meanings(entries.get("subscription"), SUBSCRIPTION_WORDS),
            refill=_meanings(entries.get("refill"), REFILL_WORDS),
            refusal={
                refusal_letters(text): _CAUSES[letters(cause)]
                for text, cause in _pairs(entries.get("refusal"))
                if letters(cause) in _CAUSES and letters(text)
            },
        )


NO_WORDS = WordMap()


def word_map_problems(stored: Any) -> list[str]:
    """What is wrong with a word map, one sentence each; empty when `WordMap.read` uses all of it."""
    if not isinstance(stored, Mapping):
        return ["The word map must be an object."]
    tables = {"status": ORDER_WORDS, "subscription": SUBSCRIPTION_WORDS, "refill": REFILL_WORDS, "refusal": _CAUSES}
    problems = [f"“{name}” is not a part of a word map." for name in stored if name not in tables]
    for name, table in tables.items():
        part = stored.get(name, {})
        if not isinstance(part, Mapping):
            problems.append(f"“{name}” must be an object of words and meanings.")
            continue
        for word, meaning in part.items():
            if not isinstance(word, str) or not letters(word):
                problems.append(f"“{word}” under “{name}” has no letters or digits to compare.")
            if not isinstance(meaning, str) or letters(meaning) not in table:
                known = ", ".join(dict.fromkeys(table.values()))
                problems.append(f"“{meaning}” for “{word}” is not a meaning of “{name}”. Use one of: {known}.")
    return problems


def read_word(value: JSON, key: str = "") -> str:
    """A status as it was spelled, on one line, without the key, then cut; empty when it is no word."""
    return redact(read_line(value, LONGEST_WORD), key)[:WORD_LENGTH]


def order_word(word: str, words: WordMap = NO_WORDS) -> OrderWord | None:
    return _lookup(word, words.status, ORDER_WORDS)


def subscription_word(word: str, words: WordMap = NO_WORDS) -> SubscriptionWord | None:
    return _lookup(word, words.subscription, SUBSCRIPTION_WORDS)


def refill_word(word: str, words: WordMap = NO_WORDS) -> RefillWord | None:
    return _lookup(word, words.refill, REFILL_WORDS)


def _lookup(word: str, taught: Mapping[str, Meaning], table: Mapping[str, Meaning]) -> Meaning | None:
    compared = letters(word)
    return taught.get(compared) or table.get(compared)


def _meanings(entries: Any, table: Mapping[str, Meaning]) -> dict[str, Meaning]:
    return {letters(word): table[letters(m)] for word, m in _pairs(entries) if letters(m) in table and letters(word)}


def _pairs(entries: Any) -> list[tuple[str, str]]:
    if not isinstance(entries, Mapping):
        return []
    return [(k, v) for k, v in entries.items() if isinstance(k, str) and isinstance(v, str)]


_CAUSES = {letters(cause.value): cause for cause in Cause}
