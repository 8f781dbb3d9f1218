"""Which lines of an account a statement shows: of some days, of some kinds; and how they are found among millions.

Days are turned into a range of ids first, by halving: ids rise with the time but for the length of a transaction, so
that a few dozen looks along the primary key find the place, and no index over the time is kept. Then the lines are
read along the indexes by account and id. What a wallet has in great number stands on one side each, charges and holds
on the debit, refunds and releases on the credit side. All other kinds are few, and have an index of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from ledger.models import COMMON_KINDS, RARE_KINDS, Transfer
from ledger.sums import NEWEST

_LAG = timedelta(hours=1)  # between a transfer's moment and its id: far longer than a posting's transaction may take
_RARE = f"kind IN ({', '.join(map(repr, RARE_KINDS))})"  # as the indexes' own condition is written
_EARLIER = '(SELECT "at" FROM ledger_transfer WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1) < %s'
_HALVING = f"""
WITH RECURSIVE halves(low, high) AS (
    SELECT CAST(0 AS bigint), COALESCE((SELECT MAX(id) FROM ledger_transfer), 0) + 1
    UNION ALL
    SELECT CASE WHEN {_EARLIER} THEN (low + high) / 2 ELSE low END,
        CASE WHEN {_EARLIER} THEN high ELSE (low + high) / 2 END
    FROM halves WHERE high - low > 1
)
SELECT MIN(high) FROM halves
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """From `since` until before `until`, and of these kinds alone, where they are given."""

    since: datetime | None = None
    until: datetime | None = None
    kinds: tuple[Transfer.Kind, ...] = ()


EVERYTHING = Narrowed()


@dataclass(frozen=True, slots=True)
class Range:
    """Where the lines are: lowest ≤ id < above."""

    lowest: int
    above: int


def range_of(narrowed: Narrowed) -> Range:
    """One query for each end that is given."""
    lowest = 0 if narrowed.since is None else _first_id(narrowed.since - _LAG)
    return Range(lowest, NEWEST if narrowed.until is None else _first_id(narrowed.until + _LAG))


def newest_of(
    account_id: int, narrowed: Narrowed, within: Range, *, before_id: int | None, limit: int
) -> list[Transfer]:
    """One statement for both sides, each read backwards along its own index."""
    above = within.above if before_id is None else min(before_id, within.above)
    moments = "".join(_moments(narrowed))
    sides: list[str] = []
    values: list[object] = []
    for column, condition in _branches(narrowed.kinds):
        sides.append(
            f"SELECT * FROM (SELECT * FROM ledger_transfer WHERE {column} = %s AND id < %s AND id >= %s"  # noqa: S608
            f"{moments}{condition} ORDER BY id DESC LIMIT %s) AS side_{len(sides)}"
        )
        times = [connection.ops.adapt_datetimefield_value(at) for at in (narrowed.since, narrowed.until) if at]
        values += [account_id, above, within.lowest, *times, limit]
    sql = f"SELECT * FROM ({' UNION ALL '.join(sides)}) AS both_sides ORDER BY id DESC LIMIT %s"  # noqa: S608
    return list(Transfer.objects.raw(sql, [*values, limit])) if sides else []


def _moments(narrowed: Narrowed) -> Iterator[str]:
    if narrowed.since is not None:
        yield ' AND "at" >= %s'
    if narrowed.until is not None:
        yield ' AND "at" < %s'


def _branches(kinds: tuple[Transfer.Kind, ...]) -> Iterator[tuple[str, str]]:
    """For each index that is read: its column, and the condition beside it. Constants only."""
    for column, common in COMMON_KINDS.items():
        if not kinds:
            yield column, ""
            continue
        if wanted := [kind for kind in common if kind in kinds]:
            yield column, f" AND {_is_of(wanted)}"
        if wanted := [kind for kind in RARE_KINDS if kind in kinds]:
            yield column, f" AND {_RARE} AND {_is_of(wanted)}"


def _is_of(kinds: list[str]) -> str:
    return f"kind IN ({', '.join(map(repr, kinds))})"


def _first_id(moment: datetime) -> int:
    """The id from which on transfers are of this moment or later, give or take the length of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_HALVING, [connection.ops.adapt_datetimefield_value(moment)] * 2)
        return int(cursor.fetchone()[0])
