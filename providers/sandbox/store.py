"""Where the sandbox keeps its account, orders, refills and journal: SQLite, in a file or in memory.

One connection under one lock. Whatever happens together is one transaction with the journal entries that tell it, so
a kill between two statements leaves nothing half done; what was answered was committed before.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.sandbox.journal import Entry, JournalFile
from providers.sandbox.orders import Order, Refill

LOCK_SECONDS = 0.5  # for a sandbox that is just ending to let go of the file
_TABLES = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS account (balance INTEGER NOT NULL CHECK (balance >= 0), opening INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, parent INTEGER, service INTEGER NOT NULL, form TEXT NOT NULL, link TEXT NOT NULL,
    quantity INTEGER NOT NULL, rate INTEGER NOT NULL, charge INTEGER NOT NULL, status TEXT NOT NULL,
    start_count INTEGER NOT NULL, remains INTEGER NOT NULL, made_at REAL NOT NULL, started_at REAL, finish_at REAL,
    due REAL, cancel_at REAL, runs INTEGER NOT NULL, interval INTEGER NOT NULL, done INTEGER NOT NULL,
    request_id TEXT UNIQUE, details TEXT NOT NULL, shown TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_due ON orders (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_parent ON orders (parent) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_link ON orders (link);
CREATE TABLE IF NOT EXISTS refills (
    id INTEGER PRIMARY KEY, "order" INTEGER NOT NULL, status TEXT NOT NULL, ending TEXT NOT NULL,
    made_at REAL NOT NULL, due REAL
);
CREATE INDEX IF NOT EXISTS refills_due ON refills (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS refills_order ON refills ("order");
"""
_ORDER_COLUMNS = tuple(field.name for field in fields(Order))
_REFILL_COLUMNS = tuple(field.name for field in fields(Refill))


class Unusable(Exception):
    """The state or journal file cannot be used; the text is one sentence."""


