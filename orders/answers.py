"""What a customer's program is answered about an order or a refill: the same in `status` and in callbacks.

Every value is text. Before anything is known `start_count` is "0" and `remains` the quantity. `charge` is what the
order has cost so far: its price less what was refunded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from catalog.service_types import service_type
from ledger.amounts import plain
from orders.models import Order, RefillRequest, Status

REFILL_WORDS: Mapping[str, str] = {
    RefillRequest.Status.WAITING: "Pending",
    RefillRequest.Status.SENDING: "Pending",
    RefillRequest.Status.UNKNOWN: "Pending",
}  # the others are the words of API v2 themselves
SUBSCRIPTION_WORDS: Mapping[str, str] = dict.fromkeys(
    (Status.PENDING, Status.IN_PROGRESS, Status.PROCESSING), Status.ACTIVE.value
)  # API v2 knows no subscription that waits: it is active from the start


def shown(order: Order) -> dict[str, Any]:
    """One order as `status` answers it."""
    kind = service_type(order.service_type)
    answer: dict[str, Any] = {"charge": plain(order.charge - order.refunded)}
    if kind is not None and kind.by_post:
        status = SUBSCRIPTION_WORDS.get(order.status, order.status)
        answer |= {"status": status, "posts": order.parts_done or 0, "expiry": order.details.get("expiry")}
        answer["orders"] = _ids_of_parts(order, order.parts_done or 0)
    elif order.runs is not None:
        done = order.parts_done or 0
        answer |= {"status": order.status, "runs": done, "orders": _ids_of_parts(order, done)}
    else:
        answer |= {"start_count": str(order.start_count or 0), "status": order.status, "remains": str(_remains(order))}
    answer["currency"] = settings.PANEL_CURRENCY
    return answer


def word(refill: RefillRequest) -> str:
    """A refill's status in the words of API v2."""
    return REFILL_WORDS.get(refill.status, refill.status)


def _ids_of_parts(order: Order, done: int) -> list[str]:
    """How a customer names the parts of his order: `23501-3` is its third run or post (orders.part_answers)."""
    return [f"{order.pk}-{number}" for number in range(1, min(done, settings.PARTS_MOST) + 1)]


def _remains(order: Order) -> int:
    """Between 0 and the quantity; a package is one, and indivisible."""
    quantity = order.quantity if order.quantity is not None else 1
    if order.status == Status.COMPLETED:
        return 0
    if order.remains is None:
        return quantity
    return min(max(order.remains, 0), quantity)
