"""Which orders their provider divides into orders of its own: subscriptions, and drip-feeds that were sent to it whole.

Such an order's answers list its parts (`orders.parts`), count its runs or posts, and say what was delivered only by
them (`orders.keeping_parts`). A drip-feed that the panel runs is none of these: its provider sees single orders.
"""

from __future__ import annotations

from django.db.models import Q

from catalog.service_types import BY_POST_KEYS, service_type
from orders.models import Order


def is_subscription(spelling: str) -> bool:
    """Whether a service of this type follows a user's posts."""
    kind = service_type(spelling)
    return kind is not None and kind.by_post


def may_have_parts(spelling: str, runs: int | None) -> bool:
    """Whether a provider that has such an order divides it."""
    return runs is not None or is_subscription(spelling)


def divided(prefix: str = "") -> Q:
    """The same as a condition on orders (`prefix` leads to them), for every spelling of the type that is known."""
    found = Q(**{f"{prefix}runs__isnull": False})
    for key in BY_POST_KEYS:
        found |= Q(**{f"{prefix}service_type__iexact": key})
    return found


def is_divided(order: Order) -> bool:
    """Whether the order is with a provider that divides it."""
    return order.upstream_id is not None and may_have_parts(order.service_type, order.runs)
