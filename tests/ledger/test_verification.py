"""The audit finds what was falsified behind the ledger's back, and nothing where nothing was."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from ledger import verification
from ledger.accounts import open_provider_account
from ledger.balances import statement_lines
from ledger.guards import expected_guards
from ledger.models import Account, Checkpoint, Transfer
from ledger.verification import one_snapshot, register_check, verify
from tests.ledger.builders import charge_of, deposit_of, posted, refund_of, wallet_with

pytestmark = pytest.mark.django_db
D = Decimal
POSTGRESQL = connection.vendor == "postgresql"


def falsify(sql: str, *params: int) -> None:
    """Do what the guards and constraints would refuse, as somebody with the database's password could."""
    with connection.cursor() as cursor:
        for guard in expected_guards():
            cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}" + (f" ON {guard.table}" if POSTGRESQL else ""))
        if POSTGRESQL:
            cursor.execute("ALTER TABLE ledger_account DROP CONSTRAINT IF EXISTS wallet_floor")
        else:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(sql, params)
        if not POSTGRESQL:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def differences() -> list[str]:
    return [sentence for sentence in verify().differences if "guard" not in sentence]


@pytest.fixture
def no_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_checks", {})


@pytest.fixture
def business(no_checks: None) -> tuple[Account, Transfer]:
    wallet = wallet_with("10")
    (transfer,) = posted(charge_of(wallet, "2.5"))
    posted(refund_of(wallet, "1"))
    return wallet, transfer


def test_empty_books_agree(no_checks: None) -> None:
    report = verify()
    assert report.clean
    assert (report.transfers, report.totals) == (0, [])


def test_honest_books_agree_and_the_totals_are_told_by_currency_and_kind(business: tuple[Account, Transfer]) -> None:
    wallet_with("3", currency="EUR")
    open_provider_account(currency="EUR")
    report = verify()
    assert report.differences == []
    totals = {(total.currency, total.kind.value): (total.accounts, total.balance) for total in report.totals}
    assert totals["USD", "wallet"] == (1, D("8.5"))
    assert totals["USD", "sales"] == (1, D("1.5"))
    assert totals["EUR", "deposits"] == (1, D(-3))
    assert totals["EUR", "provider"] == (1, D(0))
    assert sum(balance for _, balance in totals.values()) == 0


def test_a_balance_changed_by_hand_is_found_on_the_wallet_and_in_its_currency(
    business: tuple[Account, Transfer],
) -> None:
    Account.objects.filter(pk=business[0].pk).update(balance=D(9))
    wallet, currency = differences()
    assert wallet == f"{business[0]} has 9.00, its transfers add up to 8.50."
    assert currency == "The accounts in USD add up to 0.50 instead of 0."


def test_a_transfer_changed_by_hand_is_found(business: tuple[Account, Transfer]) -> None:
    falsify("UPDATE ledger_transfer SET amount = amount + 1 WHERE id = %s", business[1].pk)
    assert any("its transfers add up to 8.499999" in sentence for sentence in differences())


def test_a_deleted_transfer_is_found(business: tuple[Account, Transfer]) -> None:
    falsify("DELETE FROM ledger_transfer WHERE id = %s", business[1].pk)
    assert any("its transfers add up to 11.00" in sentence for sentence in differences())


def test_a_transfer_between_currencies_is_found(business: tuple[Account, Transfer]) -> None:
    euros = wallet_with(currency="EUR")
    falsify(f"UPDATE ledger_transfer SET credit_id = {euros.pk} WHERE id = %s", business[1].pk)  # noqa: S608
    found = differences()
    assert any("is between two currencies" in sentence for sentence in found)
    assert any(sentence.startswith("The accounts in USD") for sentence in found)


def test_a_wallet_below_its_floor_is_found(business: tuple[Account, Transfer]) -> None:
    falsify("UPDATE ledger_account SET floor = 9000000 WHERE id = %s", business[0].pk)
    assert differences() == [f"{business[0]} has 8.50, below its floor of 9.00."]


