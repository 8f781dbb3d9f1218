"""What nobody's hand is on any more: requests whose process died, orders held back or never ended, cancels without an
answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.cancelling import report_unanswered
from orders.models import Attempt, Order, Placement, RefillRequest, State
from orders.outcomes import become_unknown
from orders.overdue import report_overdue
from orders.refilling import become_unknown as refill_becomes_unknown
from orders.same_link import queued_at
from orders.withholding import hold, look_at_held
from providers.models import Provider
from records.jobs import Turn

DIED = "The process that was sending it ended before an answer came."


def tidy_orders(turn: Turn) -> Mapping[str, int]:
    """One look at everything that may have been left lying, each kind at most ORDER_SWEEP_ROWS rows a run."""
    sent_on, given_back = look_at_held(timezone.now(), most=settings.ORDER_SWEEP_ROWS)
    return {
        "unknown": lost_sendings(),
        "unknown_refills": lost_refills(),
        "stranded": hold_stranded(),
        "sent_on": sent_on,
        "given_back": given_back,
        "unanswered_cancels": report_unanswered(),
        "overdue": report_overdue(),
        "forgotten_tokens": forget_tokens(),
    }


def lost_sendings() -> int:
    """SENDING orders whose lease ran out: a byte may have left, so they are unknown, never sent again by themselves."""
    lost = 0
    now = timezone.now()
    sending = Order.objects.filter(state=State.SENDING, lease_until__lt=now)
    for order in sending.order_by("lease_until")[: settings.ORDER_SWEEP_ROWS]:
        with transaction.atomic():
            if become_unknown(order, DIED):
                lost += 1
                Attempt.objects.filter(order=order, number=order.attempt, ended_at__isnull=True).update(
                    outcome=Attempt.Outcome.UNKNOWN, reading=DIED, ended_at=order.lease_until
                )
    return lost


def lost_refills() -> int:
    """The same for refills."""
    sending = RefillRequest.objects.filter(
        status=RefillRequest.Status.SENDING, ended_at__isnull=True, lease_until__lt=timezone.now()
    )
    lost = 0
    for request in sending.select_related("order").order_by("id")[: settings.ORDER_SWEEP_ROWS]:
        refill_becomes_unknown(request, DIED)
        lost += 1
    return lost


def hold_stranded() -> int:
    """Waiting and queued orders of a provider that was switched off: nobody would send them. Held, they find another
    route, or their money goes back.
    """
    held = 0
    for provider in Provider.objects.filter(active=False):
        why = f"{provider} is switched off."
        waiting = Order.objects.filter(state=State.WAITING, provider=provider).order_by("not_before", "id")
        queued = queued_at(provider)
        held += sum(hold(order, why) for order in waiting[: settings.ORDER_SWEEP_ROWS])
        held += sum(hold(order, why, of=(State.QUEUED,)) for order in queued[: settings.ORDER_SWEEP_ROWS])
    return held


def forget_tokens() -> int:
    """Tokens of placings older than ORDER_TOKEN_HOURS: nobody sends a form again after that long."""
    old = timezone.now() - timedelta(hours=settings.ORDER_TOKEN_HOURS)
    ids = list(Placement.objects.filter(at__lt=old).values_list("pk", flat=True)[: settings.ORDER_SWEEP_ROWS])
    return Placement.objects.filter(pk__in=ids).delete()[0] if ids else 0
