"""Writing back what came of a request: four outcomes, each in one transaction, each behind the fence of the attempt
number.

accepted → with the provider, its cost booked; rejected → by the refusal's scope; not sent → it waits again; unknown →
nobody touches it until it is shown what happened (reconciling, or the operator).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.accepting import Acceptance, accept
from orders.attempts import end_attempt
from orders.ending import give_back
from orders.models import Attempt, Order, State
from orders.refusing import refuse
from orders.routing import Purchase
from orders.runs import lock_parent
from orders.story import line, tell
from providers.outcomes import Accepted, AddOutcome, NotSent, Rejected, Unknown
from providers.queue import count_unknown, reset_unknowns, trial_passed
from records.attention import raise_attention


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request that was made, or tried, for a claimed order; `marked` says that the order was marked *sending* for
    it.
    """

    order: Order
    purchase: Purchase
    fields: Mapping[str, str]
    outcome: AddOutcome
    marked: bool


def write_outcome(sent: Sent) -> None:
    """Writes the outcome back, where the attempt is still the order's newest; a late answer goes where it belongs."""
    match sent.outcome:
        case Accepted(upstream_id=upstream_id):
            _accepted(sent, upstream_id)
        case Rejected():
            assert sent.marked, "an answer came, so the request was written"
            refuse(sent.order, sent.outcome, purchase=sent.purchase)
            reset_unknowns(sent.purchase.provider_service.provider)
        case NotSent():
            _not_sent(sent, sent.outcome)
        case Unknown(reason=reason):
            _unknown(sent, reason)


def _accepted(sent: Sent, upstream_id: str) -> None:
    provider = sent.purchase.provider_service.provider
    with transaction.atomic():
        lock_parent(sent.order)
        end_attempt(sent.order, sent.outcome)
        accepted = accept(
            Acceptance(
                order=sent.order,
                attempt=sent.order.attempt,
                upstream_id=upstream_id,
                cost=sent.purchase.cost,
                exchange_rate=sent.purchase.exchange_rate,
            )
        )
        if not accepted:
            if sent.order.state == State.UNKNOWN:  # the id is another order's: that is no known outcome
                Attempt.objects.filter(order=sent.order, number=sent.order.attempt).update(
                    outcome=Attempt.Outcome.UNKNOWN, reading=sent.order.reason[:500]
                )
                count_unknown(provider)
            return
    reset_unknowns(provider)
    trial_passed(provider)


def _not_sent(sent: Sent, outcome: NotSent) -> None:
    """Waits again, a little longer each time; nothing left this machine, or the provider says that it took nothing."""
    wait = min(
        settings.ORDER_RETRY_FIRST_SECONDS * 2 ** min(sent.order.attempt, 10), settings.ORDER_RETRY_LONGEST_SECONDS
    )
    if outcome.retry_after is not None:
        wait = max(wait, min(outcome.retry_after, settings.ORDER_RETRY_LONGEST_SECONDS))
    with transaction.atomic():
        lock_parent(sent.order)
        if not sent.marked:
            _record_unmarked(sent)
        end_attempt(sent.order, outcome)
        ours = Order.objects.filter(
            pk=sent.order.pk, attempt=sent.order.attempt, state__in=[State.WAITING, State.SENDING]
        )
        waits = ours.filter(cancel_wished_at__isnull=True).update(
            state=State.WAITING, lease_until=None, not_before=timezone.now() + timedelta(seconds=wait)
        )
        if waits != 1:  # wished in between, or not ours any more
            _cancel_as_wished(sent.order)


def _cancel_as_wished(order: Order) -> None:
    """A cancel that was asked for while the order was being sent: nothing was, so it is free, and nothing is sent."""
    if Order.objects.filter(pk=order.pk, attempt=order.attempt, cancel_wished_at__isnull=False).exists():
        give_back(
            order, why="canceled", note="Canceled as you asked.", of=(State.WAITING, State.SENDING),
            attempt=order.attempt, told_as="canceled",
        )  # fmt: skip


def _record_unmarked(sent: Sent) -> None:
    """A connection that was never made leaves a row all the same: the operator asks why an order waits."""
    Attempt.objects.get_or_create(
        order=sent.order,
        number=sent.order.attempt,
        defaults={
            "provider": sent.purchase.provider_service.provider,
            "provider_service": sent.purchase.provider_service,
            "asked": dict(sent.fields),
        },
    )


def _unknown(sent: Sent, reason: str) -> None:
    provider = sent.purchase.provider_service.provider
    with transaction.atomic():
        end_attempt(sent.order, sent.outcome)
        if become_unknown(sent.order, reason):
            count_unknown(provider)


def become_unknown(order: Order, reason: str) -> bool:
    """SENDING → UNKNOWN, told and put on the operator's list; False where the attempt is no longer the newest."""
    changed = Order.objects.filter(pk=order.pk, state=State.SENDING, attempt=order.attempt).update(
        state=State.UNKNOWN, reason=reason[:500], lease_until=None
    )
    if changed != 1:
        return False
    order.state, order.reason = State.UNKNOWN, reason[:500]
    tell([line(order, "unknown", note=reason)])
    raise_attention(
        cause="unknown_submission",
        key=f"unknown:{order.pk}",
        summary=f"Order {order.pk} may or may not have been placed: {reason}",
        evidence={"attempt": order.attempt, "reason": reason},
        provider_id=order.provider_id,
        order_id=order.pk,
    )
    return True
