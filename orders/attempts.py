"""The rows of attempts: what was asked, what came, how it was read."""

from __future__ import annotations

from django.db.models import F, Q
from django.utils import timezone

from orders.models import Attempt, Order
from providers.outcomes import Accepted, AddOutcome, NotSent, Rejected, Unknown

#: Attempts whose order got an id since: no riddle any more.
SOLVED = Q(order__upstream_id__isnull=False, order__attempt=F("number"), order__provider=F("provider"))


def end_attempt(order: Order, outcome: AddOutcome) -> None:
    """Completes the attempt's row with what came and how it was read."""
    scope, reading, upstream_id = "", "", ""
    match outcome:
        case Accepted():
            kind, upstream_id = Attempt.Outcome.ACCEPTED, outcome.upstream_id
        case Rejected(refusal=refusal):
            kind, scope, reading = (
                Attempt.Outcome.REJECTED,
                refusal.scope.value,
                f"{refusal.cause.value}: {refusal.text}",
            )
        case NotSent():
            kind, reading = Attempt.Outcome.NOT_SENT, outcome.reason
        case Unknown():
            kind, reading = Attempt.Outcome.UNKNOWN, outcome.reason
    Attempt.objects.filter(order=order, number=order.attempt).update(
        outcome=kind,
        scope=scope,
        reading=reading[:500],
        upstream_id=upstream_id,
        http_status=outcome.evidence.http_status,
        answer=outcome.evidence.answer,
        ended_at=timezone.now(),
    )
