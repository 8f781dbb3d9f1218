"""An upstream id for an order: from an answer, a late answer, reconciliation, or the operator. One way in for all of
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, QuerySet
from django.utils import timezone

from ledger.posting import post
from orders.costing import cost_posting
from orders.models import CancelRequest, Order, State, UpstreamPart
from orders.runs import lock_parent, run_accepted
from orders.same_link import is_taken
from orders.story import line, tell
from records.attention import close_attention, raise_attention
from records.audit import SYSTEM, Actor
from records.jobs import hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An order and the id it has at its provider; `cost` in the provider's currency, at `exchange_rate` to the
    panel's.
    """

    order: Order
    attempt: int
    upstream_id: str
    cost: Decimal
    exchange_rate: Decimal
    actor: Actor = SYSTEM
    note: str = ""


def accept(acceptance: Acceptance) -> bool:
    """SENDING or UNKNOWN → ACCEPTED, the cost booked, a wish to cancel forwarded. Call it inside a transaction.

    WAITING as well, while no newer attempt was made: a late answer finds an order that was to be sent again. That
    another order of its link is under way by then changes no fact: it is accepted beside that one.

    False, and the operator is told, where the id cannot be this order's: another order of the provider holds it or
    has it as a part, or a newer attempt was made since (then both go to the operator, and no money moves).
    """
    assert connection.in_atomic_block
    order = acceptance.order
    lock_parent(order)
    now = timezone.now()
    ours = Order.objects.filter(
        pk=order.pk, attempt=acceptance.attempt, state__in=[State.SENDING, State.UNKNOWN, State.WAITING]
    )
    a_part = UpstreamPart.objects.filter(provider=order.provider_id, upstream_id=acceptance.upstream_id)
    try:
        changed = _write_down(ours.filter(~Exists(a_part)), acceptance, now)
    except IntegrityError:
        _held_by_another(acceptance)
        return False
    if changed != 1:
        if ours.exists():  # so the id is a part of another order
            _held_by_another(acceptance)
        else:
            _too_late(acceptance)
        return False
    order.state, order.upstream_id, order.accepted_at = State.ACCEPTED, acceptance.upstream_id, now
    order.cost, order.exchange_rate, order.lease_until, order.reason = (
        acceptance.cost,
        acceptance.exchange_rate,
        None,
        "",
    )
    post(cost_posting(order))
    tell([line(order, "accepted", actor=acceptance.actor, note=acceptance.note or f"as {acceptance.upstream_id}")])
    close_attention(key=f"unknown:{order.pk}", decision=f"accepted as {acceptance.upstream_id}", actor=acceptance.actor)
    if order.parent_id is not None:
        run_accepted(order)
    _forward_wish(order)
    return True


def _write_down(ours: QuerySet[Order], acceptance: Acceptance, now: datetime, **besides: bool) -> int:
    """How many rows became ACCEPTED, 0 or 1; IntegrityError where another order holds the id."""
    try:
        with transaction.atomic():
            return ours.update(
                state=State.ACCEPTED,
                upstream_id=acceptance.upstream_id,
                accepted_at=now,
                cost=acceptance.cost,
                exchange_rate=acceptance.exchange_rate,
                lease_until=None,
                reason="",
                **besides,
            )
    except IntegrityError as error:
        if besides or not is_taken(error):
            raise
    return _write_down(ours, acceptance, now, one_at_a_time=False)


def _forward_wish(order: Order) -> None:
    """A cancel that was asked for while nobody knew: now there is an id to cancel."""
    wished = Order.objects.filter(pk=order.pk, cancel_wished_at__isnull=False).values_list(
        "cancel_wished_at", flat=True
    )
    at = wished.first()
    if at is None:
        return
    if order.cancel:
        wish = {"asked_at": at, "customer_id": order.customer_id}
        CancelRequest.objects.get_or_create(order=order, ended_at=None, defaults=wish)
        hint("send_cancels", str(order.provider_id))
    else:
        CancelRequest.objects.create(
            order=order,
            customer_id=order.customer_id,
            asked_at=at,
            status=CancelRequest.Status.TOO_LATE,
            reason="This service cannot be canceled once it is with its provider.",
            ended_at=timezone.now(),
        )


def _held_by_another(acceptance: Acceptance) -> None:
    """The id is another order's: whatever happened upstream, this answer does not say. The order becomes unknown."""
    order = acceptance.order
    why = f"The provider answered with id {acceptance.upstream_id}, which another order already holds."
    Order.objects.filter(pk=order.pk, attempt=acceptance.attempt, state=State.SENDING).update(
        state=State.UNKNOWN, reason=why, lease_until=None
    )
    order.state, order.reason = State.UNKNOWN, why
    tell([line(order, "unknown", actor=acceptance.actor, note=why)])
    _alert(acceptance, cause="unknown_submission", key=f"unknown:{order.pk}", summary=f"Order {order.pk}: {why}")


def _too_late(acceptance: Acceptance) -> None:
    """An answer for an attempt that is no longer the newest, or for an order that has been decided otherwise."""
    order = acceptance.order
    if Order.objects.filter(pk=order.pk, upstream_id=acceptance.upstream_id).exists():
        return  # resolved meanwhile, with this very id
    why = (
        f"Order {order.pk}: attempt {acceptance.attempt} was answered late with id {acceptance.upstream_id}, "
        "after the order had moved on. It may exist twice at the provider."
    )
    tell([line(order, "late_answer", actor=acceptance.actor, note=why)])
    _alert(acceptance, cause="late_answer", key=f"late:{order.pk}:{acceptance.attempt}", summary=why)


def _alert(acceptance: Acceptance, *, cause: str, key: str, summary: str) -> None:
    raise_attention(
        cause=cause,
        key=key,
        summary=summary,
        evidence={"attempt": acceptance.attempt, "upstream id": acceptance.upstream_id},
        provider_id=acceptance.order.provider_id,
        order_id=acceptance.order.pk,
    )
