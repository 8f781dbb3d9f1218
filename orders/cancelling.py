"""Cancelling, in the three forms it has; of a drip-feed that the panel runs, run by run (`orders.stopping`).

Before submission it is immediate and free, by the same kind of conditional update as the claim, so that one of the
two wins. While an order is being sent, or nobody knows, the wish is kept: forwarded on acceptance, honoured by a
refund when the order is refused or shown not placed. With the provider it is a request like any other: only the
order's later status says what happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from orders.ending import give_back
from orders.models import CancelRequest, Order, State
from orders.runs import is_series
from orders.stopping import stop_series
from orders.story import line, tell
from providers.models import Provider
from providers.outcomes import CancelAnswer
from providers.upstream import Upstream, UpstreamTrouble
from records.attention import Item, raise_many
from records.audit import Actor
from records.jobs import Turn, hint

FREE = (State.WAITING, State.QUEUED, State.HELD)
UNSETTLED = (State.SENDING, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something can be asked for, and if not, why not, in the customer's words."""

    allowed: bool
    why: str = ""


class Cancelled(Enum):
    """What became of a customer's cancel."""

    DONE = N_("Canceled. The whole charge is back on your balance.")
    WISHED = N_(
        "Cancellation requested. If the order turns out not to have been placed, the charge goes back to your balance."
    )
    ASKED = N_("Cancellation requested. The order keeps its status until the answer is there.")
    STOPPED = N_(
        "No further run is made, and the charge for those that were not begun is back on your balance. "
        "What is under way keeps its status until it ends."
    )
    REST = N_("Canceled. The charge for what was not delivered is back on your balance.")


class CannotCancel(Exception):
    """The order cannot be cancelled (any more); the sentence says why. Nothing was changed."""


def can_cancel(order: Order) -> Verdict:
    """Whether `request_cancel` would take it; reads at most one row besides."""
    if order.state == State.ENDED:
        return Verdict(False, _("The order has ended."))
    if order.state == State.REVIEW:
        return Verdict(False, _("The order has ended at the provider and is being looked at."))
    if order.state in FREE:
        return Verdict(True)
    if order.cancel_wished_at is not None or has_open_cancel(order):
        return Verdict(False, _("Cancellation has been requested."))
    if order.state in UNSETTLED:
        return Verdict(True)
    if order.state == State.SERIES:
        return Verdict(True)  # what was not begun can always be stopped
    if order.state == State.ACCEPTED and not order.cancel:
        return Verdict(False, _("This service cannot be canceled once the order is being worked on."))
    return Verdict(True)


def has_open_cancel(order: Order) -> bool:
    """Whether a request to cancel is under way; uses what a list has prefetched as `open_cancels`."""
    prefetched: list[CancelRequest] | None = getattr(order, "open_cancels", None)
    if prefetched is not None:
        return bool(prefetched)
    return order.cancels.filter(ended_at__isnull=True).exists()


def request_cancel(*, order: Order, actor: Actor) -> Cancelled:
    """Cancels, or asks for it, by where the order is now; raises CannotCancel."""
    for _turn in range(3):  # the order may move between the reading and the conditional update
        order.refresh_from_db()
        verdict = can_cancel(order)
        if not verdict.allowed:
            raise CannotCancel(verdict.why + " " + _("Nothing was changed."))
        done = _cancel_where_it_is(order, actor)
        if done is not None:
            return done
    raise CannotCancel(
        _("The order is changing at this moment. Nothing was changed: try again in a minute.")
    )


def _cancel_where_it_is(order: Order, actor: Actor) -> Cancelled | None:
    if order.state in FREE:
        done = give_back(
            order, why="canceled", note="Canceled before it was sent.", of=FREE, actor=actor, told_as="canceled"
        )
        return Cancelled.DONE if done else None
    if order.state in UNSETTLED:
        return Cancelled.WISHED if _wish(order, actor) else None
    if is_series(order):
        return _stop(order, actor)
    return Cancelled.ASKED if _ask(order, actor) else None


def _stop(order: Order, actor: Actor) -> Cancelled | None:
    if not stop_series(order, actor, cancel_run=_cancel_run):
        return None
    if order.state != State.ENDED:
        return Cancelled.STOPPED
    return Cancelled.DONE if order.refunded == order.charge else Cancelled.REST


def _cancel_run(run: Order, actor: Actor) -> None:
    """Its row is locked: it does not move meanwhile. What cannot be cancelled any more runs to its end."""
    if can_cancel(run).allowed:
        _cancel_where_it_is(run, actor)


def _wish(order: Order, actor: Actor) -> bool:
    with transaction.atomic():
        wished = Order.objects.filter(pk=order.pk, state__in=UNSETTLED, cancel_wished_at__isnull=True).update(
            cancel_wished_at=timezone.now()
        )
        if wished == 1:
            tell([line(order, "cancel_asked", actor=actor)])
    return wished == 1


