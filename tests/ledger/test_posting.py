"""Money moves whole or not at all, once a reference, and never below a wallet's floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from ledger.accounts import house_account, open_provider_account
from ledger.amounts import InexactAmount
from ledger.balances import balance_of
from ledger.models import Account, Transfer
from ledger.posting import AlreadyPosted, BalanceTooLarge, InsufficientFunds, InvalidPosting, Posting, post
from tests.ledger.builders import charge_of, deposit_of, posted, refund_of, wallet_with

pytestmark = pytest.mark.django_db
D = Decimal


def test_a_deposit_a_charge_and_a_refund_move_the_wallet_and_the_house() -> None:
    wallet = wallet_with("10")
    posted(charge_of(wallet, "2.5"))
    posted(refund_of(wallet, "0.000001"))
    assert balance_of(wallet) == D("7.500001")
    assert balance_of(house_account(Account.Kind.SALES, "USD")) == D("2.499999")
    assert balance_of(house_account(Account.Kind.DEPOSITS, "USD")) == D(-10)


def test_the_transfers_come_back_stored_and_in_the_order_given() -> None:
    wallet = wallet_with("10")
    transfers = posted(*[charge_of(wallet, "1", f"order:{n}:charge", order_id=n) for n in (3, 1, 2)])
    assert [transfer.order_id for transfer in transfers] == [3, 1, 2]
    assert [transfer.pk for transfer in transfers] == sorted(transfer.pk for transfer in transfers)
    assert Transfer.objects.get(reference="order:1:charge").amount == D(1)


def test_nothing_to_post_is_no_error() -> None:
    assert posted() == []


@pytest.mark.django_db(transaction=True)
def test_posting_outside_a_transaction_is_refused() -> None:
    wallet = wallet_with()
    with pytest.raises(TransactionManagementError):
        post([deposit_of(wallet, "1")])


def test_a_batch_is_netted_to_one_update_for_each_wallet_and_one_insert() -> None:
    first, second = wallet_with("5"), wallet_with("5")
    postings = [charge_of(wallet, "1") for wallet in (second, first, second)]
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        post(postings)
    statements = [query["sql"].split()[0] for query in queries]
    assert statements.count("UPDATE") == 2
    assert statements.count("INSERT") == 1
    assert "SELECT" not in statements


def test_a_charge_may_be_paid_by_a_deposit_of_the_same_batch() -> None:
    wallet = wallet_with()
    posted(charge_of(wallet, "3"), deposit_of(wallet, "4"))
    assert balance_of(wallet) == D(1)


def test_a_wallet_does_not_go_below_nothing() -> None:
    wallet = wallet_with("1")
    with pytest.raises(InsufficientFunds) as caught:
        posted(charge_of(wallet, "0.5"), charge_of(wallet, "0.500001"))
    error = caught.value
    assert (error.account_id, error.needed, error.balance) == (wallet.pk, D("1.000001"), D(1))
    assert isinstance(error.needed, Decimal)
    assert isinstance(error.balance, Decimal)
    assert balance_of(wallet) == D(1)


def test_a_wallet_may_be_emptied() -> None:
    wallet = wallet_with("1")
    posted(charge_of(wallet, "1"))
    assert balance_of(wallet) == 0


def test_a_credit_line_goes_to_its_floor_and_no_further() -> None:
    wallet = wallet_with(floor="-2")
    posted(charge_of(wallet, "2"))
    with pytest.raises(InsufficientFunds):
        posted(charge_of(wallet, "0.000001"))
    assert balance_of(wallet) == D(-2)


def test_one_wallet_without_funds_stops_the_whole_batch_and_the_transaction_goes_on() -> None:
    rich, poor = wallet_with("5"), wallet_with("1")
    with transaction.atomic():
        post([deposit_of(rich, "1")])
        with pytest.raises(InsufficientFunds):
            post([charge_of(rich, "2"), charge_of(poor, "2")])
        post([charge_of(rich, "1")])
    assert (balance_of(rich), balance_of(poor)) == (D(5), D(1))


def test_a_reference_is_posted_once_and_the_transaction_goes_on() -> None:
    wallet = wallet_with("5")
    posted(charge_of(wallet, "1", "order:7:charge"))
    with transaction.atomic():
        with pytest.raises(AlreadyPosted) as caught:
            post([charge_of(wallet, "1", "order:8:charge"), charge_of(wallet, "1", "order:7:charge")])
        post([charge_of(wallet, "1", "order:9:charge")])
    assert caught.value.references == ["order:7:charge"]
    assert balance_of(wallet) == D(3)
    assert not Transfer.objects.filter(reference="order:8:charge").exists()


def test_a_second_charge_is_called_posted_before_even_when_the_wallet_is_empty_by_now() -> None:
    wallet = wallet_with("1")
    posted(charge_of(wallet, "1", "order:7:charge"))
    with pytest.raises(AlreadyPosted):
        posted(charge_of(wallet, "1", "order:7:charge"))


def test_a_reference_twice_in_one_batch_is_refused() -> None:
    wallet = wallet_with("5")
    with pytest.raises(AlreadyPosted) as caught:
        posted(charge_of(wallet, "1", "order:7:charge"), charge_of(wallet, "1", "order:7:charge"))
    assert caught.value.references == ["order:7:charge"]
    assert balance_of(wallet) == D(5)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda posting: replace(posting, amount=D(0)),
        lambda posting: replace(posting, amount=D(-1)),
        lambda posting: replace(posting, amount=D("100000000000.000001")),
        lambda posting: replace(posting, value=D(-1)),
        lambda posting: replace(posting, value=D(10) ** 15),
        lambda posting: replace(posting, reference=""),
        lambda posting: replace(posting, reference="x" * 151),
        lambda posting: replace(posting, reference="order:\0:charge"),
        lambda posting: replace(posting, note="x" * 301),
        lambda posting: replace(posting, note="\0"),
        lambda posting: replace(posting, credit=posting.debit),
        lambda posting: replace(posting, credit=Account(kind=Account.Kind.SALES, currency="USD")),
        lambda posting: replace(posting, credit=house_account(Account.Kind.SALES, "EUR")),
        lambda posting: replace(posting, kind="present"),
    ],
)
def test_a_senseless_posting_is_refused_on_both_databases_alike(spoil: Callable[[Posting], Posting]) -> None:
    wallet = wallet_with("5")
    with transaction.atomic():
        with pytest.raises(InvalidPosting):
            post([spoil(charge_of(wallet, "1"))])
        post([charge_of(wallet, "1")])
    assert balance_of(wallet) == D(4)


@pytest.mark.parametrize("amount", [D("NaN"), D("Infinity"), D("0.0000001"), 0.5, True])
def test_an_amount_that_is_no_exact_decimal_is_refused(amount: Decimal) -> None:
    wallet = wallet_with("5")
    with pytest.raises(InexactAmount):
        posted(replace(charge_of(wallet, "1"), amount=amount))


def test_a_batch_has_a_largest_size(settings: Settings) -> None:
    settings.LEDGER_MAX_POSTINGS = 2
    wallet = wallet_with("5")
    with pytest.raises(InvalidPosting, match="3 postings"):
        posted(*[charge_of(wallet, "1") for _ in range(3)])


def test_a_balance_has_an_upper_bound_far_below_what_the_column_holds(settings: Settings) -> None:
    wallet = wallet_with()
    settings.LEDGER_MAX_AMOUNT = D(10) ** 12
    posted(deposit_of(wallet, D(10) ** 12))
    assert balance_of(wallet) == D(10) ** 12
    with pytest.raises(BalanceTooLarge) as caught:
        posted(deposit_of(wallet, "0.000001"))
    assert caught.value.balance == D(10) ** 12
    posted(charge_of(wallet, "1"))
    assert balance_of(wallet) == D(10) ** 12 - 1


def test_a_net_movement_beyond_the_column_is_refused_both_ways(settings: Settings) -> None:
    wallet = wallet_with()
    settings.LEDGER_MAX_AMOUNT = D(10) ** 12
    many = 10  # times 10^12 is beyond 64 bits of 10^-6
    with pytest.raises(BalanceTooLarge):
        posted(*[deposit_of(wallet, D(10) ** 12) for _ in range(many)])
    with pytest.raises(InsufficientFunds):
        posted(*[charge_of(wallet, D(10) ** 12) for _ in range(many)])


def test_what_a_provider_took_keeps_its_value_in_the_panels_currency() -> None:
    provider, cost = open_provider_account(currency="RUB"), house_account(Account.Kind.COST, "RUB")
    posted(
        Posting(
            debit=provider,
            credit=cost,
            amount=D("90.5"),
            value=D("1.000001"),
            kind=Transfer.Kind.COST,
            reference="order:1:cost",
            order_id=1,
        )
    )
    assert Transfer.objects.get().value == D("1.000001")
    assert balance_of(provider) == D("-90.5")


def test_what_lies_exactly_on_a_limit_is_posted(settings: Settings) -> None:
    settings.LEDGER_MAX_POSTINGS = 2
    wallet = wallet_with("1")
    lengths = {name: getattr(Transfer._meta.get_field(name), "max_length", 0) for name in ("reference", "note")}
    shortest = replace(charge_of(wallet, "0.5"), reference="x")
    longest = replace(
        charge_of(wallet, "0.5"), reference="y" * lengths["reference"], note="z" * lengths["note"], value=D(0)
    )
    assert len(posted(shortest, longest)) == 2
    assert Transfer.objects.get(reference="y" * lengths["reference"]).note == "z" * lengths["note"]
    largest = replace(deposit_of(wallet, settings.LEDGER_MAX_AMOUNT), value=settings.LEDGER_MAX_AMOUNT)
    assert posted(largest)[0].value == settings.LEDGER_MAX_AMOUNT


def test_a_wallet_short_of_its_credit_line_says_where_that_ends() -> None:
    with pytest.raises(InsufficientFunds) as caught:
        posted(charge_of(wallet_with("1", floor="-5"), "6.5"))
    assert (caught.value.needed, caught.value.balance, caught.value.floor) == (D("6.5"), D(1), D(-5))


def test_a_deposit_repeated_when_the_wallet_is_full_is_called_posted_before(settings: Settings) -> None:
    settings.LEDGER_MAX_BALANCE = D(10)
    wallet = wallet_with("4")
    posted(deposit_of(wallet, "6", "deposit:7"))
    with pytest.raises(AlreadyPosted):
        posted(deposit_of(wallet, "6", "deposit:7"))
    assert balance_of(wallet) == 10


def test_an_account_to_itself_or_one_that_is_not_stored_is_refused_in_words() -> None:
    wallet = wallet_with("1")
    for other in (wallet, Account(kind=Account.Kind.SALES, currency="USD")):
        with pytest.raises(InvalidPosting, match=": it needs two stored accounts$"):
            posted(replace(charge_of(wallet, "1"), credit=other))
