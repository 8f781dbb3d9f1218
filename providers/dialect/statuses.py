"""What `status` says of orders: one or up to a hundred, in every shape that hosts answer.

An item with `error` is an error, whatever else it has. An id that is absent from the answer is absent from the reading:
some hosts drop ids without a word, and that says nothing of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from providers.dialect.answer import Answer, Refused
from providers.dialect.body import JSON
from providers.dialect.errors import error_texts
from providers.dialect.numbers import UP, read_id, read_int, read_line, read_money
from providers.dialect.refusals import classify
from providers.dialect.shapes import about_one, records_by_id, refusal_of_call
from providers.dialect.transport import open_answer
from providers.dialect.words import NO_WORDS, WordMap, order_word, read_word, subscription_word
from providers.outcomes import Cause, ItemError, Refusal, Statuses, StatusReading

CURRENCY_LENGTH = 12
EXPIRY_LENGTH = 40
MOST_CHILDREN = 10_000  # child orders read of one drip-feed or subscription

_ID_KEYS = ("order", "order_id", "id")
_OWN_KEYS = frozenset({"status", "charge", "remains", "start_count"})


def read_statuses(answer: Answer, asked: Sequence[str], words: WordMap = NO_WORDS) -> Statuses:
    """What the answer says of each id that was asked; raises NotProcessed, Refused or Unreadable for the whole call.

    Takes the answer to `order=` as well as to `orders=`. An error of the whole answer is the item's own when one id was
    asked and the error is about an order.
    """
    try:
        value = open_answer(answer, words)
        refusal_of_call(value, words, answer)
    except Refused as error:
        if len(asked) != 1:
            raise
        return Statuses({asked[0]: ItemError(asked[0], about_one(error))})
    records = records_by_id(value, asked, _ID_KEYS, _OWN_KEYS)
    by_id = {upstream_id: _read_item(upstream_id, item, answer, words) for upstream_id, item in records.by_id.items()}
    return Statuses(by_id, tuple(records.not_asked))


def _read_item(upstream_id: str, item: JSON, answer: Answer, words: WordMap) -> StatusReading | ItemError:
    if not isinstance(item, dict):
        return unreadable_item(upstream_id, "what stands under this id is not one record")
    texts = error_texts(item)
    if texts is None:
        texts = error_texts(item.get("status"))
    if texts is not None:
        return ItemError(upstream_id, classify(texts, words, answer.key))
    word = read_word(item.get("status"), answer.key)
    if not word:
        return unreadable_item(upstream_id, "a record without a status")
    return StatusReading(
        upstream_id=upstream_id,
        status=order_word(word, words),
        subscription=subscription_word(word, words),
        word=word,
        charge=_charge(item.get("charge")),
        start_count=read_int(item.get("start_count")),
        remains=read_int(item.get("remains")),
        currency=read_currency(item.get("currency")),
        runs=read_int(item.get("runs")),
        posts=read_int(item.get("posts")),
        expiry=read_line(item.get("expiry"), EXPIRY_LENGTH) or None,
        orders=_children(item.get("orders")),
        unreadable=tuple(name for name in _COUNTS if _is_unreadable(item.get(name))),
    )


_COUNTS = ("runs", "posts")


def _is_unreadable(count: JSON) -> bool:
    """Whether it was sent and is no whole number: that is not the same as left out."""
    return count not in (None, "") and read_int(count) is None


def unreadable_item(upstream_id: str, reason: str) -> ItemError:
    return ItemError(upstream_id, Refusal.of(Cause.UNREADABLE, reason))


def read_currency(value: JSON) -> str | None:
    """The currency's code in capitals; None when it is not said."""
    return read_line(value, CURRENCY_LENGTH).upper() or None


def _charge(value: JSON) -> Decimal | None:
    charge = read_money(value, UP)
    return None if charge is None or charge < 0 else charge  # no order costs less than nothing


def _children(value: JSON) -> tuple[str, ...]:
    """The ids of child orders, each once, in the provider's order; seen as a list, as texts or numbers."""
    items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    found = (read_id(item) for item in items[:MOST_CHILDREN])
    return tuple(dict.fromkeys(child for child in found if child is not None))
