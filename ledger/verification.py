"""The audit of the books: does everything that must be equal agree, in one consistent snapshot of the database?

It reads in a transaction that sees one moment and never writes: PostgreSQL's REPEATABLE READ, READ ONLY; SQLite's
deferred transaction in WAL (Django's own begins IMMEDIATE and would hold the write lock). So it is right while orders
are placed, and nobody waits for it. Rooms above register checks of their own, which run in the same snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from ledger.amounts import from_units, plain, to_units
from ledger.guards import missing_guards
from ledger.models import Account, Checkpoint, Transfer
from ledger.sums import movement, movements

Check = Callable[[], Iterable[str]]

_checks: dict[str, Check] = {}


@dataclass(frozen=True, slots=True)
class Total:
    """All accounts of one kind in one currency."""

    currency: str
    kind: Account.Kind
    accounts: int
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Report:
    """What the books hold, and one sentence for each thing that does not agree."""

    taken_at: datetime
    transfers: int
    totals: list[Total]
    differences: list[str]

    @property
    def clean(self) -> bool:
        return not self.differences


def register_check(name: str, check: Check) -> None:
    """Add a check to every `verify`; it yields one sentence a difference. Call it in AppConfig.ready, once a name."""
    if _checks.setdefault(name, check) is not check:
        raise ValueError(f"a check named {name!r} is registered already")


def verify() -> Report:
    """Audit the books as they are at this moment. Must not run inside a transaction: it makes its own."""
    with one_snapshot():
        moved = movements()
        accounts = list(Account.objects.order_by("currency", "kind", "id"))
        differences = [
            *(f"The database has lost its guard {name}: run migrate." for name in missing_guards()),
            *_wallets(accounts, moved),
            *_transfers(),
            *_currencies(accounts, moved),
            *_checkpoints(),
            *(f"{name}: {sentence}" for name, check in _checks.items() for sentence in check()),
        ]
        return Report(
            taken_at=timezone.now(),
            transfers=Transfer.objects.count(),
            totals=_totals(accounts, moved),
            differences=differences,
        )


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Everything read inside is of one moment; nothing can be written, and nobody is kept from writing."""
    connection.ensure_connection()
    inside_a_test = connection.in_atomic_block  # `durable` refuses every other outer transaction
    if connection.vendor == "postgresql":
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            if not inside_a_test:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with _deferred_begin(), _query_only(), transaction.atomic(durable=True):
        yield


@contextmanager
def _deferred_begin() -> Iterator[None]:
    """The next BEGIN of this thread's SQLite connection takes no lock; its first read fixes the snapshot."""
    mode = connection.transaction_mode  # type: ignore[attr-defined]  # SQLite's wrapper has it
    connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]


@contextmanager
def _query_only() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
        try:
            yield
        finally:
            cursor.execute("PRAGMA query_only = OFF")


def _wallets(accounts: list[Account], moved: dict[int, int]) -> Iterator[str]:
    for account in accounts:
        if account.kind != Account.Kind.WALLET:
            if account.balance is not None:
                yield f"{account} keeps a balance of its own, {plain(account.balance)}."
            continue
        if account.balance is None:
            yield f"{account} has no balance."
            continue
        of_transfers = from_units(moved.get(account.pk, 0))
        if account.balance != of_transfers:
            yield f"{account} has {plain(account.balance)}, its transfers add up to {plain(of_transfers)}."
        if account.balance < account.floor:
            yield f"{account} has {plain(account.balance)}, below its floor of {plain(account.floor)}."


def _transfers() -> Iterator[str]:
    """What only a database without its guards can hold."""
    for transfer in Transfer.objects.exclude(debit__currency=F("credit__currency")).iterator():
        yield f"Transfer {transfer.pk} ({transfer}) is between two currencies."
    for transfer in Transfer.objects.filter(Q(amount__lte=0) | Q(debit=F("credit"))).iterator():
        yield f"Transfer {transfer.pk} ({transfer}) moves {plain(transfer.amount)} between {transfer.debit_id} and " + (
            f"{transfer.credit_id}."
        )


def _currencies(accounts: list[Account], moved: dict[int, int]) -> Iterator[str]:
    """By the balances as people see them: the wallets' rows, and for the others their transfers."""
    sums: defaultdict[str, int] = defaultdict(int)
    for account in accounts:
        sums[account.currency] += _units(account, moved)
    for currency, units in sums.items():
        if units:
            yield f"The accounts in {currency} add up to {plain(from_units(units))} instead of 0."
    for account_id in sorted(set(moved) - {account.pk for account in accounts}):
        yield f"Account {account_id} has transfers but does not exist."


def _checkpoints() -> Iterator[str]:
    """Each against a full count of its account; from one checkpoint to the next, so that a transfer is read once."""
    account_id, last_id, units = 0, 0, 0
    for checkpoint in Checkpoint.objects.order_by("account_id", "last_transfer_id").select_related("account"):
        if checkpoint.account_id != account_id:
            account_id, last_id, units = checkpoint.account_id, 0, 0
        units += movement(account_id, after_id=last_id, up_to_id=checkpoint.last_transfer_id)
        last_id = checkpoint.last_transfer_id
        if to_units(checkpoint.balance) != units:
            yield (
                f"The checkpoint of {checkpoint.account} up to transfer {last_id} says {plain(checkpoint.balance)},"
                f" the transfers add up to {plain(from_units(units))}."
            )


def _totals(accounts: list[Account], moved: dict[int, int]) -> list[Total]:
    counts: defaultdict[tuple[str, str], int] = defaultdict(int)
    units: defaultdict[tuple[str, str], int] = defaultdict(int)
    for account in accounts:
        counts[account.currency, account.kind] += 1
        units[account.currency, account.kind] += _units(account, moved)
    return [
        Total(currency, Account.Kind(kind), number, from_units(units[currency, kind]))
        for (currency, kind), number in counts.items()
    ]


def _units(account: Account, moved: dict[int, int]) -> int:
    return moved.get(account.pk, 0) if account.balance is None else to_units(account.balance)
