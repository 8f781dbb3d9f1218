"""Balances and statements, read from the books.

A wallet's balance is on its row. House and provider accounts keep none, so that orders never queue on one row: their
balance is the newest checkpoint and what came after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from ledger.amounts import from_units, to_units
from ledger.models import Account, Checkpoint, Transfer
from ledger.narrowing import EVERYTHING, Narrowed, newest_of, range_of
from ledger.sums import balance_after, movement


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """A transfer as the account's owner sees it: what came in is positive. `balance_after` is None but for wallets."""

    id: int
    at: datetime
    kind: Transfer.Kind
    amount: Decimal
    order_id: int | None
    note: str
    balance_after: Decimal | None


def balance_of(account: Account) -> Decimal:
    """What the account holds now, in its currency, read from the database and not from the instance."""
    if account.kind == Account.Kind.WALLET:
        balance = Account.objects.only("balance").get(pk=account.pk).balance
        assert balance is not None  # CHECK only_wallets_keep_a_balance
        return balance
    checkpoint = Checkpoint.objects.filter(account=account).order_by("-last_transfer_id").first()
    if checkpoint is None:
        return from_units(movement(account.pk))
    later = movement(account.pk, after_id=checkpoint.last_transfer_id)
    return from_units(to_units(checkpoint.balance) + later)


def cut_checkpoints() -> int:
    """Cut a checkpoint for each house and provider account that moved since its last; returns how many.

    A cut up to an id is right when no transfer with a lower id can still be committed. Ids do not follow commit order,
    but a transfer stamps `at` and takes its id within its transaction. Let every posting transaction be shorter than
    half the age (LEDGER_CHECKPOINT_AGE_MINUTES). The highest id stamped before (now - age) was taken before
    (now - age / 2); any lower id was taken earlier still, so its transaction ended before now and is either visible
    here or rolled back. The clocks of several machines must agree within what a transaction leaves of the half. And
    `verify` recounts every checkpoint all the same.
    """
    stamped_before = timezone.now() - timedelta(minutes=settings.LEDGER_CHECKPOINT_AGE_MINUTES)
    last_id = (
        Transfer.objects.filter(at__lt=stamped_before).order_by("-id").values_list("id", flat=True).first()
    )
    if last_id is None:
        return 0
    accounts = Account.objects.exclude(kind=Account.Kind.WALLET).order_by("id")
    return sum(_cut(account, last_id) for account in accounts)


def statement(
    account: Account, *, before_id: int | None, limit: int, narrowed: Narrowed = EVERYTHING
) -> list[StatementLine]:
    """The newest `limit` lines before the transfer `before_id` (None: from the newest), newest first.

    Narrowed to some kinds they have no balance after them: what lies between two of them is not read.

    The balance after the oldest line of the page is counted back from the balance on the row by one statement; the
    lines above it add up from there. It stays right whatever is posted meanwhile: the ids of one wallet's transfers
    follow their commits (see `posting`), so nothing ever appears below a line that was seen.
    """
    most = min(limit, settings.LEDGER_STATEMENT_MAX_LINES)
    transfers = newest_of(account.pk, narrowed, range_of(narrowed), before_id=before_id, limit=most)
    if not transfers:
        return []
    balance = from_units(balance_after(account.pk, transfers[-1].pk)) if _adds_up(account, narrowed) else None
    lines: list[StatementLine] = []
    for transfer in reversed(transfers):
        if balance is not None and lines:
            balance += _signed(transfer, account.pk)
        lines.append(_line(transfer, account.pk, balance))
    return lines[::-1]


def statement_lines(account: Account, narrowed: Narrowed = EVERYTHING) -> Iterator[StatementLine]:
    """Every line of the account, newest first, a page in memory at a time: for a streamed export."""
    before_id: int | None = None
    balance: Decimal | None = None
    within, limit = range_of(narrowed), settings.LEDGER_STATEMENT_MAX_LINES
    while page := newest_of(account.pk, narrowed, within, before_id=before_id, limit=limit):
        if before_id is None and _adds_up(account, narrowed):
            balance = from_units(balance_after(account.pk, page[0].pk))
        for transfer in page:
            yield _line(transfer, account.pk, balance)
            if balance is not None:
                balance -= _signed(transfer, account.pk)
        before_id = page[-1].pk


def _cut(account: Account, last_id: int) -> bool:
    previous = Checkpoint.objects.filter(account=account).order_by("-last_transfer_id").first()
    after_id, balance = (previous.last_transfer_id, to_units(previous.balance)) if previous else (0, 0)
    if after_id >= last_id:
        return False
    moved = Transfer.objects.filter(id__gt=after_id, id__lte=last_id)
    if not (moved.filter(credit=account).exists() or moved.filter(debit=account).exists()):
        return False
    balance += movement(account.pk, after_id=after_id, up_to_id=last_id)
    _, cut = Checkpoint.objects.get_or_create(
        account=account, last_transfer_id=last_id, defaults={"balance": from_units(balance)}
    )
    kept = Checkpoint.objects.filter(account=account).order_by("-last_transfer_id")
    Checkpoint.objects.filter(account=account).exclude(pk__in=list(kept.values_list("pk", flat=True)[:2])).delete()
    return cut


def _adds_up(account: Account, narrowed: Narrowed) -> bool:
    """Whether each line's balance is known from the one beside it."""
    return account.kind == Account.Kind.WALLET and not narrowed.kinds


def _signed(transfer: Transfer, account_id: int) -> Decimal:
    return transfer.amount if transfer.credit_id == account_id else -transfer.amount


def _line(transfer: Transfer, account_id: int, balance: Decimal | None) -> StatementLine:
    return StatementLine(
        id=transfer.pk,
        at=transfer.at,
        kind=Transfer.Kind(transfer.kind),
        amount=_signed(transfer, account_id),
        order_id=transfer.order_id,
        note=transfer.note,
        balance_after=balance,
    )
