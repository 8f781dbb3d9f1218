"""The list of what needs a person, as an operator reads it: grouped by cause and provider, the cause in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from catalog.protection import Cause
from providers.models import Provider
from records.attention import open_by_cause

CAUSES: Mapping[str, str] = {
    "restored": "The panel was restored from a backup",
    "unknown_submission": "Not known whether an order was placed",
    "settlement_unclear": "Not clear what was delivered",
    "order_held": "Orders held back",
    "late_answer": "An answer came too late",
    "later_refund": "A provider gave money back later",
    "contradiction": "A provider contradicts itself",
    "unknown_word": "A status in unknown words",
    "status_error": "A provider does not know an order",
    "order_absent": "A provider leaves an order out of its answers",
    "order_overdue": "Orders that should have ended",
    "unknown_refill": "Not known whether a refill was taken",
    "cancel_unanswered": "A request to cancel without an answer",
    "customer_problem": "Customers' problems with orders",
    "asked_by_hand": "A customer asks about an order by hand",
    "below_cost": "Services below their cost",
    "service_refused": "A provider refused a service",
    "provider_paused": "Providers paused",
    "provider_drift": "A balance that is lower than the books say",
    "provider_rise": "A balance that is higher than the books say",
    "provider_low": "A balance that runs low",
    "provider_currency": "A balance in another currency",
    "catalogue_import": "An import that changed nothing",
    "price_out_of_range": "No price can be made",
    "job_failed": "Background jobs that fail",
    **{f"service_{cause.value}": f"Services off sale: {cause.value.replace('_', ' ')}" for cause in Cause},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The open items of one cause at one provider."""

    words: str
    provider: str
    items: int
    oldest: datetime
    newest: datetime
    url: str


def groups() -> list[Group]:
    """Oldest first; two queries."""
    names = dict(Provider.objects.values_list("pk", "name"))
    page = reverse("admin:records_attentionitem_changelist")
    found = []
    for group in open_by_cause():
        asked = {"cause": group.cause} | ({"provider": str(group.provider_id)} if group.provider_id else {})
        found.append(
            Group(
                words=CAUSES.get(group.cause, group.cause.replace("_", " ").capitalize()),
                provider=names.get(group.provider_id, "") if group.provider_id else "",
                items=group.items,
                oldest=group.oldest,
                newest=group.newest,
                url=f"{page}?{urlencode(asked)}",
            )
        )
    return found
