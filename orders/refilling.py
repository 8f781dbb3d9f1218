"""Refills: a customer asks the provider, through us, to deliver again what has dropped.

A refill is asked for once. It is marked before its request is written, like an order; where the answer does not come
it is *unknown* and never repeated by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.cancelling import Verdict
from orders.dividing import is_subscription
from orders.models import Order, RefillRequest, State, Status
from orders.runs import is_series, look_at_runs
from orders.story import line, tell
from providers.models import Provider
from providers.outcomes import ItemError, RefillAnswer, RefillStatusReading, RefillWord
from providers.upstream import Upstream, UpstreamTrouble
from records.attention import close_attention, raise_attention
from records.audit import Actor, audit
from records.jobs import Turn, hint

LIVE = (RefillRequest.Status.PENDING, RefillRequest.Status.IN_PROGRESS)
WORDS = {
    RefillWord.PENDING: RefillRequest.Status.PENDING,
    RefillWord.IN_PROGRESS: RefillRequest.Status.IN_PROGRESS,
    RefillWord.COMPLETED: RefillRequest.Status.COMPLETED,
    RefillWord.REJECTED: RefillRequest.Status.REJECTED,
    RefillWord.CANCELED: RefillRequest.Status.CANCELED,
    RefillWord.ERROR: RefillRequest.Status.ERROR,
}


class CannotRefill(Exception):
    """No refill can be asked for; the sentence says why. Nothing was changed."""


def can_refill(order: Order) -> Verdict:
    """Whether `request_refill` would take it. Uses `open_refills` where a list has prefetched it."""
    if is_subscription(order.service_type):
        return Verdict(False, _("A subscription has no refill."))
    if not order.refill:
        return Verdict(False, _("This service has no refill."))
    if is_series(order):
        return _can_refill_runs(order)
    if order.state != State.ENDED or order.status != Status.COMPLETED or order.ended_at is None:
        return Verdict(False, _from_completed_on(order))
    if order.refill_days is not None and timezone.now() > order.ended_at + timedelta(days=order.refill_days):
        return Verdict(False, _over(order.refill_days))
    if order.upstream_id is None:
        return Verdict(False, _("This order was fulfilled by hand: write to us for a refill."))
    prefetched: list[RefillRequest] | None = getattr(order, "open_refills", None)
    if prefetched if prefetched is not None else order.refills.filter(ended_at__isnull=True).exists():
        return Verdict(False, _("A refill has been requested."))
    return Verdict(True)


def _can_refill_runs(order: Order) -> Verdict:
    """A drip-feed is refilled run by run, each from its own end on."""
    if not hasattr(order, "newest_to_refill"):
        look_at_runs([order])
    newest: datetime | None = order.newest_to_refill  # type: ignore[attr-defined]
    if newest is None:
        return Verdict(False, _each_from_completed_on(order))
    if order.refill_days is not None and timezone.now() > newest + timedelta(days=order.refill_days):
        return Verdict(False, _over(order.refill_days))
    return Verdict(True)


def _to_refill() -> QuerySet[Order]:
    """Runs that were completed and have no refill under way."""
    open_refills = RefillRequest.objects.filter(order=OuterRef("pk"), ended_at__isnull=True)
    completed = Order.objects.filter(state=State.ENDED, status=Status.COMPLETED, upstream_id__isnull=False)
    return completed.filter(~Exists(open_refills))


def _over(days: int) -> str:
    words = ngettext("The %(days)s day of refill is over.", "The %(days)s days of refill are over.", days)
    return words % {"days": days}


def _from_completed_on(order: Order) -> str:
    if order.refill_days is None:
        return _("A refill can be asked for from Completed on.")
    words = ngettext(
        "A refill can be asked for from Completed on, within %(days)s day.",
        "A refill can be asked for from Completed on, within %(days)s days.",
        order.refill_days,
    )
    return words % {"days": order.refill_days}


def _each_from_completed_on(order: Order) -> str:
    if order.refill_days is None:
        return _("Each run can be refilled from Completed on.")
    words = ngettext(
        "Each run can be refilled from Completed on, within %(days)s day.",
        "Each run can be refilled from Completed on, within %(days)s days.",
        order.refill_days,
    )
    return words % {"days": order.refill_days}


def request_refill(*, order: Order, actor: Actor) -> RefillRequest:
    """Records the wish and has it sent; raises CannotRefill.

    Of a drip-feed that the panel runs, one for each run that may be refilled; the first of them is returned.
    """
    order.refresh_from_db()
    if is_series(order):
        return _request_for_runs(order, actor)
    verdict = can_refill(order)
    if not verdict.allowed:
        raise CannotRefill(verdict.why + " " + _("Nothing was changed."))
    try:
        with transaction.atomic():
            request = RefillRequest.objects.create(order=order, customer_id=order.customer_id)
            tell([line(order, "refill_asked", actor=actor)])
            hint("send_refills", str(order.provider_id))
    except IntegrityError as error:
        raise CannotRefill(_("A refill has been requested. Nothing was changed.")) from error
    return request


def _request_for_runs(order: Order, actor: Actor) -> RefillRequest:
    look_at_runs([order])
    verdict = can_refill(order)
    completed = list(_to_refill().filter(parent=order).order_by("pk"))
    for run in completed:
        run.open_refills = []  # type: ignore[attr-defined] # the query has left out those that have one
    runs = [run for run in completed if can_refill(run).allowed]
    if not verdict.allowed or not runs:
        raise CannotRefill(verdict.why + " " + _("Nothing was changed."))
    try:
        with transaction.atomic():
            requests = RefillRequest.objects.bulk_create(
                [RefillRequest(order=run, customer_id=run.customer_id) for run in runs]
            )
            tell([line(asked, "refill_asked", actor=actor) for asked in (order, *runs)])
            for provider_id in {run.provider_id for run in runs}:
                hint("send_refills", str(provider_id))
    except IntegrityError as error:
        raise CannotRefill(_("A refill has been requested. Nothing was changed.")) from error
    return requests[0]


def send_refills(turn: Turn) -> Mapping[str, int]:
    """Asks the provider `turn.scope` for the refills that wait, one request each."""
    provider = Provider.objects.get(pk=int(turn.scope))
    counts: dict[str, int] = {}
    waiting = RefillRequest.objects.filter(
        status=RefillRequest.Status.WAITING, ended_at__isnull=True, order__provider=provider
    ).select_related("order")
    for request in waiting.order_by("id")[: settings.ORDER_SWEEP_ROWS]:
        if turn.should_stop():
            break
        became = _send(provider, request)
        counts[became] = counts.get(became, 0) + 1
        if became == "not_sent":
            break
    return counts


def _send(provider: Provider, request: RefillRequest) -> str:
    lease = timedelta(seconds=provider.deadline_seconds + settings.ORDER_LEASE_MARGIN_SECONDS)
    if not _mark(request, lease):
        return "passed"
    try:
        answer = Upstream(provider).refill(str(request.order.upstream_id))
    except UpstreamTrouble as trouble:
        return _write_trouble(request, trouble)
    return _write_answer(request, answer)


def _mark(request: RefillRequest, lease: timedelta) -> bool:
    now = timezone.now()
    waiting = RefillRequest.objects.filter(pk=request.pk, status=RefillRequest.Status.WAITING)
    return waiting.update(status=RefillRequest.Status.SENDING, sent_at=now, lease_until=now + lease) == 1


def _write_trouble(request: RefillRequest, trouble: UpstreamTrouble) -> str:
    match trouble.kind:
        case "not_sent":
            _change(request, RefillRequest.Status.WAITING, was=RefillRequest.Status.SENDING)
            return "not_sent"
        case "refused":
            assert trouble.refusal is not None
            return _rejected(request, trouble.refusal.text)
        case _:
            become_unknown(request, str(trouble))
            return "unknown"


def _write_answer(request: RefillRequest, answer: RefillAnswer) -> str:
    if answer.refusal is not None:
        return _rejected(request, answer.refusal.text)
    assert answer.refill_id is not None
    with transaction.atomic():
        sending = [RefillRequest.Status.SENDING, RefillRequest.Status.UNKNOWN]
        taken = RefillRequest.objects.filter(pk=request.pk, status__in=sending).update(
            status=RefillRequest.Status.PENDING, upstream_id=answer.refill_id, lease_until=None
        )
        if taken == 1:
            tell([line(request.order, "refill_accepted", note=f"as {answer.refill_id}")])
            close_attention(key=f"refill:{request.pk}", decision=f"It was answered late, as {answer.refill_id}.")
    return "asked"


def _rejected(request: RefillRequest, why: str) -> str:
    with transaction.atomic():
        if _end_open(request, RefillRequest.Status.REJECTED, why):
            tell([line(request.order, "refill_rejected", note=why)])
            close_attention(key=f"refill:{request.pk}", decision=f"It was rejected late: {why}")
    return "rejected"


def _end_open(request: RefillRequest, to: RefillRequest.Status, why: str) -> bool:
    """Ends a refill that is being sent or unknown."""
    unsettled = [RefillRequest.Status.SENDING, RefillRequest.Status.UNKNOWN]
    open_still = RefillRequest.objects.filter(pk=request.pk, status__in=unsettled, ended_at__isnull=True)
    return open_still.update(status=to, reason=why[:500], lease_until=None, ended_at=timezone.now()) == 1


def decide_unknown(*, refill: RefillRequest, upstream_id: str, actor: Actor, reason: str) -> None:
    """What a person found out of an unknown refill: the id it has upstream, to be followed; or "", it was not taken.

    Raises CannotRefill where it is no longer unknown.
    """
    upstream_id = upstream_id.strip()[:64]
    unknown = RefillRequest.objects.filter(
        pk=refill.pk, status=RefillRequest.Status.UNKNOWN, ended_at__isnull=True
    )
    with transaction.atomic():
        if upstream_id:
            changed = unknown.update(status=RefillRequest.Status.PENDING, upstream_id=upstream_id, reason=reason[:500])
        else:
            now = timezone.now()
            changed = unknown.update(status=RefillRequest.Status.REJECTED, ended_at=now, reason=reason[:500])
        if changed != 1:
            raise CannotRefill("This refill is not unknown any more. Nothing was changed.")
        tell([line(refill.order, "refill_accepted" if upstream_id else "refill_rejected", actor=actor, note=reason)])
        close_attention(key=f"refill:{refill.pk}", decision=reason, actor=actor)
        told = {"decided": ""}, {"upstream id": upstream_id, "decided": "followed" if upstream_id else "not taken"}
        audit(actor=actor, action="refill.decide", target=refill, reason=reason, before=told[0], after=told[1])
    refill.refresh_from_db()


def become_unknown(request: RefillRequest, why: str) -> None:
    """The request left and no clear answer came: it is not repeated, the operator is told, its status cannot be
    asked.
    """
    with transaction.atomic():
        if not _change(request, RefillRequest.Status.UNKNOWN, was=RefillRequest.Status.SENDING, reason=why):
            return
        raise_attention(
            cause="unknown_refill",
            key=f"refill:{request.pk}",
            summary=f"The refill of order {request.order_id} may or may not have been placed: {why}",
            provider_id=request.order.provider_id,
            order_id=request.order_id,
        )
        tell([line(request.order, "refill_unknown", note=why)])


def _change(
    request: RefillRequest,
    to: RefillRequest.Status,
    *,
    was: RefillRequest.Status,
    reason: str = "",
    ended: bool = False,
) -> bool:
    changed = RefillRequest.objects.filter(pk=request.pk, status=was).update(
        status=to, reason=reason[:500], lease_until=None, ended_at=timezone.now() if ended else None
    )
    return changed == 1


def refill_statuses(turn: Turn) -> Mapping[str, int]:
    """Asks the provider `turn.scope` what became of its refills."""
    provider = Provider.objects.get(pk=int(turn.scope))
    size = provider.multi_status_size if provider.multi_refill else 1
    counts = {"asked": 0, "changed": 0, "errors": 0}
    last = 0
    live = RefillRequest.objects.filter(status__in=LIVE, ended_at__isnull=True, order__provider=provider)
    while not turn.should_stop():
        batch = list(live.filter(pk__gt=last).select_related("order").order_by("id")[:size])
        if not batch:
            break
        last = batch[-1].pk
        try:
            answers = Upstream(provider).refill_status([request.upstream_id for request in batch])
        except UpstreamTrouble as trouble:
            counts["errors"] += len(batch)
            if trouble.kind == "refused":
                continue  # this refill's own error: the others may do better
            break
        counts["asked"] += len(batch)
        changed, errors = _write_statuses(batch, answers)
        counts["changed"] += changed
        counts["errors"] += errors
    return counts


def _write_statuses(
    batch: Sequence[RefillRequest], answers: Mapping[str, RefillStatusReading | ItemError]
) -> tuple[int, int]:
    changed = errors = 0
    for request in batch:
        answer = answers.get(request.upstream_id)
        if not isinstance(answer, RefillStatusReading) or answer.status is None:
            errors += 1
            continue
        status = WORDS[answer.status]
        if status == request.status:
            continue
        changed += 1
        ended = status not in LIVE
        with transaction.atomic():
            if _change(request, status, was=RefillRequest.Status(request.status), reason="", ended=ended):
                tell([line(request.order, f"refill_{status.name.lower()}")])
                if ended:  # a refill may have changed what the provider says of the order itself
                    Order.objects.filter(pk=request.order_id).update(ask_again_at=timezone.now())
    return changed, errors
