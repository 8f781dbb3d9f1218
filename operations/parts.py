"""The orders that a provider made for a subscription or a drip-feed, as an operator compares them with the provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.safestring import SafeString

from operations import words
from orders.models import Order, UpstreamPart


@dataclass(frozen=True, slots=True)
class PartLine:
    """One of them; a dash where the provider did not say."""

    upstream_id: str
    status: SafeString
    charge: str
    start_count: str
    remains: str
    seen_at: datetime


def parts_of(order: Order) -> Sequence[PartLine]:
    """In the order in which they were heard of; one query."""
    if order.upstream_id is None:
        return []
    currency = order.provider.currency if order.provider is not None else ""
    rows = UpstreamPart.objects.filter(order=order).order_by("id")[: settings.OPERATIONS_STORY_LINES]
    return [
        PartLine(
            upstream_id=part.upstream_id,
            status=words.state(part.status, part.get_status_display() or "Not read yet"),
            charge=words.amount(part.charge, currency),
            start_count=_count(part.start_count),
            remains=_count(part.remains),
            seen_at=part.seen_at,
        )
        for part in rows
    ]


def _count(value: int | None) -> str:
    return words.NOTHING if value is None else f"{value:,}"
