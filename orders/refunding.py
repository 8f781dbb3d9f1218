"""Giving money back for orders, and taking it back from providers.

The ceiling is the order's own `refunded` counter, moved only by a conditional update in the transfer's transaction,
with a CHECK behind it. A transfer's reference names the reason, so that one reason gives money back once. Where the
charge is held (`holding`), the end of the order releases it instead, by the same counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Case, F, When

from ledger.fields import money
from ledger.models import Transfer
from ledger.posting import Posting, post
from orders.holding import Houses, end_of_hold
from orders.models import Order


class RefundAboveCharge(Exception):
    """The refund would give back more than the order's charge; nothing was moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money back to an order's customer, in the panel's currency. `why` is a part of the transfer's reference.

    `captured`, where it is given, ends the order's hold: so much of it is taken, and `amount`, the rest, released.
    """

    order: Order
    amount: Decimal
    why: str
    note: str = ""
    captured: Decimal | None = None


def refund_all(refunds: Sequence[Refund]) -> None:
    """Moves the counters and the money of all of them, or raises and moves nothing of them.

    Call it inside a transaction in which the orders' rows are already locked or conditionally updated, orders in id
    order: wallets are locked after orders, always. Amounts of zero are passed over.
    """
    assert connection.in_atomic_block
    given = [refund for refund in refunds if refund.amount > 0]
    if given:
        _count(given)
    if given or any(refund.captured is not None for refund in refunds):
        houses = Houses.of_the_panel()
        post([posting for refund in refunds for posting in _postings(refund, houses)])


def _postings(refund: Refund, houses: Houses) -> list[Posting]:
    order = refund.order
    if refund.captured is not None:
        return end_of_hold(order, houses, captured=refund.captured, released=refund.amount, note=refund.note)
    if refund.amount <= 0:
        return []
    return [
        Posting(
            debit=houses.sales,
            credit=order.customer.wallet,
            amount=refund.amount,
            kind=Transfer.Kind.REFUND,
            reference=f"order:{order.pk}:refund:{refund.why}",
            order_id=order.pk,
            note=refund.note[:300],
        )
    ]


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
