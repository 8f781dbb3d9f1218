"""Sums over transfers, exact on both databases.

SQLite's SUM stops with an error beyond 64 bits (PostgreSQL's goes on in numeric), so the high and the low digits are
summed apart and put together in Python: no volume of business overflows. Each function is one statement: one snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import connection

_SPLIT = 10**6
_HIGH_LOW = f"COALESCE(SUM(amount / {_SPLIT}), 0), COALESCE(SUM(amount - amount / {_SPLIT} * {_SPLIT}), 0)"
NEWEST = 2**63 - 1


def movement(account_id: int, *, after_id: int = 0, up_to_id: int = NEWEST) -> int:
    """Credits less debits of one account over the transfers with after_id < id ≤ up_to_id, in units."""
    columns = f"{_HIGH_LOW} FROM ledger_transfer"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1, {columns} WHERE credit_id = %s AND id > %s AND id <= %s"  # noqa: S608 - constants only
            f" UNION ALL SELECT -1, {columns} WHERE debit_id = %s AND id > %s AND id <= %s",
            [account_id, after_id, up_to_id] * 2,
        )
        return _total(cursor.fetchall())


def balance_after(account_id: int, transfer_id: int) -> int:
    """What a wallet held after this transfer, in units: the balance on its row less what moved later."""
    columns = f"{_HIGH_LOW} FROM ledger_transfer"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1, 0, balance FROM ledger_account WHERE id = %s"  # noqa: S608 - constants only
            f" UNION ALL SELECT -1, {columns} WHERE credit_id = %s AND id > %s"
            f" UNION ALL SELECT 1, {columns} WHERE debit_id = %s AND id > %s",
            [account_id, *[account_id, transfer_id] * 2],
        )
        return _total(cursor.fetchall())


def movements() -> dict[int, int]:
    """Credits less debits over all transfers, in units, for each account that has any."""
    columns = f"{_HIGH_LOW} FROM ledger_transfer"
    totals: defaultdict[int, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1, credit_id, {columns} GROUP BY credit_id"  # noqa: S608 - constants only
            f" UNION ALL SELECT -1, debit_id, {columns} GROUP BY debit_id"
        )
        for sign, account_id, high, low in cursor.fetchall():
            totals[account_id] += int(sign) * (int(high) * _SPLIT + int(low))
    return dict(totals)


def _total(rows: Iterable[tuple[int, int, int]]) -> int:
    """Of (sign, high, low); PostgreSQL sends its sums as Decimal."""
    return sum(int(sign) * (int(high) * _SPLIT + int(low)) for sign, high, low in rows)