def _ask(order: Order, actor: Actor) -> bool:
    try:
        with transaction.atomic():
            # the row's lock keeps a settlement from passing between this check and the request
            live = Order.objects.select_for_update().filter(pk=order.pk, state__in=[State.ACCEPTED, State.BY_HAND])
            if not live.exists():
                return False
            CancelRequest.objects.create(order=order, customer_id=order.customer_id)
            tell([line(order, "cancel_asked", actor=actor)])
            if order.state == State.BY_HAND:
                what = "is fulfilled by hand and its customer asks to cancel it."
                raise_many([_item(order, "asked_by_hand", what)])
            else:
                hint("send_cancels", str(order.provider_id))
    except IntegrityError:
        return True  # asked for twice at once: one request stands
    return True


def send_cancels(turn: Turn) -> Mapping[str, int]:
    """Forwards the wishes to cancel to the provider `turn.scope`. Asking twice does no harm, so a lost answer is
    asked again.
    """
    provider = Provider.objects.get(pk=int(turn.scope))
    sent = refused = troubled = 0
    due = CancelRequest.objects.filter(
        ended_at__isnull=True,
        status=CancelRequest.Status.WAITING,
        not_before__lte=timezone.now(),
        order__provider=provider,
        order__state=State.ACCEPTED,
    ).select_related("order")
    while not turn.should_stop():
        batch = list(due.order_by("id")[: settings.CANCEL_BATCH])
        if not batch:
            break
        try:
            answers = Upstream(provider).cancel([str(request.order.upstream_id) for request in batch])
        except UpstreamTrouble as trouble:
            troubled += len(batch)
            _try_later(batch, str(trouble))
            break
        asked, said_no = _write_answers(batch, answers)
        sent, refused = sent + asked, refused + said_no
    return {"asked": sent, "refused": refused, "troubled": troubled}


def _write_answers(batch: Sequence[CancelRequest], answers: Mapping[str, CancelAnswer]) -> tuple[int, int]:
    now = timezone.now()
    events = []
    asked = refused = 0
    for request in batch:
        answer = answers.get(str(request.order.upstream_id))
        request.tries, request.sent_at = request.tries + 1, now
        if answer is None:
            request.not_before = now + timedelta(seconds=settings.CANCEL_RETRY_SECONDS * request.tries)
        elif answer.refusal is None:
            request.status, asked = CancelRequest.Status.ASKED, asked + 1
        else:
            request.status, request.ended_at = CancelRequest.Status.REFUSED, now
            request.reason, refused = answer.refusal.text[:500], refused + 1
            events.append(line(request.order, "cancel_refused", note=request.reason))
    with transaction.atomic():
        # orders first, as everywhere: an end holds its order's row when it closes the request
        ours = Order.objects.filter(pk__in=[request.order_id for request in batch]).order_by("pk")
        list(ours.select_for_update().values_list("pk", flat=True))
        # an order that ended meanwhile has closed its request: what is closed stays as it is
        for request in batch:
            CancelRequest.objects.filter(pk=request.pk, ended_at__isnull=True).update(
                status=request.status,
                reason=request.reason,
                tries=request.tries,
                sent_at=request.sent_at,
                not_before=request.not_before,
                ended_at=request.ended_at,
            )
        tell(events)
    return asked, refused


def _try_later(batch: Sequence[CancelRequest], why: str) -> None:
    tries = max(request.tries for request in batch) + 1
    wait = min(settings.CANCEL_RETRY_SECONDS * 2 ** min(tries, 10), settings.ORDER_RETRY_LONGEST_SECONDS)
    CancelRequest.objects.filter(pk__in=[request.pk for request in batch], ended_at__isnull=True).update(
        tries=tries, not_before=timezone.now() + timedelta(seconds=wait), reason=why[:500]
    )


def report_unanswered() -> int:
    """Puts requests that nobody answered for CANCEL_UNANSWERED_HOURS on the operator's list; returns how many there
    are.
    """
    since = timezone.now() - timedelta(hours=settings.CANCEL_UNANSWERED_HOURS)
    old = CancelRequest.objects.filter(ended_at__isnull=True, asked_at__lt=since, reported_at__isnull=True)
    found = list(old.select_related("order").order_by("asked_at")[: settings.ORDER_SWEEP_ROWS])
    with transaction.atomic():  # told once: an item that the operator closed does not come back
        raise_many(
            _item(each.order, "unanswered", f"has had an unanswered request to cancel since {each.asked_at:%d %B}.")
            for each in found
        )
        CancelRequest.objects.filter(pk__in=[each.pk for each in found]).update(reported_at=timezone.now())
    return len(found)


def _item(order: Order, kind: str, what: str) -> Item:
    return Item(
        cause=f"cancel_{kind}",
        key=f"cancel:{order.pk}",
        summary=f"Order {order.pk} {what}",
        provider_id=order.provider_id,
        order_id=order.pk,
    )
