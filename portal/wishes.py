"""What a customer asked for after ordering: refills and cancellations, each with its state and, if refused, why.

A provider's own words are never shown: what it meant is told in ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from orders.models import CancelRequest, Order, RefillRequest
from portal.customers import CustomerRequest, customer_page
from portal.paging import newest_first
from portal.refill_words import in_words, tone_of
from providers.dialect.refusals import classify
from providers.outcomes import Cause

W = TypeVar("W", RefillRequest, CancelRequest)
Refill, Cancel = RefillRequest.Status, CancelRequest.Status


@dataclass(frozen=True, slots=True)
class Wish:
    """A line of the list. `tone` is the colour of its state's dot: "active", "good", "part", "bad" or none."""

    order: Order
    number: int  # of what was sold: a run's is its drip-feed's
    state: str
    tone: str
    why: str
    asked_at: datetime
    ended_at: datetime | None


@require_safe
@customer_page
def refills(request: CustomerRequest) -> HttpResponse:
    rows = RefillRequest.objects.filter(customer=request.customer).select_related("order")
    return _page(request, rows, _refill, {"kind": "refills"})


@require_safe
@customer_page
def cancels(request: CustomerRequest) -> HttpResponse:
    """Wishes to cancel what was with its provider already; what was not stopped at once and shows it by its status."""
    asked = CancelRequest.objects.filter(customer=request.customer, order__parent__isnull=True)
    return _page(request, asked.select_related("order"), _cancel, {"kind": "cancels"})


def _page(
    request: CustomerRequest, rows: QuerySet[W], wish: Callable[[W], Wish], context: dict[str, Any]
) -> HttpResponse:
    page = newest_first(rows, request.GET, size=settings.PORTAL_WISHES_PAGE)
    context |= {"page": page, "wishes": [wish(row) for row in page.rows]}
    return render(request, "portal/wishes.html", context)


def _refill(refill: RefillRequest) -> Wish:
    why = why_rejected(refill) if refill.status == Refill.REJECTED else ""
    return _wish(refill, in_words(refill.status), tone_of(refill.status), why)


def _cancel(cancel: CancelRequest) -> Wish:
    words: Mapping[str, tuple[str, str, str]] = {
        Cancel.REFUSED: (
            pgettext("cancellation", "Refused"), "bad", _("It can no longer be stopped: the order goes on."),
        ),
        Cancel.DONE: (
            pgettext("cancellation", "Canceled"), "good", _("What was not delivered is back on your balance."),
        ),
        Cancel.TOO_LATE: (
            pgettext("cancellation", "Too late"), "part", _("The order ended before it could be stopped."),
        ),
    }  # fmt: skip
    asked = (pgettext("cancellation", "Requested"), "", _("The order goes on until it is confirmed."))
    return _wish(cancel, *words.get(cancel.status, asked))


def _wish(row: RefillRequest | CancelRequest, state: str, tone: str, why: str) -> Wish:
    order = row.order
    return Wish(order, order.parent_id or order.pk, state, tone, why, row.asked_at, row.ended_at)


def why_rejected(refill: RefillRequest) -> str:
    """Why a refill was rejected, in our words."""
    cause = classify([refill.reason]).cause
    words: Mapping[Cause, str] = {
        Cause.NOT_ELIGIBLE: _("Nothing is missing, or the guarantee does not cover it."),
        Cause.INCORRECT_ID: _("The order can no longer be refilled."),
        Cause.LINK: _("The link cannot be reached: is the page public?"),
    }
    return words.get(cause, _("It was refused. Write to us if something is missing."))
