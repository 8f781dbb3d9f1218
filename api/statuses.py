"""What `status` reads: one query for a hundred orders, and for those that are made of others one more.

What it answers about each is in `orders.answers`, since callbacks say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from accounts.models import Customer
from api import errors
from api.ids import part_of
from orders.answers import shown
from orders.models import Order
from orders.part_answers import parts_named

COLUMNS = (
    "id", "status", "charge", "refunded", "start_count", "remains", "quantity", "service_type", "runs", "runs_left",
    "parts_done", "details",
)  # fmt: skip


def own_orders(customer: Customer, ids: Sequence[int]) -> QuerySet[Order]:
    """The customer's orders among these ids; the runs of a drip-feed are nobody's to ask for."""
    return Order.objects.filter(customer=customer, pk__in=ids, parent__isnull=True).only(*COLUMNS)


def answers(customer: Customer, asked: Mapping[str, int | None]) -> Mapping[str, dict[str, Any]]:
    """What is answered of each id, as it was sent: orders, and parts of them (23501-3). One query for all orders."""
    numbers = [number for number in asked.values() if number is not None]
    orders = {order.pk: shown(order) for order in own_orders(customer, numbers)}
    named = {text: part for text, number in asked.items() if number is None and (part := part_of(text)) is not None}
    parts = parts_named(customer, set(named.values()))
    found: dict[str, dict[str, Any]] = {}
    for text, number in asked.items():
        if number is not None and number in orders:
            found[text] = orders[number]
        elif text in named and named[text] in parts:
            found[text] = parts[named[text]].shown()
    return found


def not_yours() -> dict[str, Any]:
    return {"error": errors.INCORRECT_ORDER}
