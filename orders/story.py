"""The story of an order: one line for each thing that happened to it, written in the transaction in which it
happened.
"""

from __future__ import annotations

from collections.abc import Sequence

from orders.callbacks import announce
from orders.letters import write_of
from orders.models import Order, OrderEvent
from records.audit import SYSTEM, Actor


def line(order: Order, kind: str, *, actor: Actor = SYSTEM, note: str = "") -> OrderEvent:
    """An unsaved line. The order carries the values that the transaction leaves: customers are told them.

    `note` is for the operator's eyes, `kind` is what the customer's page puts into words.
    """
    return OrderEvent(order=order, kind=kind, status=order.status, actor=actor.name[:254], note=note[:500])


def tell(lines: Sequence[OrderEvent]) -> None:
    """Writes the lines in one statement, and what customers want to be told of with them."""
    OrderEvent.objects.bulk_create(lines, batch_size=500)
    announce(lines)
    write_of(lines)
