"""An order's story in the customer's words: newest first, without what is only for the operator.

An event whose kind is not told here is not shown: what happens behind the scenes (attempts, waits, a provider's answers)
reads "Pending" to the customer until something happens for him.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _

from ledger.models import Transfer
from orders.models import Order, OrderEvent, RefillRequest, Status
from portal.money import with_currency


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story."""

    at: datetime
    words: str


TOLD: Mapping[str, Callable[[OrderEvent], str]] = {}


def story_of(order: Order) -> list[Entry]:
    """Newest first. Four queries: events, refunds, refills, cancels are told together by their time."""
    told = [_told(event) for event in order.events.order_by("id")]
    entries = [
        Entry(order.created_at, _("Placed. %(amount)s was charged.") % {"amount": _amount(order.charge)}),
        *(entry for entry in told if entry is not None),
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _told(event: OrderEvent) -> Entry | None:
    tell = TOLD.get(event.kind)
    return Entry(event.at, tell(event)) if tell else None


def _amount(amount: Decimal) -> str:
    return with_currency(amount, settings.PANEL_CURRENCY)
