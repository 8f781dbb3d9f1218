"""What a person decides about an order, each decision recorded with who and why.

For an unknown order: it exists upstream under this id; it does not, send it; give the money back. For one whose end
is unclear: what was delivered. For one fulfilled by hand: how far it is. Each is a conditional update, so that it can
be given twice without harm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ledger.amounts import from_units, plain
from ledger.posting import Posting, post
from orders.accepting import Acceptance, accept
from orders.dividing import is_subscription
from orders.ending import give_back
from orders.keeping import keep_for_delivered
from orders.keeping_parts import known_sum
from orders.models import FINAL, Order, State, Status, UpstreamPart
from orders.overdue import ABSENT, OVERDUE
from orders.parts import parts_of
from orders.reconciling import purchase_of
from orders.refunding import refund_all
from orders.routing import ExchangeRates
from orders.runs import end_parents, end_runs, lock_parent, show_progress
from orders.same_link import hint_of_end
from orders.settling import CAUSES_OF_AN_OPEN_ORDER, SETTLED_FIELDS, close, close_cancels, refund_of, sold, true_up
from orders.story import line, tell
from orders.withholding import release_held
from records.attention import close_attention, close_of_orders
from records.audit import Actor, audit
from records.jobs import hint
from records.models import AttentionItem

Result = TypeVar("Result")


class CannotDecide(Exception):
    """The decision does not fit the order as it is; the sentence says why. Nothing was changed."""


def it_exists(*, order: Order, upstream_id: str, actor: Actor, reason: str) -> None:
    """An unknown order exists upstream under this id: it goes on as accepted, its cost booked."""
    upstream_id = upstream_id.strip()
    if not upstream_id or len(upstream_id) > 64:
        raise CannotDecide("Give the id that the order has at the provider.")
    taken = Order.objects.filter(provider=order.provider, upstream_id=upstream_id).exclude(pk=order.pk).first()
    if taken is not None:
        raise CannotDecide(f"Order {taken.pk} already holds the id {upstream_id} at this provider.")
    part = UpstreamPart.objects.filter(provider=order.provider, upstream_id=upstream_id).first()
    if part is not None:
        raise CannotDecide(f"The id {upstream_id} is a part of order {part.order_id} at this provider.")

    def attach(fresh: Order) -> None:
        cost, rate = purchase_of(fresh)
        accepted = accept(
            Acceptance(
                order=fresh, attempt=fresh.attempt, upstream_id=upstream_id, cost=cost, exchange_rate=rate, actor=actor,
                note=f"as {upstream_id}: {reason}",
            )
        )  # fmt: skip
        if not accepted:
            raise CannotDecide(f"The id {upstream_id} cannot be given to order {fresh.pk}.")

    _decide(order, (State.UNKNOWN,), "order.exists", reason, actor, attach)


def send_again(*, order: Order, actor: Actor, reason: str) -> None:
    """An unknown order does not exist upstream, by the operator's word: it waits to be sent again, unless its customer
    has been promised the money back in this case.
    """

    def send(fresh: Order) -> None:
        if fresh.cancel_wished_at is not None:
            raise CannotDecide(f"The customer asked to cancel order {fresh.pk}: give the money back instead.")
        Order.objects.filter(pk=fresh.pk).update(
            state=State.WAITING, reason="", not_before=timezone.now(), lease_until=None
        )
        tell([line(fresh, "sent_again", actor=actor, note=reason)])
        close_attention(key=f"unknown:{fresh.pk}", decision=f"Sent again: {reason}", actor=actor)
        hint("submit_orders", str(fresh.provider_id))

    _decide(order, (State.UNKNOWN,), "order.send_again", reason, actor, send)


def release(*, order: Order, actor: Actor, reason: str) -> None:
    """A held order is sent on, where a route keeps its promise without a loss."""

    def send(fresh: Order) -> None:
        if not release_held(fresh, ExchangeRates(), actor=actor):
            raise CannotDecide("No provider takes it without a loss at the moment.")

    _decide(order, (State.HELD,), "order.release", reason, actor, send)


def refund_whole(*, order: Order, actor: Actor, reason: str) -> None:
    """Ends an order that waits, is queued, held, unknown, by hand or under review as Canceled, all of its charge given
    back.
    """
    states = (State.UNKNOWN, State.HELD, State.WAITING, State.QUEUED, State.BY_HAND, State.REVIEW)

    def back(fresh: Order) -> None:
        done = give_back(fresh, why="operator", note=reason, of=states, actor=actor, told_as="refunded")
        assert done, "the row is locked"

    _decide(order, states, "order.refund", reason, actor, back)


def settle_by_hand(*, order: Order, status: Status, delivered: int | None, actor: Actor, reason: str) -> None:
    """Ends an order under review, by hand, or stuck at its provider, with what was delivered: for Partial, of what has
    a quantity; for a subscription always, and its hold is taken or released by it.
    """
    if status not in ends_of(order):
        raise CannotDecide(f"{status.label} is not an end of this order.")

    def end(fresh: Order) -> None:
        kept = _kept(fresh, status, delivered)
        postings, note = _book_known_cost(fresh, reason)
        close(fresh, status, reason=reason)
        if delivered is not None and fresh.quantity is not None:
            fresh.remains = fresh.quantity - delivered
        if fresh.parent is not None:
            fresh.undelivered = _undelivered(fresh, status, delivered)
        fresh.save(update_fields=[*SETTLED_FIELDS, "remains"])
        if fresh.parent is None:
            refund_all([refund_of(fresh, from_units(kept), status)])
            post(postings)
        else:
            refund_all(end_runs([fresh], actor=actor))
            end_parents([fresh], actor=actor)
            show_progress([fresh.parent])
        close_cancels([fresh])
        hint_of_end([fresh])
        tell([line(fresh, "ended", actor=actor, note=note)])
        decision = f"{status.label}: {note}"
        close_of_orders([fresh.pk], causes=CAUSES_OF_AN_OPEN_ORDER, decision=decision, actor=actor)

    states = (State.REVIEW, State.BY_HAND, State.ACCEPTED) if is_stuck(order) else (State.REVIEW, State.BY_HAND)
    _decide(order, states, "order.settle", reason, actor, end)


def ends_of(order: Order) -> tuple[Status, ...]:
    """The words that such an order can end with: Partial is of no subscription, Expired of nothing else."""
    other = Status.PARTIAL if is_subscription(order.service_type) else Status.EXPIRED
    return tuple(status for status in FINAL if status != other)


def is_stuck(order: Order) -> bool:
    """Whether an order with its provider may never end by itself: its id, or its provider's word, is not understood, it
    is left out of the answers, it should have ended long ago, or parts of it do not end.
    """
    if order.state != State.ACCEPTED:
        return False
    if order.upstream_ended_at is not None:
        return True
    open_items = AttentionItem.objects.filter(closed_at__isnull=True)
    of_the_order = Q(order_id=order.pk, cause__in=("status_error", ABSENT, OVERDUE))
    return open_items.filter(of_the_order | Q(provider_id=order.provider_id, cause="unknown_word")).exists()


def _kept(order: Order, status: Status, delivered: int | None) -> int:
    if is_subscription(order.service_type):
        return _delivered_of_subscription(order, delivered)
    if status == Status.COMPLETED:
        return sold(order).charge
    if status == Status.CANCELED:
        return 0
    if order.quantity is None or delivered is None:
        raise CannotDecide("Say how much was delivered; what has no quantity is either Completed or Canceled.")
    return _kept_for(order, order.quantity, delivered)


def _delivered_of_subscription(order: Order, delivered: int | None) -> int:
    """Whatever its end is called, a subscription is paid by what was delivered."""
    assert order.quantity is not None
    if delivered is None:
        raise CannotDecide("Say how much was delivered in all: a subscription is paid by that, however it ended.")
    return _kept_for(order, order.quantity, delivered)


def _kept_for(order: Order, quantity: int, delivered: int) -> int:
    if not 0 <= delivered <= quantity:
        raise CannotDecide(f"Delivered must be between 0 and {quantity:,}.")
    return keep_for_delivered(sold(order), delivered)


def _book_known_cost(order: Order, reason: str) -> tuple[list[Posting], str]:
    """What a subscription cost us, as far as its parts tell it, put onto the instance: the transfer for it, and the
    reason with a word on it. A price of its own, where it was told, was booked when the order came under review.
    """
    if not is_subscription(order.service_type) or order.upstream_id is None or order.cost is None:
        return [], reason
    made = parts_of([order.pk]).get(order.pk, ())
    total = from_units(known_sum(made))
    own = order.upstream_charge if order.state == State.REVIEW else None
    if own and own >= total:
        return [], f"{reason} (Our cost stays at {plain(order.cost)}: the provider told a price for the whole.)"
    if not made or any(part.charge is None for part in made):
        why = "not all of the provider's orders for it are known with a price"
        return [], f"{reason} (Our cost stays at {plain(order.cost)}: {why}.)"
    postings = true_up(order, total)
    return postings, f"{reason} (Our cost is {plain(order.cost)}, the price of the {len(made)} known orders for it.)"


def _undelivered(run: Order, status: Status, delivered: int | None) -> int:
    assert run.quantity is not None
    if status == Status.COMPLETED:
        return 0
    return run.quantity - (delivered or 0) if status == Status.PARTIAL else run.quantity


def progress_by_hand(
    *, order: Order, status: Status, start_count: int | None, remains: int | None, actor: Actor
) -> None:
    """How far an order fulfilled by hand is, before its end."""
    if status in FINAL:
        raise CannotDecide(f"{status.label} is an end: settle the order instead.")
    if status in (Status.ACTIVE, Status.PAUSED) and not is_subscription(order.service_type):
        raise CannotDecide(f"Only a subscription is {status.label}.")
    if remains is not None and (remains < 0 or (order.quantity is not None and remains > order.quantity)):
        raise CannotDecide("What remains is between 0 and the quantity.")

    def move(fresh: Order) -> None:
        fresh.status, fresh.start_count, fresh.remains = status, start_count, remains
        fresh.save(update_fields=["status", "start_count", "remains"])
        tell([line(fresh, "status", actor=actor)])

    _decide(order, (State.BY_HAND,), "order.progress", "", actor, move)


def _decide(
    order: Order, of: tuple[State, ...], action: str, reason: str, actor: Actor, change: Callable[[Order], None]
) -> None:
    """Locks the order, checks that the decision fits it, changes it and records who and why, in one transaction."""
    with transaction.atomic():
        related = ("customer__wallet", "provider__account", "provider_service__provider", "service")
        parent = lock_parent(order)
        fresh = Order.objects.select_for_update(of=("self",)).select_related(*related).get(pk=order.pk)
        fresh.parent = parent
        if fresh.state == State.SERIES:
            raise CannotDecide(f"Order {fresh.pk} is a drip-feed: decide about its runs, or cancel it.")
        if fresh.state not in of:
            raise CannotDecide(
                f"Order {fresh.pk} is {State(fresh.state).label.lower()}: this cannot be decided any more."
            )
        before = {"state": fresh.state, "status": fresh.status, "refunded": fresh.refunded}
        change(fresh)
        fresh.refresh_from_db()
        after = {"state": fresh.state, "status": fresh.status, "refunded": fresh.refunded}
        audit(actor=actor, action=action, target=fresh, reason=reason, before=before, after=after)
    order.refresh_from_db()
