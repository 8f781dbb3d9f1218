"""An order's story in the customer's words: newest first, without what is only for the operator.

An event whose kind is not told here is not shown: what happens behind the scenes (attempts, routes, what a provider
answers) reads "Pending" to the customer until something happens for him.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from ledger.models import Transfer
from orders.holding import holds
from orders.models import Order, OrderEvent, State, Status
from orders.runs import is_series
from portal.money import grouped, with_currency


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story."""

    at: datetime
    words: str


ENDS: Mapping[str, Callable[[], str]] = {
    Status.COMPLETED: lambda: _("Completed."),
    Status.PARTIAL: lambda: _("Ended in part: not everything could be delivered."),
    Status.CANCELED: lambda: _("Canceled."),
    Status.EXPIRED: lambda: _("Expired."),
}
STATUSES: Mapping[str, Callable[[], str]] = {
    Status.PENDING: lambda: _("Waiting to start."),
    Status.IN_PROGRESS: lambda: _("In progress."),
    Status.PROCESSING: lambda: _("Being processed."),
    Status.ACTIVE: lambda: _("Following new posts."),
    Status.PAUSED: lambda: _("Paused."),
}
TOLD: Mapping[str, Callable[[OrderEvent], str]] = {
    "accepted": lambda event: _("Accepted for delivery."),
    "status": lambda event: STATUSES.get(event.status, lambda: "")(),
    "ended": lambda event: ENDS.get(event.status, lambda: "")(),
    "canceled": lambda event: _("Canceled before it was sent."),
    "refused": lambda event: _("It could not be placed, and was canceled."),
    "given_back": lambda event: _("It could not be delivered, and was canceled."),
    "refunded": lambda event: _("Canceled and refunded."),
    "cancel_asked": lambda event: _("Cancellation was requested."),
    "cancel_refused": lambda event: _("The request to cancel was refused: the order goes on."),
    "refill_asked": lambda event: _("A refill was requested."),
    "refill_accepted": lambda event: _("The refill is accepted."),
    "refill_in_progress": lambda event: _("The refill is in progress."),
    "refill_completed": lambda event: _("The refill is completed."),
    "refill_rejected": lambda event: _("The refill was rejected."),
    "refill_canceled": lambda event: _("The refill was canceled."),
    "refill_error": lambda event: _("The refill failed."),
}


FAILURES = ("refused", "given_back", "refunded")
BACK = (Transfer.Kind.REFUND, Transfer.Kind.RELEASE)
PAID: Mapping[Transfer.Kind, Callable[[], str]] = {
    Transfer.Kind.REFUND: lambda: _("%(amount)s came back to your balance."),
    Transfer.Kind.RELEASE: lambda: _("%(amount)s was not needed and is released to your balance."),
    Transfer.Kind.CAPTURE: lambda: _("%(amount)s was taken for what was delivered."),
}


def story_of(order: Order) -> list[Entry]:
    """Newest first; two queries, of a drip-feed that ended early three: what happened, and what was paid, of each the
    newest PORTAL_STORY_LINES.
    """
    entries = [Entry(order.created_at, _placed(order)), *_happenings(order), *_payments(order)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def beside_status(order: Order, ahead: Order | None) -> str:
    """What its status alone does not say: that it is looked at, or which order of the customer's own it waits for."""
    if order.state == State.REVIEW:
        return _("The provider has ended it; we are checking what was delivered.")
    if ahead is None:
        return ""
    if is_series(ahead):
        return _("It starts between two runs of order %(id)s.") % {"id": ahead.pk}
    return _("It starts when order %(id)s has ended.") % {"id": ahead.pk}


def _happenings(order: Order) -> list[Entry]:
    told = []
    events = list(order.events.filter(kind__in=TOLD).order_by("-id")[: settings.PORTAL_STORY_LINES])[::-1]
    stopped = [event.kind for event in events if event.kind in ("cancel_asked", "cancel_refused")][-1:]
    for event in events:
        words = ""
        if event.kind == "ended" and event.status == order.status:
            words = _early_end(order, stopped=stopped == ["cancel_asked"])
        words = words or TOLD[event.kind](event)
        if words:
            told.append(Entry(event.at, words))
    return told


def _early_end(order: Order, *, stopped: bool) -> str:
    """How an order ended before its time: stopped by its customer, or by a run that nobody took; else ""."""
    if order.status not in (Status.PARTIAL, Status.CANCELED) or order.quantity is None or holds(order):
        return ""
    missing = order.undelivered if is_series(order) else order.remains
    if stopped and order.status == Status.PARTIAL and missing is not None and 0 <= missing <= order.quantity:
        return _("Stopped: %(delivered)s of %(quantity)s were delivered.") % _counts(order, missing)
    failed = _run_that_failed(order) if is_series(order) and not stopped else None
    if failed is None:
        return ""
    if order.status == Status.CANCELED:
        return TOLD[failed.kind](failed)
    words = _(
        "Run %(run)s could not be placed, and no further one is made: %(delivered)s of %(quantity)s were delivered."
    )
    return words % {"run": grouped(failed.order.run or 0), **_counts(order, order.undelivered)}


def _counts(order: Order, missing: int) -> dict[str, str]:
    assert order.quantity is not None
    return {"delivered": grouped(order.quantity - missing), "quantity": grouped(order.quantity)}


def _run_that_failed(parent: Order) -> OrderEvent | None:
    """How the run ended that no provider took, and the drip-feed with it. One query."""
    ends = OrderEvent.objects.filter(order__parent=parent, order__upstream_id__isnull=True, kind__in=FAILURES)
    return ends.select_related("order").order_by("-id").first()


def _placed(order: Order) -> str:
    amount = {"amount": _amount(order.charge)}
    if holds(order):
        return _("Placed. %(amount)s is held until the end; you pay for what is delivered.") % amount
    return _("Placed. %(amount)s was charged.") % amount


def _payments(order: Order) -> list[Entry]:
    """From the books themselves: what came back is on the statement."""
    paid = Q(kind__in=BACK, credit_id=order.customer.wallet_id) | Q(kind=Transfer.Kind.CAPTURE)
    return [
        Entry(each.at, PAID[Transfer.Kind(each.kind)]() % {"amount": _amount(each.amount)})
        for each in Transfer.objects.filter(paid, order_id=order.pk).order_by("-id")[: settings.PORTAL_STORY_LINES]
    ]


def _amount(amount: Decimal) -> str:
    return with_currency(amount, settings.PANEL_CURRENCY)
