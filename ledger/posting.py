"""Posting: the only way money moves.

A posting takes from its debit account and gives to its credit account. A batch is posted whole or not at all, inside
the caller's transaction: one conditional UPDATE for each wallet (net of the batch, in id order, so that two batches
never wait for each other in a circle), then one INSERT of the transfers. The wallet comes first on purpose: its row
lock is held until the commit, so the ids of one wallet's transfers follow their commits (`statement` needs it).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError

from ledger.amounts import ZERO, from_units, plain, to_units
from ledger.fields import money
from ledger.models import Account, Transfer

_REFERENCE_LENGTH = Transfer._meta.get_field("reference").max_length or 0
_NOTE_LENGTH = Transfer._meta.get_field("note").max_length or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Money to move, once. `value` is the same amount in the panel's currency, where the accounts have another."""

    debit: Account
    credit: Account
    amount: Decimal
    kind: Transfer.Kind
    reference: str
    order_id: int | None = None
    value: Decimal | None = None
    note: str = ""


class InvalidPosting(ValueError):
    """The posting could never be right, whatever the balances: nothing was posted."""


class InsufficientFunds(Exception):
    """A wallet would go below its floor: nothing was posted."""

    def __init__(self, *, account_id: int, needed: Decimal, balance: Decimal, floor: Decimal = ZERO) -> None:
        self.account_id, self.needed, self.balance, self.floor = account_id, needed, balance, floor
        super().__init__(f"account {account_id} has {plain(balance)}, {plain(needed)} is needed")


class BalanceTooLarge(Exception):
    """A wallet would hold more than LEDGER_MAX_BALANCE: nothing was posted."""

    def __init__(self, *, account_id: int, added: Decimal, balance: Decimal) -> None:
        self.account_id, self.added, self.balance = account_id, added, balance
        super().__init__(f"account {account_id} has {plain(balance)} and cannot take {plain(added)} more")


class AlreadyPosted(Exception):
    """These references were posted before, or twice in the batch: nothing was posted now."""

    def __init__(self, references: Iterable[str]) -> None:
        self.references = sorted(references)
        super().__init__(f"posted before: {', '.join(self.references[:5])}{' …' if len(self.references) > 5 else ''}")


def post(postings: Sequence[Posting]) -> list[Transfer]:
    """Move the money of all these postings, or of none; must run inside `transaction.atomic`.

    Raises InvalidPosting, AlreadyPosted, InsufficientFunds or BalanceTooLarge. After any of them the transaction is as
    it was before the call and can go on: the work is done in a savepoint. A repeated posting raises AlreadyPosted, also
    when the wallet could not pay a second time, and also when the first one is committed while this one waits.
    """
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("post() belongs in the transaction of what the money is for")
    _check(postings)
    if not postings:
        return []
    references = [posting.reference for posting in postings]
    try:
        with transaction.atomic():
            _move_wallets(postings)
            return Transfer.objects.bulk_create([_transfer(posting) for posting in postings])
    except (IntegrityError, InsufficientFunds, BalanceTooLarge) as error:
        # Asked after the savepoint was rolled back: PostgreSQL answers nothing in an aborted transaction.
        if taken := _taken(references):
            raise AlreadyPosted(taken) from error
        raise


def _check(postings: Sequence[Posting]) -> None:
    if len(postings) > settings.LEDGER_MAX_POSTINGS:
        raise InvalidPosting(f"{len(postings)} postings in one batch, at most {settings.LEDGER_MAX_POSTINGS}")
    largest = to_units(settings.LEDGER_MAX_AMOUNT)
    for posting in postings:
        if problem := _problem(posting, largest):
            raise InvalidPosting(f"{posting.reference or 'a posting'}: {problem}")
    repeated = [name for name, times in Counter(posting.reference for posting in postings).items() if times > 1]
    if repeated:
        raise AlreadyPosted(repeated)


def _problem(posting: Posting, largest: int) -> str:
    """Why the posting can never be right, or an empty text."""
    if not 0 < to_units(posting.amount) <= largest:
        return f"the amount {posting.amount} is not above 0 and at most {settings.LEDGER_MAX_AMOUNT}"
    if posting.value is not None and not 0 <= to_units(posting.value) <= largest:
        return f"the value {posting.value} is not between 0 and {settings.LEDGER_MAX_AMOUNT}"
    if posting.kind not in Transfer.Kind.values:
        return f"{posting.kind!r} is not a kind of transfer"
    if posting.debit.pk is None or posting.credit.pk is None or posting.debit.pk == posting.credit.pk:
        return "it needs two stored accounts"
    if posting.debit.currency != posting.credit.currency:
        return f"{posting.debit.currency} cannot be posted to an account in {posting.credit.currency}"
    if not 0 < len(posting.reference) <= _REFERENCE_LENGTH or "\0" in posting.reference:
        return f"a reference has 1 to {_REFERENCE_LENGTH} characters"
    if len(posting.note) > _NOTE_LENGTH or "\0" in posting.note:
        return f"a note has at most {_NOTE_LENGTH} characters"
    return ""


def _move_wallets(postings: Sequence[Posting]) -> None:
    """Also a wallet whose movement is nothing in sum is updated: for the lock that keeps its ids in order."""
    movement: defaultdict[int, int] = defaultdict(int)
    for posting in postings:
        units = to_units(posting.amount)
        for account, signed in ((posting.debit, -units), (posting.credit, units)):
            if account.kind == Account.Kind.WALLET:
                movement[account.pk] += signed
    for account_id, units in sorted(movement.items()):
        _move_wallet(account_id, from_units(units))


def _move_wallet(account_id: int, delta: Decimal) -> None:
    if _try_to_move(account_id, delta):
        return
    # Read under a lock what stood in the way; a deposit that came in between may have removed it.
    wallet = Account.objects.select_for_update(no_key=True).get(pk=account_id, kind=Account.Kind.WALLET)
    if _try_to_move(account_id, delta):
        return
    assert wallet.balance is not None  # CHECK only_wallets_keep_a_balance
    if delta > 0:
        raise BalanceTooLarge(account_id=account_id, added=delta, balance=wallet.balance)
    raise InsufficientFunds(account_id=account_id, needed=-delta, balance=wallet.balance, floor=wallet.floor)


def _try_to_move(account_id: int, delta: Decimal) -> bool:
    """The conditional UPDATE, bounded so that no sum leaves 64 bits: SQLite would go on in floats without a word."""
    wallet = Account.objects.filter(pk=account_id, kind=Account.Kind.WALLET)
    if abs(delta) > settings.LEDGER_MAX_BALANCE:
        return False
    if delta > 0:
        wallet = wallet.filter(balance__lte=settings.LEDGER_MAX_BALANCE - delta)
    else:
        wallet = wallet.filter(balance__gte=F("floor") - money(delta))
    return wallet.update(balance=F("balance") + money(delta)) == 1


def _transfer(posting: Posting) -> Transfer:
    return Transfer(
        debit_id=posting.debit.pk,
        credit_id=posting.credit.pk,
        amount=posting.amount,
        value=posting.value,
        kind=posting.kind,
        reference=posting.reference,
        order_id=posting.order_id,
        note=posting.note,
    )


def _taken(references: Sequence[str]) -> list[str]:
    return list(Transfer.objects.filter(reference__in=references).values_list("reference", flat=True))
