"""What the room of orders adds to the books: its own checks, and what orders under way cost."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db import connection

from catalog.costs import cost_of
from orders.models import Order, State
from providers.books import Explained
from providers.models import Provider

MOST = 100  # differences of one kind that are told; the first ones say where to look

# Each finds orders whose row and whose transfers disagree; written for both databases.
_MONEY = """
SELECT o.id, o.charge, o.refunded, COALESCE(o.cost, 0),
       COALESCE(t.charged, 0), COALESCE(t.refunded, 0), COALESCE(t.cost, 0),
       o.state, COALESCE(t.held, 0), COALESCE(t.ended, 0)
FROM orders_order o
LEFT JOIN (
    SELECT order_id,
           SUM(CASE WHEN kind IN ('charge', 'hold') THEN amount ELSE 0 END) AS charged,
           SUM(CASE WHEN kind IN ('refund', 'release') THEN amount ELSE 0 END) AS refunded,
           SUM(CASE WHEN kind = 'hold' THEN amount ELSE 0 END) AS held,
           SUM(CASE WHEN kind IN ('capture', 'release') THEN amount ELSE 0 END) AS ended,
           SUM(CASE WHEN kind = 'cost' THEN amount WHEN kind = 'cost_return' THEN -amount ELSE 0 END) AS cost
    FROM ledger_transfer WHERE order_id IS NOT NULL GROUP BY order_id
) t ON t.order_id = o.id
WHERE o.charge <> COALESCE(t.charged, 0) OR o.refunded <> COALESCE(t.refunded, 0)
   OR COALESCE(o.cost, 0) <> COALESCE(t.cost, 0)
   OR COALESCE(t.ended, 0) <> CASE WHEN o.state = 'ended' THEN COALESCE(t.held, 0) ELSE 0 END
ORDER BY o.id LIMIT %s
"""
_STRANGERS = """
SELECT t.reference FROM ledger_transfer t LEFT JOIN orders_order o ON o.id = t.order_id
WHERE t.order_id IS NOT NULL AND o.id IS NULL ORDER BY t.id LIMIT %s
"""


def check_orders() -> Iterable[str]:
    """A sentence for each order whose charge, refunds or cost differ from its transfers, whose hold is not ended with
    it or was touched before, and each transfer without an order.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MONEY, [MOST])
        for order, charge, refunded, cost, t_charge, t_refunded, t_cost, state, held, ended in cursor.fetchall():
            due = held if state == State.ENDED else 0
            if ended != due:
                yield f"Order {order} is {state}: {ended} of its hold of {held} was taken or released, not {due}."
            for what, row, transfers in (
                ("charge", charge, t_charge),
                ("refunds", refunded, t_refunded),
                ("cost", cost, t_cost),
            ):
                if row != transfers:
                    yield f"Order {order}: its {what} is {row} but its transfers say {transfers} (in 10⁻⁶)."
        cursor.execute(_STRANGERS, [MOST])
        for (reference,) in cursor.fetchall():
            yield f"Transfer {reference} names an order that does not exist."


def under_way(provider: Provider) -> Explained:
    """What may have left the provider's balance without being booked yet: the cost of orders being sent or unknown."""
    amount, ids = Decimal(0), []
    for state in (State.SENDING, State.UNKNOWN):  # apart, so that each is read along its own index
        orders = Order.objects.filter(state=state, provider=provider).select_related("provider_service__provider")
        for order in orders.order_by("id")[:1000]:
            assert order.provider_service is not None
            amount += cost_of(order.provider_service, order.quantity)
            ids.append(order.pk)
    return Explained(amount=amount, evidence={"orders under way": ids[:MOST]})
