"""An order's column of time: its story, each attempt with what was asked and answered, the money, refills and cancels.

One query a kind, whatever the order went through. Secrets are scrubbed once more on the way out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from ledger.models import Account, Transfer
from operations import words
from orders.models import Attempt, Order, OrderEvent
from records.redaction import hide, scrub

KINDS: Mapping[str, str] = {
    "placed": "Placed", "accepted": "Accepted by the provider", "status": "Status", "ended": "Ended",
    "canceled": "Canceled before it was sent", "refused": "Refused", "cancel_asked": "Cancellation asked for",
    "cancel_refused": "Cancellation refused", "sent_again": "Sent again", "refunded": "Refunded",
    "given_back": "Given back", "unknown": "Not known whether the provider took it", "held": "Held back",
    "queued": "Waits for another order of its link", "next_in_line": "Its link is free: to be sent",
    "released": "Released", "late_answer": "A late answer", "note": "Note",
    "waits_for_parts": "The provider tells its end, its parts are under way", "review": "The end is not clear",
    "refill_asked": "Refill asked for", "paid_back": "Paid back by hand",
    "run_begun": "Run begun", "run_ended": "Run ended",
}  # fmt: skip
OUTCOME_TONES: Mapping[str, str] = {
    Attempt.Outcome.ACCEPTED: "good", Attempt.Outcome.REJECTED: "bad", Attempt.Outcome.NOT_SENT: "warn",
    Attempt.Outcome.UNKNOWN: "bad", Attempt.Outcome.SENDING: "run",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One entry. `asked` and `answered` lie behind a fold."""

    at: datetime
    what: str
    icon: str
    who: str = ""
    note: str = ""
    tone: str = "off"
    amount: str = ""
    asked: str = ""
    answered: str = ""


def timeline(order: Order) -> list[Moment]:
    """Oldest first."""
    moments = [*_placed(order), *_events(order), *_attempts(order), *_money(order), *_wishes(order)]
    return sorted(moments, key=lambda moment: moment.at)


def _placed(order: Order) -> Iterable[Moment]:
    """Orders that tell nothing of their beginning still begin somewhere."""
    yield Moment(at=order.created_at, what=f"Placed by {order.customer}", icon="add_shopping_cart", note=_way(order))


def _way(order: Order) -> str:
    """How it was placed; empty where that was not kept."""
    return f"With API key {order.api_key}" if order.api_key is not None else order.get_origin_display()


def _events(order: Order) -> Iterable[Moment]:
    for event in order.events.exclude(kind="placed").order_by("id")[: settings.OPERATIONS_STORY_LINES]:
        what = KINDS.get(event.kind, event.kind.replace("_", " ").capitalize())
        yield Moment(
            at=event.at,
            what=f"{what}: {event.status}" if event.kind in ("status", "ended") and event.status else what,
            icon=_icon(event),
            who=event.actor,
            note=event.note,
            tone=words.tone(event.status) if event.kind in ("status", "ended", "accepted") else "off",
        )


def _icon(event: OrderEvent) -> str:
    return {"note": "edit_note", "ended": "flag", "accepted": "task_alt", "unknown": "help"}.get(event.kind, "circle")


def _attempts(order: Order) -> Iterable[Moment]:
    found = order.attempts.select_related("provider", "provider_service").order_by("number")
    for attempt in found[: settings.OPERATIONS_STORY_LINES]:
        status = f"HTTP {attempt.http_status}" if attempt.http_status else ""
        given = f"as {attempt.upstream_id}" if attempt.upstream_id else ""
        yield Moment(
            at=attempt.began_at,
            what=f"Attempt {attempt.number} at {attempt.provider}: {attempt.get_outcome_display().lower()}",
            icon="send",
            note=" · ".join(part for part in (given, attempt.reading, status) if part),
            tone=OUTCOME_TONES[attempt.outcome],
            asked=json.dumps(hide(attempt.asked), indent=2, ensure_ascii=False) if attempt.asked else "",
            answered=scrub(attempt.answer),
        )


def _money(order: Order) -> Iterable[Moment]:
    transfers = Transfer.objects.filter(order_id=order.pk).select_related("debit", "credit").order_by("id")
    for transfer in transfers[: settings.OPERATIONS_STORY_LINES]:
        yield Moment(
            at=transfer.at,
            what=f"{transfer.get_kind_display()}: {_purse(transfer.debit)} → {_purse(transfer.credit)}",
            icon="payments",
            note=transfer.note,
            amount=words.amount(transfer.amount, transfer.debit.currency),
        )


def _purse(account: Account) -> str:
    return account.get_kind_display()


def _wishes(order: Order) -> Iterable[Moment]:
    for refill in order.refills.order_by("id")[: settings.OPERATIONS_STORY_LINES]:
        known = f"as {refill.upstream_id}" if refill.upstream_id else ""
        note = " · ".join(part for part in (known, refill.reason) if part)
        yield Moment(at=refill.asked_at, what=f"Refill: {refill.get_status_display()}", icon="water_drop", note=note)
    for cancel in order.cancels.order_by("id")[: settings.OPERATIONS_STORY_LINES]:
        what = f"Request to cancel: {cancel.get_status_display().lower()}"
        yield Moment(at=cancel.asked_at, what=what, icon="cancel", note=cancel.reason)
