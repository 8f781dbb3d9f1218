"""What a provider's refusal does, by its scope.

Provider: the order waits and the provider's queue pauses. Service: the next route that keeps every promise without a
loss, else the money goes back. Order: the money goes back; a link that another order is busy with waits a while.
Words that nobody has classified hold the order for the operator, who can teach them to the panel.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.attempts import end_attempt
from orders.ending import give_back
from orders.models import Attempt, Order, State
from orders.routing import BelowCost, ExchangeRates, NoRoute, Purchase, choose, promise_of, routes_in_order
from orders.runs import lock_parent
from orders.story import line, tell
from orders.withholding import UNCLASSIFIED, hold
from providers.outcomes import Cause, Refusal, Rejected, Scope
from providers.queue import pause
from records.attention import raise_attention
from records.jobs import hint

REFUSED_FROM = (State.SENDING, State.UNKNOWN)  # a refusal that comes late still says that nothing was made


def refuse(order: Order, outcome: Rejected, *, purchase: Purchase) -> None:
    """Writes the refusal back, in one transaction, where the attempt is still the order's newest."""
    refusal = outcome.refusal
    with transaction.atomic():
        lock_parent(order)
        end_attempt(order, outcome)
        # locked, so that a wish to cancel is either seen here or finds the order as this leaves it
        asked = Order.objects.select_for_update().filter(pk=order.pk).values_list("cancel_wished_at", flat=True)
        wished = asked.get() is not None
        if wished:
            _refund(order, refusal, why="canceled", note="Canceled as you asked.")
        elif refusal.scope == Scope.PROVIDER:
            _wait(order, timedelta(0))
        elif refusal.scope == Scope.SERVICE:
            _next_route(order, refusal, purchase)
        elif refusal.cause == Cause.DUPLICATE_LINK and not _waited_long(order):
            _wait(order, timedelta(minutes=settings.ORDER_DUPLICATE_LINK_MINUTES))
        elif refusal.cause == Cause.OTHER:
            hold(order, f"{UNCLASSIFIED}: {refusal.text}", of=REFUSED_FROM)
        else:
            _refund(order, refusal, why="refused", note=f"The provider refused it: {refusal.text}")
    if refusal.scope == Scope.PROVIDER:
        provider = purchase.provider_service.provider
        needed = purchase.cost if refusal.cause == Cause.FUNDS else None
        pause(provider, reason=refusal.text or refusal.cause.value, cause=refusal.cause.value, needed=needed)


def _wait(order: Order, pause_for: timedelta) -> None:
    Order.objects.filter(pk=order.pk, attempt=order.attempt, state__in=REFUSED_FROM).update(
        state=State.WAITING, lease_until=None, not_before=timezone.now() + pause_for
    )


def _waited_long(order: Order) -> bool:
    """Whether the provider has refused its link as busy for so long; waiting in our own queue does not count."""
    busy = order.attempts.filter(outcome=Attempt.Outcome.REJECTED, reading__startswith=Cause.DUPLICATE_LINK.value)
    first = busy.order_by("number").values_list("began_at", flat=True).first()
    return first is not None and first < timezone.now() - timedelta(hours=settings.ORDER_HELD_HOURS)


def _refund(order: Order, refusal: Refusal, *, why: str, note: str) -> None:
    give_back(order, why=why, note=note, of=REFUSED_FROM, attempt=order.attempt, told_as="refused")
    if why == "refused" and refusal.scope == Scope.SERVICE:
        raise_attention(
            cause="service_refused",
            key=f"service_refused:{order.provider_service_id}",
            summary=f"{order.service_name}: the provider refuses it ({refusal.text}).",
            evidence={"order": order.pk, "said": refusal.text},
            provider_id=order.provider_id,
            order_id=order.pk,
        )


def _next_route(order: Order, refusal: Refusal, purchase: Purchase) -> None:
    """The next route that keeps the promise, in the same queue position; else the money goes back."""
    tried = set(
        Attempt.objects.filter(order=order, outcome=Attempt.Outcome.REJECTED, scope=Scope.SERVICE.value).values_list(
            "provider_service_id", flat=True
        )
    ) | {purchase.provider_service.pk}
    routes = list(order.service.routes.select_related("provider_service__provider"))
    try:
        following = choose(routes_in_order(routes), promise_of(order), ExchangeRates(), tried=tried)
    except (NoRoute, BelowCost):
        _refund(order, refusal, why="refused", note=f"No provider takes it: {refusal.text}")
        return
    moved = Order.objects.filter(pk=order.pk, attempt=order.attempt, state__in=REFUSED_FROM).update(
        state=State.WAITING,
        lease_until=None,
        not_before=timezone.now(),
        provider_service=following.provider_service,
        provider=following.provider_service.provider,
    )
    if moved == 1:
        tell([line(order, "rerouted", note=f"refused ({refusal.text}); next: {following.provider_service}")])
        hint("submit_orders", str(following.provider_service.provider_id))
