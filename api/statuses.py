"""What `status` reads: one query for a hundred orders, and for those that are made of others one more.

What it answers about each is in `orders.answers`, since callbacks say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from accounts.models import Customer
from api import errors
from orders.answers import shown
from orders.models import Order

__all__ = ["not_yours", "own_orders", "shown"]

COLUMNS = (
    "id", "status", "charge", "refunded", "start_count", "remains", "quantity", "service_type", "runs", "runs_left",
    "parts_done", "details",
)  # fmt: skip


def own_orders(customer: Customer, ids: Sequence[int]) -> QuerySet[Order]:
    """The customer's orders among these ids; the runs of a drip-feed are nobody's to ask for."""
    return Order.objects.filter(customer=customer, pk__in=ids, parent__isnull=True).only(*COLUMNS)


def not_yours() -> dict[str, Any]:
    return {"error": errors.INCORRECT_ORDER}
