"""Giving money back for orders, and taking it back from providers.

The ceiling is the order's own `refunded` counter, moved only by a conditional update in the transfer's transaction,
with a CHECK behind it. A transfer's reference names the reason, so that one reason gives money back once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Case, F, When

from ledger.accounts import house_account
from ledger.fields import money
from ledger.models import Account, Transfer
from ledger.posting import Posting, post
from orders.models import Order


class RefundAboveCharge(Exception):
    """The refund would give back more than the order's charge; nothing was moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money back to an order's customer, in the panel's currency. `why` is a part of the transfer's reference."""

    order: Order
    amount: Decimal
    why: str
    note: str = ""


def refund_all(refunds: Sequence[Refund]) -> None:
    """Moves the counters and the money of all of them, or raises and moves nothing of them.

    Call it inside a transaction in which the orders' rows are already locked or conditionally updated, orders in id
    order: wallets are locked after orders, always. Amounts of zero are passed over.
    """
    assert connection.in_atomic_block
    due = [refund for refund in refunds if refund.amount > 0]
    if not due:
        return
    sales = house_account(Account.Kind.SALES, settings.PANEL_CURRENCY)
    _count(due)
    post(
        [
            Posting(
                debit=sales,
                credit=refund.order.customer.wallet,
                amount=refund.amount,
                kind=Transfer.Kind.REFUND,
                reference=f"order:{refund.order.pk}:refund:{refund.why}",
                order_id=refund.order.pk,
                note=refund.note[:300],
            )
            for refund in due
        ]
    )


def _count(refunds: Sequence[Refund]) -> None:
    amounts = Case(*(When(pk=refund.order.pk, then=money(refund.amount)) for refund in refunds))
    ids = {refund.order.pk for refund in refunds}
    assert len(ids) == len(refunds), "one refund an order in one call"
    moved = (
        Order.objects.filter(pk__in=ids)
        .annotate(back=amounts)
        .filter(charge__gte=F("refunded") + F("back"))
        .update(refunded=F("refunded") + amounts)
    )
    if moved != len(ids):
        raise RefundAboveCharge(f"A refund is more than what is left of one of the orders {sorted(ids)}.")
    for refund in refunds:
        refund.order.refunded += refund.amount
