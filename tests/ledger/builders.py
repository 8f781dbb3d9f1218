"""A small cast of accounts and the postings between them."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from django.db import transaction

from ledger.accounts import house_account, open_wallet
from ledger.models import Account, Transfer
from ledger.posting import Posting, post

_numbers = count(1)


def deposit_of(wallet: Account, amount: str | Decimal, reference: str = "") -> Posting:
    return Posting(
        debit=house_account(Account.Kind.DEPOSITS, wallet.currency),
        credit=wallet,
        amount=Decimal(amount),
        kind=Transfer.Kind.DEPOSIT,
        reference=reference or f"deposit:{next(_numbers)}",
    )


def charge_of(wallet: Account, amount: str | Decimal, reference: str = "", order_id: int | None = None) -> Posting:
    return Posting(
        debit=wallet,
        credit=house_account(Account.Kind.SALES, wallet.currency),
        amount=Decimal(amount),
        kind=Transfer.Kind.CHARGE,
        reference=reference or f"order:{next(_numbers)}:charge",
        order_id=order_id,
    )


def refund_of(wallet: Account, amount: str | Decimal, reference: str = "", order_id: int | None = None) -> Posting:
    return Posting(
        debit=house_account(Account.Kind.SALES, wallet.currency),
        credit=wallet,
        amount=Decimal(amount),
        kind=Transfer.Kind.REFUND,
        reference=reference or f"order:{next(_numbers)}:refund:1",
        order_id=order_id,
    )


def posted(*postings: Posting) -> list[Transfer]:
    with transaction.atomic():
        return post(postings)


def wallet_with(balance: str | Decimal = "0", *, currency: str = "USD", floor: str = "0") -> Account:
    wallet = open_wallet(currency=currency, floor=Decimal(floor))
    if Decimal(balance):
        posted(deposit_of(wallet, balance))
    return wallet
