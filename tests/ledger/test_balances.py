"""Balances, statements and checkpoints, as an account's owner reads them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from ledger.accounts import NotACurrency, house_account, open_provider_account, open_wallet
from ledger.balances import balance_of, cut_checkpoints, statement, statement_lines
from ledger.models import Account, Checkpoint, Transfer
from ledger.verification import verify
from tests.ledger.builders import charge_of, deposit_of, posted, refund_of, wallet_with

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def old_enough(settings: Settings) -> None:
    """Everything posted so far counts as settled."""
    settings.LEDGER_CHECKPOINT_AGE_MINUTES = 0


def sales() -> Account:
    return house_account(Account.Kind.SALES, "USD")


def test_a_new_account_holds_nothing() -> None:
    assert balance_of(open_wallet(currency="USD")) == 0
    assert balance_of(open_provider_account(currency="EUR")) == 0
    assert balance_of(sales()) == 0


@pytest.mark.parametrize("currency", ["", "usd", "U", "DOLLARSANDCENTS", "U$D", "USD\n"])
def test_a_currency_is_a_code(currency: str) -> None:
    for opening in (open_wallet, open_provider_account):
        with pytest.raises(NotACurrency):
            opening(currency=currency)
    with pytest.raises(NotACurrency):
        house_account(Account.Kind.SALES, currency)


def test_a_wallet_is_no_house_account_and_has_no_floor_above_its_start() -> None:
    with pytest.raises(ValueError, match="not a house account"):
        house_account(Account.Kind.WALLET, "USD")
    with pytest.raises(ValueError, match="starts empty"):
        open_wallet(currency="USD", floor=D(1))


def test_a_house_account_is_the_same_every_time() -> None:
    assert sales() == sales()
    assert sales() != house_account(Account.Kind.SALES, "EUR")


def test_a_balance_is_read_from_the_database_not_from_the_instance() -> None:
    wallet = wallet_with("1")
    assert wallet.balance == 0
    assert balance_of(wallet) == D(1)


def test_a_house_balance_is_the_checkpoint_and_what_came_later(old_enough: None) -> None:
    wallet = wallet_with("10")
    posted(charge_of(wallet, "3"))
    assert cut_checkpoints() == 2  # sales and deposits
    posted(charge_of(wallet, "1"), refund_of(wallet, "0.25"))
    assert Checkpoint.objects.get(account=sales()).balance == D(3)
    assert balance_of(sales()) == D("3.75")


def test_checkpoints_add_up_and_old_ones_go(old_enough: None) -> None:
    wallet = wallet_with("10")
    for _ in range(4):
        posted(charge_of(wallet, "1"))
        assert cut_checkpoints() >= 1
    assert [point.balance for point in Checkpoint.objects.filter(account=sales()).order_by("id")] == [D(3), D(4)]
    assert balance_of(sales()) == D(4)
    assert verify().differences == []


def test_no_checkpoint_is_cut_where_nothing_moved(old_enough: None) -> None:
    open_provider_account(currency="USD")
    assert cut_checkpoints() == 0
    wallet_with("10")
    assert cut_checkpoints() == 1
    assert cut_checkpoints() == 0


def test_young_transfers_are_not_cut(settings: Settings) -> None:
    wallet = wallet_with("10")
    assert cut_checkpoints() == 0
    an_hour_ago = timezone.now() - timedelta(minutes=settings.LEDGER_CHECKPOINT_AGE_MINUTES + 1)
    Transfer.objects.create(
        debit=house_account(Account.Kind.DEPOSITS, "USD"),
        credit=house_account(Account.Kind.ADJUSTMENTS, "USD"),
        amount=D(1),
        kind=Transfer.Kind.CORRECTION,
        reference="old",
        at=an_hour_ago,
    )
    posted(charge_of(wallet, "1"))
    assert cut_checkpoints() == 2  # the deposit is younger, but its id is lower: it is in the cut
    assert not Checkpoint.objects.filter(account=sales()).exists()
    assert balance_of(house_account(Account.Kind.DEPOSITS, "USD")) == D(-11)


def test_a_statement_shows_each_line_signed_with_the_balance_after_it_newest_first() -> None:
    wallet = wallet_with("10")
    posted(charge_of(wallet, "2.5", order_id=7))
    posted(refund_of(wallet, "1", order_id=7))
    lines = statement(wallet, before_id=None, limit=10)
    assert [(line.kind, line.amount, line.balance_after, line.order_id) for line in lines] == [
        (Transfer.Kind.REFUND, D(1), D("8.5"), 7),
        (Transfer.Kind.CHARGE, D("-2.5"), D("7.5"), 7),
        (Transfer.Kind.DEPOSIT, D(10), D(10), None),
    ]


def test_pages_of_a_statement_follow_each_other_and_carry_the_balance() -> None:
    wallet, other = wallet_with("100"), wallet_with("100")
    for number in range(1, 10):
        posted(charge_of(wallet, str(number)), charge_of(other, "1"))
    whole = statement(wallet, before_id=None, limit=100)
    assert len(whole) == 10
    assert whole[0].balance_after == balance_of(wallet)
    pages, before_id = [], None
    while page := statement(wallet, before_id=before_id, limit=3):
        pages += page
        before_id = page[-1].id
    assert pages == whole
    assert pages == list(statement_lines(wallet))


def test_a_page_already_seen_stays_as_it_was_when_more_is_posted() -> None:
    wallet = wallet_with("10")
    posted(charge_of(wallet, "1"), charge_of(wallet, "2"))
    first = statement(wallet, before_id=None, limit=1)
    older = statement(wallet, before_id=first[-1].id, limit=5)
    posted(deposit_of(wallet, "50"))
    assert statement(wallet, before_id=first[-1].id, limit=5) == older


def test_a_house_account_has_a_statement_without_running_balances() -> None:
    posted(charge_of(wallet_with("10"), "4"))
    (line,) = statement(sales(), before_id=None, limit=5)
    assert (line.amount, line.balance_after) == (D(4), None)
    assert list(statement_lines(sales())) == [line]


def test_an_empty_account_has_an_empty_statement() -> None:
    assert statement(open_wallet(currency="USD"), before_id=None, limit=5) == []
    assert list(statement_lines(open_wallet(currency="USD"))) == []


def test_a_page_and_the_memory_of_an_export_are_bounded(settings: Settings) -> None:
    settings.LEDGER_STATEMENT_MAX_LINES = 2
    wallet = wallet_with("10")
    posted(*[charge_of(wallet, "1") for _ in range(4)])
    assert len(statement(wallet, before_id=None, limit=1000)) == 2
    with CaptureQueriesContext(connection) as queries:
        lines = list(statement_lines(wallet))
    assert [line.balance_after for line in lines] == [D(6), D(7), D(8), D(9), D(10)]
    assert len(queries) == 5  # three pages, the empty one after them, and one balance
