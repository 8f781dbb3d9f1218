"""What the database itself refuses, whoever asks: triggers on the ledger's tables, in SQLite and in PostgreSQL.

Transfers are never changed or deleted; both sides have one currency; an account keeps its kind and currency, starts
at nothing and stays while it has transfers; a checkpoint is never changed (it may be deleted: it only saves time, and
`verify` recounts it). A table that SQLite rebuilds in a migration loses its triggers without a word, so they are
compared with what is written here after every migrate, and by every `verify`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import AppConfig
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations import Migration

_BEFORE, _ROW = 2, 1  # bits of pg_trigger.tgtype
_EVENT_BITS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}


@dataclass(frozen=True, slots=True)
class Guard:
    """One trigger: `event` on `table` is refused with `message` where `unless` does not hold for the row."""

    name: str
    table: str
    event: str
    message: str
    refused_when: str = ""
    refused_when_on_sqlite: str = ""  # what INSERT OR REPLACE would delete without asking the DELETE trigger


_HAS_TRANSFERS = "EXISTS (SELECT 1 FROM ledger_transfer WHERE OLD.id IN (debit_id, credit_id))"
_CURRENCY = "(SELECT currency FROM ledger_account WHERE id = NEW.{})"
_SAME_CURRENCY = f"{_CURRENCY.format('debit_id')} = {_CURRENCY.format('credit_id')}"
_REPLACES_TRANSFER = " OR EXISTS (SELECT 1 FROM ledger_transfer WHERE id = NEW.id OR reference = NEW.reference)"
_REPLACES_ACCOUNT = " OR EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.id)"

GUARDS = (
    Guard("ledger_transfer_no_update", "ledger_transfer", "UPDATE", "a transfer is never changed"),
    Guard("ledger_transfer_no_delete", "ledger_transfer", "DELETE", "a transfer is never deleted"),
    Guard("ledger_transfer_no_truncate", "ledger_transfer", "TRUNCATE", "transfers are never deleted"),
    Guard(
        "ledger_transfer_insert",
        "ledger_transfer",
        "INSERT",
        "a transfer is new, positive, and between two accounts of one currency",
        f"NEW.amount <= 0 OR NOT COALESCE({_SAME_CURRENCY}, FALSE)",
        _REPLACES_TRANSFER,
    ),
    Guard(
        "ledger_account_insert",
        "ledger_account",
        "INSERT",
        "an account is new and starts with a balance of 0",
        "NEW.balance <> 0",
        _REPLACES_ACCOUNT,
    ),
    Guard(
        "ledger_account_update",
        "ledger_account",
        "UPDATE",
        "an account keeps its kind and its currency",
        "NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.currency <> OLD.currency",
    ),
    Guard(
        "ledger_account_delete",
        "ledger_account",
        "DELETE",
        "an account with transfers is never deleted",
        _HAS_TRANSFERS,
    ),
    Guard("ledger_checkpoint_no_update", "ledger_checkpoint", "UPDATE", "a checkpoint is never changed"),
)


def expected_guards() -> tuple[Guard, ...]:
    """The guards that this database can have: SQLite knows no TRUNCATE."""
    return tuple(guard for guard in GUARDS if _on_postgresql() or guard.event != "TRUNCATE")


def missing_guards() -> list[str]:
    """Names of the guards that are absent, disabled, or not as they are written here."""
    read = _found_on_postgresql if _on_postgresql() else _found_on_sqlite
    with connection.cursor() as cursor:
        found = read(cursor)
    return [guard.name for guard in expected_guards() if found.get(guard.name) != _definition(guard)]


def install_guards() -> list[str]:
    """Put every missing or altered guard (back) in place; returns their names. Locks nothing if none is missing."""
    missing = missing_guards()
    if missing:
        with transaction.atomic(), connection.cursor() as cursor:
            for guard in expected_guards():
                if guard.name in missing:
                    _drop(cursor, guard)
                    _create(cursor, guard)
    return missing


def install_after_migrate(sender: AppConfig, **_: object) -> None:
    """Receiver of Django's post_migrate for this app."""
    if set(_tables()) <= set(connection.introspection.table_names()):
        install_guards()


def step_aside_for_rebuild(sender: AppConfig, plan: list[tuple[Migration, bool]], **_: object) -> None:
    """Receiver of Django's pre_migrate: SQLite rebuilds a table by a rename, which fails on triggers that name it.

    Only when the plan has migrations of this app; post_migrate puts the guards back in the same command.
    """
    if _on_postgresql() or not any(migration.app_label == sender.label for migration, _ in plan):
        return
    with connection.cursor() as cursor:
        for guard in expected_guards():
            _drop(cursor, guard)


def _tables() -> list[str]:
    return sorted({guard.table for guard in GUARDS})


def _on_postgresql() -> bool:
    return connection.vendor == "postgresql"


def _definition(guard: Guard) -> object:
    """What the catalogue of this database must say of the guard."""
    return _postgresql_definition(guard) if _on_postgresql() else _sqlite_statement(guard)


def _drop(cursor: CursorWrapper, guard: Guard) -> None:
    if _on_postgresql():
        cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}")
    else:
        cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}")


def _create(cursor: CursorWrapper, guard: Guard) -> None:
    if not _on_postgresql():
        cursor.execute(_sqlite_statement(guard))
        return
    level = "STATEMENT" if guard.event == "TRUNCATE" else "ROW"
    cursor.execute(
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $guard${_body(guard)}$guard$"
    )
    cursor.execute(
        f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table}"
        f" FOR EACH {level} EXECUTE FUNCTION {guard.name}()"
    )


def _sqlite_statement(guard: Guard) -> str:
    when = f" WHEN {guard.refused_when}{guard.refused_when_on_sqlite}" if guard.refused_when else ""
    return (
        f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} FOR EACH ROW{when}"
        f" BEGIN SELECT RAISE(ABORT, '{guard.message}'); END"
    )


def _found_on_sqlite(cursor: CursorWrapper) -> dict[str, object]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return dict(cursor.fetchall())


def _body(guard: Guard) -> str:
    """The function's source. Both databases raise what Django calls an IntegrityError."""
    refuse = f"RAISE EXCEPTION '{guard.message}' USING ERRCODE = 'check_violation';"
    if not guard.refused_when:
        return f" BEGIN {refuse} END "
    row = "OLD" if guard.event == "DELETE" else "NEW"
    return f" BEGIN IF {guard.refused_when} THEN {refuse} END IF; RETURN {row}; END "


def _postgresql_definition(guard: Guard) -> tuple[object, ...]:
    level = 0 if guard.event == "TRUNCATE" else _ROW
    return guard.table, guard.name, _body(guard), level | _BEFORE | _EVENT_BITS[guard.event], True


def _found_on_postgresql(cursor: CursorWrapper) -> dict[str, object]:
    """Table, function, source, kind, and whether it fires always: enabled, with no condition and no column list."""
    cursor.execute(
        "SELECT t.tgname, c.relname, p.proname, p.prosrc, t.tgtype,"
        " t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr::text = ''"
        " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE NOT t.tgisinternal AND c.oid = ANY(SELECT to_regclass(name)::oid FROM unnest(%s::text[]) AS name)",
        [_tables()],
    )
    return {name: (table, function, source, kind, fires) for name, table, function, source, kind, fires in cursor}
