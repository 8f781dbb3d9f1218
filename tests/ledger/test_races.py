"""What happens when many do it at once, each on a connection of its own.

SQLite lets one writer in at a time, so there these tests show that nobody is refused or sees half of a posting; the
races that need two writers inside at once are PostgreSQL's. The twin with a deliberately naive charge must overdraw: it
shows that these tests can see the race at all.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier, Event
from typing import TypeVar

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.accounts import HOUSE_KINDS, house_account
from ledger.balances import balance_of, statement
from ledger.models import Account, Transfer
from ledger.posting import AlreadyPosted, InsufficientFunds, post
from ledger.verification import verify
from tests.ledger.builders import charge_of, deposit_of, posted, wallet_with

pytestmark = pytest.mark.django_db(transaction=True)
needs_two_writers = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time: this race cannot begin"
)
D = Decimal
T = TypeVar("T")


def at_once(do: Callable[[int], T], *, threads: int) -> list[T | Exception]:
    """Call do(0) … do(threads - 1) at the same moment; what each returned or raised."""
    start = Barrier(threads)

    def one(number: int) -> T | Exception:
        try:
            start.wait(timeout=10)
            return do(number)
        except (AlreadyPosted, InsufficientFunds, AssertionError, DatabaseError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def test_sixteen_at_once_never_overdraw_a_wallet() -> None:
    wallet = wallet_with("10")
    results = at_once(lambda number: posted(charge_of(wallet, "1", f"order:{number}:charge")), threads=16)
    assert sum(isinstance(result, list) for result in results) == 10
    assert sum(isinstance(result, InsufficientFunds) for result in results) == 6
    assert balance_of(wallet) == 0
    assert balance_of(house_account(Account.Kind.SALES, "USD")) == D(10)
    assert verify().clean


@pytest.mark.postgres
@needs_two_writers
def test_twin_a_naive_charge_overdraws_under_the_same_test() -> None:
    wallet, sales = wallet_with("10"), house_account(Account.Kind.SALES, "USD")
    all_have_read = Barrier(16)

    def charge_naively(number: int) -> None:
        with transaction.atomic():
            seen = balance_of(wallet)
            all_have_read.wait(timeout=10)
            if seen >= 1:
                Account.objects.filter(pk=wallet.pk).update(balance=seen - 1)
                Transfer.objects.create(
                    debit=wallet, credit=sales, amount=D(1), kind="charge", reference=f"order:{number}:charge"
                )

    assert at_once(charge_naively, threads=16) == [None] * 16
    assert balance_of(sales) == D(16)  # sold for more than the wallet ever had
    assert not verify().clean


def test_one_reference_from_eight_at_once_is_posted_once() -> None:
    wallet = wallet_with("1")
    results = at_once(lambda _: posted(charge_of(wallet, "1", "order:7:charge")), threads=8)
    assert sum(isinstance(result, list) for result in results) == 1
    assert sum(isinstance(result, AlreadyPosted) for result in results) == 7
    assert balance_of(wallet) == 0


@pytest.mark.postgres
@needs_two_writers
def test_a_loser_whose_rival_commits_while_it_waits_can_go_on_in_its_transaction() -> None:
    sales, deposits = house_account(Account.Kind.SALES, "USD"), house_account(Account.Kind.DEPOSITS, "USD")
    wallets = [wallet_with("5") for _ in range(8)]  # no common wallet: they meet at the unique reference alone
    assert sales.pk != deposits.pk

    def charge_and_go_on(number: int) -> bool:
        with transaction.atomic():
            try:
                post([charge_of(wallets[number], "1", "order:7:charge")])
            except AlreadyPosted:
                post([deposit_of(wallets[number], "2", f"deposit:again-{number}")])
                return False
            return True

    results = at_once(charge_and_go_on, threads=8)
    assert sorted(map(str, results)) == ["False"] * 7 + ["True"]
    assert sorted(balance_of(wallet) for wallet in wallets) == [D(4)] + [D(7)] * 7


def test_a_house_account_is_made_once_and_the_transaction_of_every_rival_goes_on() -> None:
    def ask(_: int) -> int:
        with transaction.atomic():
            account = house_account(Account.Kind.COST, "EUR")
            return house_account(Account.Kind.SALES, "EUR").pk - account.pk

    results = at_once(ask, threads=8)
    assert len(set(map(str, results))) == 1
    assert Account.objects.filter(currency="EUR").count() == len(HOUSE_KINDS)


def test_batches_over_the_same_wallets_in_opposite_orders_do_not_wait_in_a_circle() -> None:
    wallets = [wallet_with("100"), wallet_with("100")]

    def charge_both(number: int) -> None:
        for turn in range(5):
            order = wallets if number % 2 else wallets[::-1]
            posted(*[charge_of(wallet, "1", f"order:{number}-{turn}-{wallet.pk}:charge") for wallet in order])

    assert at_once(charge_both, threads=8) == [None] * 8
    assert [balance_of(wallet) for wallet in wallets] == [D(60), D(60)]


def test_the_audit_and_the_statement_are_right_while_money_moves() -> None:
    wallet = wallet_with("100")
    done = Event()

    def trade(number: int) -> None:
        if number == 0:
            try:
                for _ in range(8):
                    assert verify().differences == []
                    lines = statement(wallet, before_id=None, limit=20)
                    for newer, older in zip(lines, lines[1:], strict=False):
                        assert newer.balance_after == (older.balance_after or 0) + newer.amount
            finally:
                done.set()
            return
        turn = 0
        while not done.is_set():
            turn += 1
            posted(
                charge_of(wallet, "0.3", f"order:{number}-{turn}:charge"),
                deposit_of(wallet, "0.2", f"deposit:{number}-{turn}"),
            )

    assert at_once(trade, threads=4) == [None] * 4
    newest = statement(wallet, before_id=None, limit=1)[0]
    assert newest.balance_after == balance_of(wallet)
