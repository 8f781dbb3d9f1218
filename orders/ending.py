"""Orders that end without ever having been a provider's: refused, not placed, held too long, cancelled in time.

One verb: a conditional update from the states in which that is possible, the whole charge back, one transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders.models import Order, State, Status
from orders.refunding import refund_all
from orders.runs import end_parents, end_runs, lock_parent, show_progress
from orders.same_link import hint_of_end
from orders.settling import CAUSES_OF_AN_OPEN_ORDER, close_cancels, payback
from orders.story import line, tell
from records.attention import close_of_orders
from records.audit import SYSTEM, Actor


def give_back(
    order: Order,
    *,
    why: str,
    note: str,
    of: Collection[State],
    attempt: int | None = None,
    actor: Actor = SYSTEM,
    told_as: str = "given_back",
) -> bool:
    """Ends the order as Canceled and gives back what is left of its charge; False where it is no longer in one of
    `of`. A run has no charge: its share of its drip-feed's goes back.

    `attempt` fences: with it, an order that has been attempted anew since is left alone. `why` is part of the
    transfer's reference, so it must be one word; `note` is kept as the order's reason.
    """
    now = timezone.now()
    with transaction.atomic():
        parent = lock_parent(order)
        candidates = Order.objects.filter(pk=order.pk, state__in=list(of))
        if attempt is not None:
            candidates = candidates.filter(attempt=attempt)
        ended = candidates.update(
            state=State.ENDED,
            status=Status.CANCELED,
            reason=note[:500],
            ended_at=now,
            lease_until=None,
            undelivered=0 if parent is None else F("quantity"),
        )
        if ended != 1:
            return False
        fresh = Order.objects.select_related("customer__wallet").get(pk=order.pk)
        if parent is None:
            refund_all([payback(fresh, Decimal(0), why=why, note=f"Order {order.pk}: Canceled")])
        else:
            fresh.parent = parent
            refund_all(end_runs([fresh], actor=actor))
            end_parents([fresh], actor=actor)
            show_progress([parent])
        close_cancels([fresh])
        hint_of_end([fresh])
        tell([line(fresh, told_as, actor=actor, note=note)])
        close_of_orders([order.pk], causes=CAUSES_OF_AN_OPEN_ORDER, decision=note or "Given back.", actor=actor)
    for name in ("state", "status", "reason", "ended_at", "lease_until", "refunded"):
        setattr(order, name, getattr(fresh, name))
    return True
