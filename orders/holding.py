"""Orders whose money is held until it is known how much was delivered: subscriptions.

What is placed leaves the wallet for the house's account of held money; at the order's end what was delivered is
captured from there and the rest released to the wallet, in the transaction that writes the end. The order's counter of
refunds counts what was released, so that its CHECK is the ceiling of both: captured + released = held.
"""

from __future__ import annotations

from catalog.service_types import Charged, service_type
from orders.models import Order


def holds(order: Order) -> bool:
    """Whether the order's charge is held until its end, rather than taken when it was placed."""
    kind = service_type(order.service_type)
    return kind is not None and kind.charged is Charged.DELIVERED