def test_a_wrong_checkpoint_is_found(business: tuple[Account, Transfer]) -> None:
    transfer = business[1]
    Checkpoint.objects.create(account=transfer.credit, last_transfer_id=transfer.pk, balance=D(2))
    Checkpoint.objects.create(account=transfer.credit, last_transfer_id=transfer.pk + 1, balance=D("1.5"))
    (sentence,) = differences()
    assert f"up to transfer {transfer.pk} says 2.00, the transfers add up to 2.50" in sentence


def test_a_lost_guard_is_found(business: tuple[Account, Transfer]) -> None:
    falsify("SELECT %s", 1)
    assert len([sentence for sentence in verify().differences if "lost its guard" in sentence]) == len(
        expected_guards()
    )


def test_a_room_above_adds_a_check_that_is_told_with_its_name(business: tuple[Account, Transfer]) -> None:
    def every_order_has_its_charge() -> Iterator[str]:
        yield f"order 7 has no charge among {Transfer.objects.count()} transfers."

    register_check("orders", every_order_has_its_charge)
    register_check("orders", every_order_has_its_charge)
    assert verify().differences == ["orders: order 7 has no charge among 3 transfers."]
    with pytest.raises(ValueError, match="registered already"):
        register_check("orders", list)


def test_volume_beyond_64_bits_is_summed_exactly(no_checks: None, settings: Settings) -> None:
    settings.LEDGER_MAX_AMOUNT = settings.LEDGER_MAX_BALANCE
    wallet = wallet_with()
    for _ in range(10):
        posted(deposit_of(wallet, settings.LEDGER_MAX_AMOUNT))
        posted(charge_of(wallet, settings.LEDGER_MAX_AMOUNT))
    report = verify()
    assert report.differences == []
    assert next(statement_lines(wallet)).balance_after == 0
    assert {total.balance for total in report.totals} >= {D(10) ** 13, D(10) ** 13 * -1, D(0)}


def test_the_command_prints_the_totals(business: tuple[Account, Transfer]) -> None:
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[-1] == "The books agree: 3 transfers."
    assert any(line.split() == ["USD", "Sales", "1.50", "1", "account"] for line in lines)


def test_the_command_tells_each_difference_and_fails(business: tuple[Account, Transfer]) -> None:
    Account.objects.filter(pk=business[0].pk).update(balance=D(9))
    errors = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("verify_ledger", stdout=StringIO(), stderr=errors)
    assert caught.value.code == 1
    assert "has 9.00, its transfers add up to 8.50." in errors.getvalue()
    assert "2 difference(s) found" in errors.getvalue()


def test_the_commands_help_has_an_example(settings: Settings) -> None:
    answer = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "verify_ledger", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Example: manage.py verify_ledger" in answer.stdout


@pytest.mark.django_db(transaction=True)
def test_verifying_inside_a_transaction_is_refused(no_checks: None) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        verify()


@pytest.mark.django_db(transaction=True)
def test_nothing_can_be_written_in_the_snapshot(no_checks: None) -> None:
    wallet = wallet_with("1")
    with pytest.raises(DatabaseError), one_snapshot():
        Account.objects.filter(pk=wallet.pk).update(balance=D(2))
    Account.objects.filter(pk=wallet.pk).update(floor=D(-1))  # and afterwards it can


@pytest.mark.skipif(POSTGRESQL, reason="PostgreSQL has no lock of the whole database")
@pytest.mark.django_db(transaction=True)
def test_the_snapshot_holds_no_write_lock_and_sees_one_moment(no_checks: None) -> None:
    wallet = wallet_with("1")
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), timeout=0, isolation_level=None)
    with one_snapshot():
        assert Account.objects.get(pk=wallet.pk).balance == D(1)
        other.execute("UPDATE ledger_account SET balance = 2000000 WHERE id = ?", [wallet.pk])
        assert Account.objects.get(pk=wallet.pk).balance == D(1)
    other.close()
    assert Account.objects.get(pk=wallet.pk).balance == D(2)