class Store:
    """`state` None keeps all in memory."""

    def __init__(self, state: Path | None = None, journal: Path | None = None, *, fsync: bool = False) -> None:
        self.lock = threading.RLock()
        self._pending: list[str] = []
        self._depth = 0
        self._file = _open_journal(journal, fsync=fsync)
        try:
            self._db = self._open(state)
        except (sqlite3.Error, OSError) as error:
            self._close_file()
            raise Unusable(f"The state file {state} cannot be used: {error}.") from error
        self._copy_what_a_kill_left()

    def _open(self, state: Path | None) -> sqlite3.Connection:
        if state:
            state.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(state or ":memory:", check_same_thread=False, isolation_level=None, timeout=LOCK_SECONDS)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA locking_mode=EXCLUSIVE")  # two sandboxes on one file would answer the same ids
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing; a killed machine may
            db.executescript(_TABLES)
            db.execute("BEGIN IMMEDIATE")
            db.execute("COMMIT")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def close(self) -> None:
        with self.lock:
            self._db.close()
            self._close_file()

    def _close_file(self) -> None:
        if self._file:
            self._file.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another it is a part of that one."""
        with self.lock:
            if self._depth:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                self._pending.clear()
                raise
            finally:
                self._depth = 0
            self._flush()

    def _flush(self) -> None:
        if self._file and self._pending:
            self._file.append(self._pending)
        self._pending.clear()

    # Journal

    def note(self, kind: str, *, clock: float, **facts: Any) -> int:
        """Write one entry; it is told to the file when the transaction is committed."""
        with self.transaction():
            cursor = self._db.execute("INSERT INTO journal (line) VALUES ('')")
            seq = int(cursor.lastrowid or 0)
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            entry = {"seq": seq, "at": at, "clock": round(clock, 3), "kind": kind, **facts}
            line = json.dumps(entry, ensure_ascii=False)
            self._db.execute("UPDATE journal SET line = ? WHERE seq = ?", (line, seq))
            self._pending.append(line)
        return seq

    def entries(self, after: int = 0) -> list[Entry]:
        with self.lock:
            rows = self._db.execute("SELECT line FROM journal WHERE seq > ? ORDER BY seq", (after,)).fetchall()
        return [json.loads(row["line"]) for row in rows]

    def _copy_what_a_kill_left(self) -> None:
        if self._file:
            rows = self._db.execute("SELECT line FROM journal WHERE seq > ? ORDER BY seq", (self._file.last,))
            self._file.append(row["line"] for row in rows)

    # Facts and the account

    def fact(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def keep_fact(self, name: str, value: object) -> None:
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", (name, str(value)))

    def open_account(self, opening: int) -> bool:
        """Whether it was opened now; an account that is there stays as it is."""
        with self.transaction():
            if self._db.execute("SELECT 1 FROM account").fetchone():
                return False
            self._db.execute("INSERT INTO account (balance, opening) VALUES (?, ?)", (opening, opening))
            return True

    def balance(self) -> int:
        with self.lock:
            return int(self._db.execute("SELECT balance FROM account").fetchone()[0])

    def opening(self) -> int:
        with self.lock:
            return int(self._db.execute("SELECT opening FROM account").fetchone()[0])

    def move_balance(self, amount: int) -> int:
        """Add `amount`, which may be negative, and return the new balance."""
        with self.transaction():
            self._db.execute("UPDATE account SET balance = balance + ?", (amount,))
            return self.balance()

    # Orders

    def next_id(self, table: str, first: int) -> int:
        """Ids rise by one, and none is given twice."""
        row = self._db.execute(f"SELECT max(id) FROM {table}").fetchone()  # noqa: S608 - our own table names
        return max(first, int(row[0] or 0) + 1)

    def insert_order(self, order: Order) -> None:
        names = ", ".join(_ORDER_COLUMNS)
        marks = ", ".join("?" * len(_ORDER_COLUMNS))
        with self.transaction():
            self._db.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", _order_values(order))  # noqa: S608

    def save_order(self, order: Order) -> None:
        names = ", ".join(f"{name} = ?" for name in _ORDER_COLUMNS)
        with self.transaction():
            self._db.execute(f"UPDATE orders SET {names} WHERE id = ?", (*_order_values(order), order.id))  # noqa: S608

    def order(self, id: int) -> Order | None:
        return next(iter(self.orders([id])), None)

    def orders(self, ids: Sequence[int]) -> list[Order]:
        marks = ", ".join("?" * len(ids))
        return self.orders_where(f"id IN ({marks}) ORDER BY id", ids)

    def orders_where(self, condition: str, values: Iterable[Any] = ()) -> list[Order]:
        with self.lock:
            rows = self._db.execute(f"SELECT * FROM orders WHERE {condition}", tuple(values)).fetchall()  # noqa: S608
        return [_order(row) for row in rows]

    def value(self, query: str, values: Iterable[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        with self.lock:
            row = self._db.execute(query, tuple(values)).fetchone()
        return None if row is None else row[0]

    # Refills

    def insert_refill(self, refill: Refill) -> None:
        with self.transaction():
            values = [getattr(refill, name) for name in _REFILL_COLUMNS]
            self._db.execute("INSERT INTO refills VALUES (?, ?, ?, ?, ?, ?)", values)

    def save_refill(self, refill: Refill) -> None:
        with self.transaction():
            change = (refill.status, refill.due, refill.id)
            self._db.execute("UPDATE refills SET status = ?, due = ? WHERE id = ?", change)

    def refills_where(self, condition: str, values: Iterable[Any] = ()) -> list[Refill]:
        with self.lock:
            rows = self._db.execute(f"SELECT * FROM refills WHERE {condition}", tuple(values)).fetchall()  # noqa: S608
        return [Refill(**dict(row)) for row in rows]


def _open_journal(path: Path | None, *, fsync: bool) -> JournalFile | None:
    try:
        return JournalFile(path, fsync=fsync) if path else None
    except (OSError, ValueError, KeyError) as error:
        raise Unusable(f"The journal file {path} cannot be used: {error}.") from error


def _order_values(order: Order) -> list[Any]:
    values: dict[str, Any] = {name: getattr(order, name) for name in _ORDER_COLUMNS}
    values["details"] = json.dumps(order.details, ensure_ascii=False)
    values["shown"] = json.dumps(order.shown, ensure_ascii=False)
    return list(values.values())


def _order(row: sqlite3.Row) -> Order:
    values = dict(row)
    values["details"], values["shown"] = json.loads(values["details"]), json.loads(values["shown"])
    return Order(**values)
