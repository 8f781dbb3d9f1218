"""Money that enters a wallet from outside, and corrections by an operator.

Each has a reference from outside (a bank's, a gateway's, the operator's own) that is posted once: who records the same
payment twice is told so, and no money moves.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import transaction

from accounts.models import Customer
from ledger.accounts import house_account
from ledger.amounts import InexactAmount, plain, to_units
from ledger.models import Account, Transfer
from ledger.posting import AlreadyPosted, BalanceTooLarge, InsufficientFunds, InvalidPosting, Posting, post
from records.audit import Actor, audit


class MoneyRefused(Exception):
    """Nothing was posted; the message is a sentence that says why."""


def deposit(*, customer: Customer, amount: Decimal, reference: str, actor: Actor, note: str = "") -> Transfer:
    """Credit a payment to the customer's wallet; `reference` is the payment's own and counts once in the panel."""
    _check(amount, reference)
    if amount <= 0:
        raise MoneyRefused("A deposit is more than 0. No money moved.")
    wallet = customer.wallet
    posting = Posting(
        debit=house_account(Account.Kind.DEPOSITS, wallet.currency),
        credit=wallet,
        amount=amount,
        kind=Transfer.Kind.DEPOSIT,
        reference=f"deposit:{reference.strip()}",
        note=note,
    )
    return _post(customer, posting, action="deposit", actor=actor, reason=note, change=amount)


def correct(*, customer: Customer, amount: Decimal, reason: str, actor: Actor, reference: str) -> Transfer:
    """Give (above 0) or take (below 0) with a written reason; never below the wallet's floor."""
    _check(amount, reference)
    if amount == 0:
        raise MoneyRefused("A correction is not 0. No money moved.")
    if not reason.strip():
        raise MoneyRefused("A correction needs a reason. No money moved.")
    wallet = customer.wallet
    house = house_account(Account.Kind.ADJUSTMENTS, wallet.currency)
    posting = Posting(
        debit=house if amount > 0 else wallet,
        credit=wallet if amount > 0 else house,
        amount=abs(amount),
        kind=Transfer.Kind.CORRECTION,
        reference=f"correction:{reference.strip()}",
        note=reason,
    )
    return _post(customer, posting, action="correct_balance", actor=actor, reason=reason, change=amount)


def _check(amount: Decimal, reference: str) -> None:
    try:
        to_units(amount)
    except InexactAmount:
        raise MoneyRefused("The amount has at most 6 decimal places. No money moved.") from None
    if abs(amount) > settings.LEDGER_MAX_AMOUNT:
        raise MoneyRefused(f"The amount is at most {plain(settings.LEDGER_MAX_AMOUNT)}. No money moved.")
    if not reference.strip() or len(reference) > 120:
        raise MoneyRefused("The reference has 1 to 120 characters. No money moved.")


def _post(
    customer: Customer, posting: Posting, *, action: str, actor: Actor, reason: str, change: Decimal
) -> Transfer:
    currency = customer.wallet.currency
    try:
        with transaction.atomic():
            [transfer] = post([posting])
            balance = Account.objects.values_list("balance", flat=True).get(pk=customer.wallet_id)
            assert balance is not None, "a wallet keeps its balance"
            after = {"amount": change, "currency": currency, "reference": posting.reference, "transfer": transfer.pk}
            audit(
                actor=actor, action=action, target=customer, reason=reason,
                before={"balance": balance - change}, after={"balance": balance, **after},
            )  # fmt: skip
    except AlreadyPosted:
        outside = posting.reference.partition(":")[2]
        raise MoneyRefused(f"The reference {outside} was recorded before. No money moved.") from None
    except InsufficientFunds as error:
        short = f"The wallet holds {plain(error.balance)} {currency}, so {plain(-change)} cannot be taken."
        raise MoneyRefused(f"{short} No money moved.") from None
    except (BalanceTooLarge, InvalidPosting) as error:
        raise MoneyRefused(f"It cannot be posted: {error}. No money moved.") from None
    return transfer
