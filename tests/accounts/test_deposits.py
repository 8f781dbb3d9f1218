"""Deposits and corrections: once a reference, never below the floor, and on record."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.deposits import MoneyRefused, correct, deposit
from accounts.models import Customer
from ledger.accounts import house_account
from ledger.balances import balance_of
from ledger.models import Account, Transfer
from records.audit import Actor
from records.models import AuditEntry
from tests.accounts.builders import anna

pytestmark = pytest.mark.django_db
BOSS = Actor("boss")


def _deposit(customer: Customer, amount: str, reference: str = "bank-1") -> Transfer:
    return deposit(customer=customer, amount=Decimal(amount), reference=reference, actor=BOSS, note="by bank")


def _correct(customer: Customer, amount: str, reference: str = "1", reason: str = "Paid twice.") -> Transfer:
    return correct(customer=customer, amount=Decimal(amount), reason=reason, actor=BOSS, reference=reference)


def test_a_deposit_credits_the_wallet_and_is_on_record() -> None:
    customer = anna()
    transfer = _deposit(customer, "12.500001")
    assert balance_of(customer.wallet) == Decimal("12.500001")
    assert balance_of(house_account(Account.Kind.DEPOSITS, "USD")) == Decimal("-12.500001")
    assert (transfer.reference, transfer.kind, transfer.note) == ("deposit:bank-1", Transfer.Kind.DEPOSIT, "by bank")
    entry = AuditEntry.objects.get(action="deposit")
    assert (entry.actor_name, entry.target_id, entry.after["amount"]) == ("boss", customer.pk, "12.500001")


def test_a_payment_counts_once() -> None:
    customer = anna()
    _deposit(customer, "5")
    with pytest.raises(MoneyRefused, match=r"^The reference bank-1 was recorded before\. No money moved\.$"):
        _deposit(customer, "5", " bank-1 ")
    assert balance_of(customer.wallet) == 5
    assert AuditEntry.objects.filter(action="deposit").count() == 1


@pytest.mark.parametrize("amount", ["0", "-1", "0.0000001", "NaN", "Infinity", "1E+30", "100000000001"])
def test_a_senseless_deposit_is_refused(amount: str) -> None:
    customer = anna()
    with pytest.raises(MoneyRefused, match="No money moved"):
        _deposit(customer, amount)
    assert balance_of(customer.wallet) == 0


@pytest.mark.parametrize("reference", ["", "  ", "x" * 121, "a\x00b"])
def test_a_senseless_reference_is_refused(reference: str) -> None:
    with pytest.raises(MoneyRefused, match="No money moved"):
        _deposit(anna(), "1", reference)


def test_a_correction_gives_or_takes_with_its_reason() -> None:
    customer = anna(balance=Decimal(10))
    _correct(customer, "2.5", "1")
    transfer = _correct(customer, "-5", "2", "Counted twice.")
    assert balance_of(customer.wallet) == Decimal("7.5")
    assert balance_of(house_account(Account.Kind.ADJUSTMENTS, "USD")) == Decimal("2.5")
    assert transfer.note == "Counted twice."
    entries = AuditEntry.objects.filter(action="correct_balance").order_by("id")
    told = [(entry.reason, entry.after["amount"]) for entry in entries]
    assert told == [("Paid twice.", "2.50"), ("Counted twice.", "-5.00")]


def test_a_correction_never_takes_what_is_not_there() -> None:
    customer = anna(balance=Decimal(3))
    with pytest.raises(MoneyRefused, match=r"The wallet holds 3\.00 USD, so 5\.00 cannot be taken\. No money moved\."):
        _correct(customer, "-5")
    assert balance_of(customer.wallet) == 3
    assert not AuditEntry.objects.filter(action="correct_balance").exists()


@pytest.mark.parametrize(("amount", "reason"), [("0", "Paid twice."), ("1", "  ")])
def test_a_correction_of_nothing_or_without_a_reason_is_refused(amount: str, reason: str) -> None:
    with pytest.raises(MoneyRefused, match="No money moved"):
        _correct(anna(), amount, reason=reason)


def test_a_correction_counts_once() -> None:
    customer = anna()
    _correct(customer, "1")
    with pytest.raises(MoneyRefused, match="recorded before"):
        _correct(customer, "1")
    assert balance_of(customer.wallet) == 1
