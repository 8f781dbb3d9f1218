"""What came of asking for a refill or a cancellation, and how a refill is doing.

Both are wishes: an answer says at most that the wish was taken. Whatever is neither a clear yes nor a clear no raises
Unreadable (or leaves the id out, where many were asked), so that a refill that may have been taken is not asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from providers.dialect.answer import Answer, Refused, Unreadable
from providers.dialect.body import JSON
from providers.dialect.errors import error_texts
from providers.dialect.numbers import read_bool, read_id
from providers.dialect.refusals import classify
from providers.dialect.shapes import about_one, not_left_open, records_by_id, refusal_of_call
from providers.dialect.statuses import unreadable_item
from providers.dialect.transport import open_answer
from providers.dialect.words import NO_WORDS, WordMap, letters, read_word, refill_word
from providers.outcomes import CancelAnswer, ItemError, RefillAnswer, RefillStatusReading, Refusal

_ORDER_KEYS = ("order", "order_id")
_REFILL_KEYS = ("refill", "refill_id", "id")
_OWN_KEYS = frozenset({"status", "message", "success"})
_TAKEN = frozenset({"success", "ok", "true"})

Reading = TypeVar("Reading")


def read_refills(answer: Answer, asked: Sequence[str], words: WordMap = NO_WORDS) -> dict[str, RefillAnswer]:
    """What came of `refill` for each order asked. An id left out may have been taken: never ask it again by itself.

    Raises NotProcessed, Refused or Unreadable for the whole call; with one id asked, also when that id's answer is
    neither an id to follow nor a refusal of this order.
    """

    def read(order: str, item: JSON) -> RefillAnswer:
        said = _said(item, "refill", answer, words)
        refill_id = read_id(item["refill"]) if isinstance(item, dict) and "refill" in item else None
        if said is not None and refill_id is None:
            return RefillAnswer(order, refusal=said)
        if said is None and refill_id is not None:
            return RefillAnswer(order, refill_id)
        raise Unreadable("neither a refill id alone nor an error alone")

    def refused(order: str, refusal: Refusal) -> RefillAnswer:
        return RefillAnswer(order, refusal=refusal)

    return _each(answer, asked, words, "refill", _OWN_KEYS | {"refill"}, read, refused)


def read_cancels(answer: Answer, asked: Sequence[str], words: WordMap = NO_WORDS) -> dict[str, CancelAnswer]:
    """What came of `cancel` for each order asked: asked for, or refused. An id left out was not answered.

    Raises as `read_refills`. A call in the wrong form (`order=` for `orders=`) is Refused as INCORRECT_REQUEST.
    """

    def read(order: str, item: JSON) -> CancelAnswer:
        said = _said(item, "cancel", answer, words)
        if said is not None:
            return CancelAnswer(order, said)
        if isinstance(item, dict) and _is_taken(item):
            return CancelAnswer(order)
        if isinstance(item, dict) and read_bool(item.get("cancel")) is False:
            return CancelAnswer(order, classify([], words))
        raise Unreadable("neither a cancellation that was taken nor an error")

    return _each(answer, asked, words, "cancel", _OWN_KEYS | {"cancel"}, read, CancelAnswer, one_for_all=True)


def read_refill_statuses(
    answer: Answer, asked: Sequence[str], words: WordMap = NO_WORDS
) -> dict[str, RefillStatusReading | ItemError]:
    """How each refill asked about is doing; an id left out was not answered. Raises for the whole call."""
    try:
        value = open_answer(answer, words)
        refusal_of_call(value, words, answer)
    except Refused as error:
        if len(asked) != 1:
            raise
        return {asked[0]: ItemError(asked[0], about_one(error))}
    records = records_by_id(value, asked, _REFILL_KEYS, frozenset({"status"}))
    return {refill: _refill_status(refill, item, answer, words) for refill, item in records.by_id.items()}


def _refill_status(refill: str, item: JSON, answer: Answer, words: WordMap) -> RefillStatusReading | ItemError:
    status = item.get("status") if isinstance(item, dict) else item
    for part in (item, status):
        texts = error_texts(part)
        if texts is not None:
            return ItemError(refill, classify(texts, words, answer.key))
    word = read_word(status, answer.key)
    if not word:
        return unreadable_item(refill, "a refill without a status")
    return RefillStatusReading(refill, refill_word(word, words), word)


def _each(
    answer: Answer,
    asked: Sequence[str],
    words: WordMap,
    field: str,
    own_keys: frozenset[str],
    read: Callable[[str, JSON], Reading],
    refused: Callable[[str, Refusal], Reading],
    *,
    one_for_all: bool = False,
) -> dict[str, Reading]:
    """One reading for each id, by the rules that refills and cancellations share."""
    try:
        value = open_answer(answer, words)
        if isinstance(value, dict) and read_id(value.get(field)) is not None and error_texts(value) is not None:
            raise Unreadable("an id together with an error")
        refusal_of_call(value, words, answer)
    except Refused as error:
        refusal = not_left_open(error.refusal)
        if len(asked) != 1:
            raise
        about_one(error)
        return {asked[0]: refused(asked[0], refusal)}
    # {"status": "success"} to many at once: a wish that may be repeated, and the orders' own status decides later.
    if one_for_all and len(asked) > 1 and isinstance(value, dict) and value.keys() & own_keys:
        return {order: read(order, value) for order in asked}
    records = records_by_id(value, asked, _ORDER_KEYS, own_keys)
    if len(asked) == 1 and asked[0] in records.by_id:
        return {asked[0]: read(asked[0], records.by_id[asked[0]])}
    readings = {}
    for order, item in records.by_id.items():
        try:
            readings[order] = read(order, item)
        except Unreadable:
            continue
    return readings


def _said(item: JSON, field: str, answer: Answer, words: WordMap) -> Refusal | None:
    """The refusal in an item or in its field, as in `{"order": 3, "refill": {"error": "…"}}`."""
    if not isinstance(item, dict):
        raise Unreadable("an item that is not a record")
    found = [texts for part in (item, item.get(field)) if (texts := error_texts(part)) is not None]
    if not found:
        return None
    said = [text for texts in found for text in texts]
    if not said:
        raise Unreadable("an error without a word")
    return not_left_open(classify(said, words, answer.key))


def _is_taken(item: dict[str, JSON]) -> bool:
    """`{"cancel": 1}`, `{"cancel": 45}`, `{"success": "…"}`, `{"status": "success"}`."""
    success, status = item.get("success"), item.get("status")
    return (
        read_id(item.get("cancel")) is not None
        or read_bool(item.get("cancel")) is True
        or read_bool(success) is True
        or (isinstance(success, str) and bool(success.strip()) and read_bool(success) is None)
        or (isinstance(status, str) and letters(status) in _TAKEN)
    )
