"""What customers' own servers are told: each change of an order's or a refill's status that its customer can see.

Written from the lines of the story, in the transaction of the change. A batch costs one look at who listens; only where
somebody does, one insert more, and one look at the refills it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from callbacks.outbox import Draft, who_listens, write
from orders.answers import shown, word
from orders.models import OrderEvent, RefillRequest

#: The lines at which the status that a customer reads has changed. Behind the scenes (accepted, held, rerouted,
#: unknown, review) it has not.
OF_ORDERS = frozenset({"status", "ended", "canceled", "refused", "given_back", "refunded"})
OF_REFILLS = frozenset(
    {
        "refill_asked",
        "refill_pending",
        "refill_in_progress",
        "refill_completed",
        "refill_rejected",
        "refill_canceled",
        "refill_error",
    }
)


def announce(events: Sequence[OrderEvent]) -> None:
    """Writes a message for each of these lines that is news, for each address of its customer."""
    news = [event for event in events if _is_news(event)]
    if not news:
        return
    listeners = who_listens(event.order.customer_id for event in news)
    told = [event for event in news if event.order.customer_id in listeners]
    if not told:
        return
    refills = _newest_refills(event.order_id for event in told if event.kind in OF_REFILLS)
    drafts = [_draft(event, refills) for event in told]
    write([draft for draft in drafts if draft is not None], listeners)


def _is_news(event: OrderEvent) -> bool:
    """A drip-feed's runs are told of by the drip-feed's own status, and their refills one by one."""
    return event.kind in OF_REFILLS or (event.kind in OF_ORDERS and event.order.parent_id is None)


def _draft(event: OrderEvent, refills: Mapping[int, RefillRequest]) -> Draft | None:
    """None for the line of a drip-feed whose runs are refilled: it has no refill of its own."""
    order = event.order
    number = order.parent_id or order.pk  # the only one that the customer knows
    if event.kind in OF_REFILLS:
        refill = refills.get(order.pk)
        if refill is None:
            return None
        name, data = "refill.status", {"refill": refill.pk, "order": number, "status": word(refill)}
    else:
        name, data = "order.status", {"order": order.pk, **shown(order)}
    return Draft(customer_id=order.customer_id, subject=f"order:{number}", event=name, at=event.at, data=data)


def _newest_refills(order_ids: Iterable[int]) -> Mapping[int, RefillRequest]:
    """An order has one open refill, and it is the newest: that is the one a line speaks of. As this transaction has it.
    """
    wanted = set(order_ids)
    if not wanted:
        return {}
    return {refill.order_id: refill for refill in RefillRequest.objects.filter(order_id__in=wanted).order_by("pk")}
