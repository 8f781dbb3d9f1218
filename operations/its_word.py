"""What the provider's last word means as an end: where a form about an order's end begins."""

from __future__ import annotations

from typing import Any

from orders.deciding import ends_of
from orders.dividing import is_subscription
from orders.models import Order, Status
from providers.dialect.words import WordMap, order_word, subscription_word


def ends_as_it_says(order: Order) -> dict[str, Any]:
    """The status that the provider's word names, for a form; nothing where it names none that such an order ends as."""
    taught = WordMap.read(order.provider.word_map if order.provider is not None else None)
    read = subscription_word if is_subscription(order.service_type) else order_word
    meaning = read(order.upstream_status, taught)
    if meaning is None or meaning.value not in ends_of(order):
        return {}
    return {"status": Status(meaning.value)}
