"""The few shapes that answers come in: one record, or many that each belong to an id that was asked.

A record is matched to an id only where that is certain: by the key it stands under or by an id that it carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from providers.dialect.answer import Answer, Refused, Unreadable
from providers.dialect.body import CONTRADICTION, JSON, same
from providers.dialect.errors import error_texts
from providers.dialect.numbers import read_id
from providers.dialect.transport import raise_refused
from providers.dialect.words import WordMap
from providers.outcomes import Cause, Refusal, Scope

_WRAPPERS = ("data", "result", "response")


@dataclass(slots=True)
class Records:
    """The items of an answer by the id they were asked under; CONTRADICTION where two items claim one id."""

    by_id: dict[str, JSON] = field(default_factory=dict)
    not_asked: list[str] = field(default_factory=list)

    def put(self, upstream_id: str, item: JSON, asked: frozenset[str]) -> None:
        if upstream_id not in asked:
            self.not_asked.append(upstream_id)
        elif upstream_id in self.by_id and not same(self.by_id[upstream_id], item):
            self.by_id[upstream_id] = CONTRADICTION
        else:
            self.by_id[upstream_id] = item


def only_record(value: JSON) -> dict[str, JSON]:
    """The one record of an answer, out of a list of one or a wrapper; raises Unreadable."""
    for _ in range(2):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            inner = next((value[name] for name in _WRAPPERS if isinstance(value.get(name), dict)), None)
            if inner is None or error_texts(value) is not None or not value.keys() <= _PLAIN_KEYS:
                return value
            value = inner
    if isinstance(value, dict):
        return value
    raise Unreadable("the answer is not a record")


# A wrapper stands alone or with these: beside anything else, `data` is just another field.
_PLAIN_KEYS = frozenset({*_WRAPPERS, "success", "status", "message", "msg", "code", "error", "errors"})


def refusal_of_call(value: JSON, words: WordMap, answer: Answer) -> None:
    """Raise Refused (or NotProcessed) when the whole answer is an error."""
    texts = error_texts(value)
    if texts is not None:
        raise_refused(texts, words, answer.key)


def about_one(error: Refused) -> Refusal:
    """The refusal of a call that asked about one id, when it is about that id; else it is raised again for the call."""
    if error.refusal.scope is not Scope.ORDER:
        raise error
    return error.refusal


def not_left_open(refusal: Refusal) -> Refusal:
    """The refusal; Unreadable when its words leave open whether the thing was done, so that nobody builds on it."""
    if refusal.cause is Cause.AMBIGUOUS:
        raise Unreadable(f"the provider said: {refusal.text}")
    return refusal


def records_by_id(value: JSON, asked: Sequence[str], id_keys: Sequence[str], own_keys: frozenset[str]) -> Records:
    """The items of an answer about many ids; raises Unreadable when they cannot be told apart.

    `id_keys` are the fields in which an item of a list carries its id. `own_keys` are the fields of a record itself: an
    object with one of them is the record of the one id that was asked, not an object keyed by ids.
    """
    wanted = frozenset(asked)
    value = _unwrapped(value)
    if isinstance(value, dict):
        if value.keys() & own_keys:
            return _single(value, asked, id_keys)
        return _keyed(value, wanted, id_keys)
    if isinstance(value, list):
        return _listed(value, asked, id_keys)
    raise Unreadable("the answer is neither an object nor a list")


def _unwrapped(value: JSON) -> JSON:
    if isinstance(value, dict) and value.keys() <= _PLAIN_KEYS:
        inner = next((value[name] for name in _WRAPPERS if isinstance(value.get(name), dict | list)), None)
        return value if inner is None else inner
    return value


def _single(value: dict[str, JSON], asked: Sequence[str], id_keys: Sequence[str]) -> Records:
    carried = _carried_id(value, id_keys)
    if len(asked) != 1 or carried not in (None, asked[0]):
        raise Unreadable("one record, and it cannot be told whose")
    return Records({asked[0]: value})


def _keyed(value: dict[str, JSON], wanted: frozenset[str], id_keys: Sequence[str]) -> Records:
    records = Records()
    for name, item in value.items():
        key, carried = name if name in wanted else read_id(name), _carried_id(item, id_keys)
        if carried is None or carried == key:
            if key is not None:  # `message`, `code` and the like are about nobody
                records.put(key, item, wanted)
        elif key in wanted:
            records.put(key, CONTRADICTION, wanted)  # the record under this id says that it is another's
        else:
            records.put(carried, item, wanted)  # {"0": {"order": 17, …}}: a list that lost its first items
    return records


def _listed(value: list[JSON], asked: Sequence[str], id_keys: Sequence[str]) -> Records:
    wanted = frozenset(asked)
    if len(value) == 1 and len(asked) == 1:
        carried = _carried_id(value[0], id_keys)
        return Records({asked[0]: value[0]}) if carried in (None, asked[0]) else Records({}, [str(carried)])
    records = Records()
    carried_ids = [_carried_id(item, id_keys) for item in value]
    if not any(carried_ids):
        return _numbered(value, asked)
    for carried, item in zip(carried_ids, value, strict=True):
        if carried is not None:  # an item that names no id is nobody's
            records.put(carried, item, wanted)
    return records


def _numbered(value: list[JSON], asked: Sequence[str]) -> Records:
    """A list of items without ids. PHP writes an object whose keys are 0, 1, 2 … as a list: then, and only then, is the
    place of an item its id. Any other list may have been filtered or sorted, and a wrong match would be a wrong refund.
    """
    if not value:
        return Records()
    if list(asked) != [str(n) for n in range(len(value))]:
        raise Unreadable("a list without ids: it cannot be told which item is whose")
    return Records(dict(zip(asked, value, strict=True)))


def _carried_id(item: JSON, id_keys: Sequence[str]) -> str | None:
    if not isinstance(item, dict):
        return None
    return next((found for name in id_keys if (found := read_id(item.get(name))) is not None), None)
