"""Holding orders back: to the customer they are Pending and free to cancel, until they can be sent or are given back.

An order is held when its promise cannot be kept at its provider at the moment, when it would be sold at a loss, or
when the provider refused it in words that nobody has classified yet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.ending import give_back
from orders.models import Order, State
from orders.routing import BelowCost, ExchangeRates, NoRoute, choose, promise_of, routes_in_order
from orders.runs import sold_for
from orders.story import line, tell
from records.attention import close_attention, raise_attention
from records.audit import SYSTEM, Actor
from records.jobs import hint


def hold(order: Order, why: str, *, of: tuple[State, ...] = (State.WAITING,)) -> bool:
    """Takes a claimed order out of the queue, in one commit with the operator's item; False where the claim was lost.
    """
    with transaction.atomic():
        held = Order.objects.filter(pk=order.pk, attempt=order.attempt, state__in=of).update(
            state=State.HELD, reason=why[:500], lease_until=None, not_before=timezone.now()
        )
        if held != 1:
            return False
        order.state, order.reason = State.HELD, why[:500]
        tell_held(order, why)
    return True


def tell_held(order: Order, why: str) -> None:
    """The story and the operator's item of an order that is held from now on."""
    tell([line(order, "held", note=why)])
    raise_attention(
        cause="order_held",
        key=f"held:{order.pk}",
        summary=f"Order {order.pk} is held: {why}",
        evidence={"sold for": sold_for(order), "quantity": order.quantity},
        provider_id=order.provider_id,
        order_id=order.pk,
    )


def look_at_held(now: datetime, *, most: int) -> tuple[int, int]:
    """Sends on what can be sent again, gives back what was held too long; returns how many of each.

    `not_before` of a held order is when it was held or last looked at; it was first held when its last story line says.
    """
    rates = ExchangeRates()
    held = Order.objects.filter(
        state=State.HELD, not_before__lte=now - timedelta(minutes=settings.ORDER_HELD_LOOK_MINUTES)
    )
    sent_on = given_back = 0
    for order in held.select_related("customer__wallet", "service").order_by("id")[:most]:
        if order.cancel_wished_at is not None or _held_too_long(order, now):
            given_back += give_back(order, why="held", note="held too long", of=(State.HELD,))
        elif not order.reason.startswith(UNCLASSIFIED) and release_held(order, rates):
            sent_on += 1
        else:
            Order.objects.filter(pk=order.pk, state=State.HELD).update(not_before=now)
    return sent_on, given_back


UNCLASSIFIED = "The provider refused it in words that are not classified"


def release_held(order: Order, rates: ExchangeRates, *, actor: Actor = SYSTEM) -> bool:
    """HELD → WAITING at a route that keeps the promise without a loss; False where there is none."""
    routes = list(order.service.routes.select_related("provider_service__provider"))
    try:
        purchase = choose(routes_in_order(routes), promise_of(order), rates)
    except (NoRoute, BelowCost):
        return False
    with transaction.atomic():
        moved = Order.objects.filter(pk=order.pk, state=State.HELD).update(
            state=State.WAITING,
            reason="",
            provider_service=purchase.provider_service,
            provider=purchase.provider_service.provider,
            not_before=timezone.now(),
        )
        if moved != 1:
            return False
        order.state = State.WAITING
        tell([line(order, "released", actor=actor)])
        close_attention(key=f"held:{order.pk}", decision="It can be sent again.", actor=actor)
        hint("submit_orders", str(purchase.provider_service.provider_id))
    return True


def _held_too_long(order: Order, now: datetime) -> bool:
    held = order.events.filter(kind="held").order_by("id").values_list("at", flat=True).last()
    return (held or order.created_at) < now - timedelta(hours=settings.ORDER_HELD_HOURS)
