"""The database refuses what would falsify the books, whoever asks and however."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from ledger.accounts import house_account, open_provider_account
from ledger.guards import expected_guards, install_guards, missing_guards, step_aside_for_rebuild
from ledger.models import Account, Checkpoint, Transfer
from tests.ledger.builders import charge_of, posted, wallet_with

pytestmark = pytest.mark.django_db
D = Decimal
POSTGRESQL = connection.vendor == "postgresql"


def refused(sql: str, *params: int) -> str:
    """What the database says to the statement; fails if it does it."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
    return str(caught.value)


def drop(name: str) -> None:
    guard = next(guard for guard in expected_guards() if guard.name == name)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}" + (f" ON {guard.table}" if POSTGRESQL else ""))


@pytest.fixture
def transfer() -> Transfer:
    return posted(charge_of(wallet_with("10"), "1"))[0]


def test_every_guard_is_there_after_migrate() -> None:
    assert missing_guards() == []
    assert install_guards() == []


@pytest.mark.parametrize("change", ["amount = 5", "reference = 'x'", "note = 'x'", "debit_id = credit_id"])
def test_a_transfer_is_never_changed(transfer: Transfer, change: str) -> None:
    assert "never changed" in refused(f"UPDATE ledger_transfer SET {change} WHERE id = %s", transfer.pk)  # noqa: S608


def test_a_transfer_is_never_deleted(transfer: Transfer) -> None:
    assert "never deleted" in refused("DELETE FROM ledger_transfer WHERE id = %s", transfer.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Transfer.objects.all().delete()


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("table", ["ledger_transfer", "ledger_account"])
def test_transfers_are_not_truncated_not_even_by_cascade(transfer: Transfer, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert "never deleted" in refused(f"TRUNCATE {table} CASCADE")


@pytest.mark.skipif(POSTGRESQL, reason="PostgreSQL has no INSERT OR REPLACE")
def test_a_row_is_not_replaced(transfer: Transfer) -> None:
    for key in ("id", "reference"):
        other = "reference" if key == "id" else "id"
        new = "'other'" if key == "id" else "id + 1000"
        assert "new" in refused(
            f"INSERT OR REPLACE INTO ledger_transfer ({key}, {other}, debit_id, credit_id, amount, kind, note, at)"  # noqa: S608
            f" SELECT {key}, {new}, debit_id, credit_id, 1, kind, note, at FROM ledger_transfer WHERE id = %s",
            transfer.pk,
        )
    assert "new" in refused(
        "INSERT OR REPLACE INTO ledger_account (id, kind, currency, balance, floor, opened_at)"
        " SELECT id, kind, currency, 0, floor, opened_at FROM ledger_account WHERE id = %s",
        transfer.debit_id,
    )


def test_money_does_not_change_its_currency() -> None:
    dollars, euros = wallet_with("10"), wallet_with(currency="EUR")
    with pytest.raises(IntegrityError, match="one currency"), transaction.atomic():
        Transfer.objects.create(debit=dollars, credit=euros, amount=D(1), kind="charge", reference="x")


@pytest.mark.parametrize("amount", [0, -1])
def test_a_transfer_is_positive(amount: int) -> None:
    wallet, sales = wallet_with("10"), house_account(Account.Kind.SALES, "USD")
    with pytest.raises(IntegrityError), transaction.atomic():
        Transfer.objects.create(debit=wallet, credit=sales, amount=D(amount), kind="charge", reference="x")


def test_an_account_keeps_its_kind_and_currency_but_may_change_its_floor() -> None:
    wallet = wallet_with()
    assert "keeps" in refused("UPDATE ledger_account SET currency = 'EUR' WHERE id = %s", wallet.pk)
    assert "keeps" in refused(
        "UPDATE ledger_account SET kind = 'provider', balance = NULL WHERE id = %s", wallet.pk
    )
    Account.objects.filter(pk=wallet.pk).update(floor=D(-5))
    wallet.refresh_from_db()
    assert wallet.floor == D(-5)


def test_an_account_starts_with_nothing() -> None:
    with pytest.raises(IntegrityError, match="balance of 0"), transaction.atomic():
        Account.objects.create(kind=Account.Kind.WALLET, currency="USD", balance=D("0.000001"))


def test_an_account_with_transfers_is_never_deleted_one_without_may_be(transfer: Transfer) -> None:
    for account_id in (transfer.debit_id, transfer.credit_id):
        assert "never deleted" in refused("DELETE FROM ledger_account WHERE id = %s", account_id)
    with pytest.raises(models.ProtectedError):
        transfer.debit.delete()
    open_provider_account(currency="USD").delete()


def test_a_checkpoint_is_never_changed(transfer: Transfer) -> None:
    checkpoint = Checkpoint.objects.create(account=transfer.credit, last_transfer_id=transfer.pk, balance=D(1))
    assert "never changed" in refused("UPDATE ledger_checkpoint SET balance = 7 WHERE id = %s", checkpoint.pk)
    checkpoint.delete()


@pytest.mark.parametrize("name", [guard.name for guard in expected_guards()])
def test_a_dropped_guard_is_missed_and_put_back(name: str) -> None:
    drop(name)
    assert missing_guards() == [name]
    assert install_guards() == [name]
    assert missing_guards() == []


def test_an_altered_guard_is_missed_and_put_back() -> None:
    name = "ledger_transfer_no_update"
    with connection.cursor() as cursor:
        if POSTGRESQL:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
            )
        else:
            drop(name)
            cursor.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON ledger_transfer BEGIN SELECT 1; END")
    assert missing_guards() == [name]
    install_guards()
    assert missing_guards() == []


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite cannot disable a trigger")
def test_a_disabled_guard_is_missed_and_put_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_account DISABLE TRIGGER ledger_account_update")
    assert missing_guards() == ["ledger_account_update"]
    install_guards()
    assert missing_guards() == []


@pytest.mark.django_db(transaction=True)
def test_migrate_puts_the_guards_back() -> None:
    drop("ledger_transfer_no_delete")
    call_command("migrate", verbosity=0)
    assert missing_guards() == []


@pytest.mark.skipif(POSTGRESQL, reason="PostgreSQL alters tables in place and keeps their triggers")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Account, Transfer, Checkpoint])
def test_a_table_that_sqlite_rebuilds_loses_its_guards_and_gets_them_back(
    transfer: Transfer, model: type[models.Model]
) -> None:
    migration = _ledger_migrations()[0]
    step_aside_for_rebuild(apps.get_app_config("ledger"), plan=[(migration, False)])
    with connection.schema_editor() as editor:
        editor._remake_table(model)  # type: ignore[attr-defined]
    install_guards()
    assert missing_guards() == []
    assert Transfer.objects.filter(pk=transfer.pk).exists()
    refused("DELETE FROM ledger_transfer WHERE id = %s", transfer.pk)


def test_the_guards_stay_when_a_migration_is_not_the_ledgers() -> None:
    step_aside_for_rebuild(apps.get_app_config("ledger"), plan=[])
    assert missing_guards() == []


def _ledger_migrations() -> list[Migration]:
    loader = MigrationLoader(connection)
    return [migration for (app, _), migration in loader.disk_migrations.items() if app == "ledger"]
