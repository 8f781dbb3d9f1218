"""What needs a person: raised by whoever noticed, closed by a decision or by itself when the cause is gone.

One open item a key, kept so by a partial unique index: raising it again counts up and brings the newest evidence, in
one statement, so that any number of workers may notice the same thing at once. Closed items stay, as history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min
from django.utils import timezone

from records.audit import SYSTEM, Actor
from records.models import AttentionItem
from records.plain import plain_mapping, plain_text

ROWS_A_STATEMENT = 500  # 10 parameters a row; SQLite takes 32,766 a statement
COLUMNS = (
    "cause", "key", "summary", "evidence", "provider_id", "order_id", "opened_at", "seen_at", "times", "closed_by",
    "decision",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to raise; the fields are those of `raise_attention`."""

    cause: str
    key: str
    summary: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    provider_id: int | None = None
    order_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The open items of one cause at one provider, counted."""

    cause: str
    provider_id: int | None
    items: int
    oldest: datetime
    newest: datetime


def raise_attention(
    *,
    cause: str,
    key: str,
    summary: str,
    evidence: Mapping[str, Any] | None = None,
    provider_id: int | None = None,
    order_id: int | None = None,
) -> None:
    """Put one item on the list, or count up the open one of this key."""
    item = Item(
        cause=cause, key=key, summary=summary, evidence=evidence or {}, provider_id=provider_id, order_id=order_id
    )
    raise_many([item])


def raise_many(items: Iterable[Item]) -> None:
    """Put many items on the list, a statement for every 500; of two with one key the later one's evidence counts."""
    rows: dict[str, tuple[Item, int]] = {}
    for item in items:
        _, times = rows.pop(item.key, (item, 0))
        rows[item.key] = (item, times + 1)
    # always in the order of the keys: two workers that raise the same items would otherwise lock each other out
    ordered = [rows[key] for key in sorted(rows)]
    for start in range(0, len(ordered), ROWS_A_STATEMENT):
        _upsert(ordered[start : start + ROWS_A_STATEMENT], timezone.now())


def close_attention(*, key: str, decision: str, actor: Actor = SYSTEM) -> bool:
    """Take the open item of this key off the list; False when there is none."""
    return _close({"key": key}, decision, actor) == 1


def close_matching(*, key_prefix: str, decision: str, actor: Actor = SYSTEM) -> int:
    """Take every open item off the list whose key begins so; how many there were."""
    assert key_prefix, "an empty prefix would close the whole list"
    return _close({"key__startswith": key_prefix}, decision, actor)


def close_of_orders(order_ids: Iterable[int], *, causes: Iterable[str], decision: str, actor: Actor = SYSTEM) -> int:
    """Take the open items of these causes that speak of these orders off the list; how many there were."""
    return _close({"order_id__in": list(order_ids), "cause__in": list(causes)}, decision, actor)


def open_by_cause() -> list[Group]:
    """The open items counted by cause and provider, oldest group first; one grouped query, no rows are loaded."""
    found = (
        AttentionItem.objects.filter(closed_at__isnull=True)
        .values("cause", "provider_id")
        .annotate(items=Count("id"), oldest=Min("opened_at"), newest=Max("seen_at"))
        .order_by("oldest", "cause", "provider_id")
    )
    return [Group(**row) for row in found]


def _close(which: Mapping[str, Any], decision: str, actor: Actor) -> int:
    return AttentionItem.objects.filter(**which, closed_at__isnull=True).update(
        closed_at=timezone.now(), closed_by=plain_text(actor.name, 254), decision=plain_text(decision, 500)
    )


def _upsert(rows: Sequence[tuple[Item, int]], now: datetime) -> None:
    # The ORM cannot name a partial unique index as the target of a conflict; both databases can.
    table = connection.ops.quote_name(AttentionItem._meta.db_table)
    marks = f"({', '.join(['%s'] * len(COLUMNS))})"
    sql = (
        f"INSERT INTO {table} AS item ({', '.join(map(connection.ops.quote_name, COLUMNS))}) "  # noqa: S608 - constants
        f"VALUES {', '.join([marks] * len(rows))} "
        "ON CONFLICT (key) WHERE closed_at IS NULL DO UPDATE SET times = item.times + excluded.times, "
        "seen_at = excluded.seen_at, cause = excluded.cause, summary = excluded.summary, evidence = excluded.evidence, "
        "provider_id = excluded.provider_id, order_id = excluded.order_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for item, times in rows for value in _values(item, times, now)])


def _values(item: Item, times: int, now: datetime) -> list[Any]:
    assert len(item.key) <= 150, f"the key {item.key!r} is too long to be kept whole"
    row = {
        "cause": item.cause,
        "key": item.key,
        "summary": plain_text(item.summary, 500),
        "evidence": plain_mapping(item.evidence),
        "provider_id": item.provider_id,
        "order_id": item.order_id,
        "opened_at": now,
        "seen_at": now,
        "times": times,
        "closed_by": "",
        "decision": "",
    }
    columns = {column.attname: column for column in AttentionItem._meta.concrete_fields}
    return [columns[name].get_db_prep_save(row[name], connection) for name in COLUMNS]
