"""Finding out whether an unknown order exists upstream, by asking for every id it could have.

API v2 cannot be searched, but ids rise. Below the unknown order's id lies every id that was answered before its
request began; above it every id of a request that began at least the settling time after it had ended. Every id
between is asked for. Exactly one record that nobody holds, one unknown order in the gap, and the charge that was
expected: it is that order. No such record, no money missing at the provider, and every record that an order of ours
holds there charged as that order should be: it was not placed. Anything else stays on the operator's list, with the
evidence; so do subscriptions and drip-feeds, and records that may be parts of one.

A provider may answer with the id of an earlier order: one whose own answer was lost is then held by another, and
nothing of it is free. Its charge tells: it is the lost order's, not the holder's. The id above is looked at for that
reason too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from orders.accepting import Acceptance, accept
from orders.attempts import SOLVED
from orders.dividing import may_have_parts
from orders.ending import give_back
from orders.models import Attempt, Order, State, UpstreamPart
from orders.parts_in_gaps import parts_may_lie_between
from orders.reading import in_booked_currency
from orders.routing import ExchangeRates, promise_of, purchase_at
from orders.story import line, tell
from providers.models import BalanceReading, Provider
from providers.outcomes import Cause, ItemError, StatusReading
from providers.upstream import Upstream, UpstreamTrouble
from records.attention import close_attention, raise_attention
from records.jobs import Turn, hint
from records.models import Restoration

NEAREST = 200  # answers on each side of a lost request: more than come in out of their order
LONGEST_ID = 18  # digits; a longer one is no number that rises
ROUNDING = Decimal("0.01")  # of its cost: how far a record's charge may lie from it and still be that order's

# What one run was told of each id it asked for; None for an id that the answer left out.
Answers = dict[str, StatusReading | ItemError | None]


@dataclass(frozen=True, slots=True)
class Gap:
    """The ids that an unknown order may have: those strictly between."""

    below: int
    above: int

    def __len__(self) -> int:
        return max(0, self.above - self.below - 1)

    def ids(self) -> list[str]:
        return [str(number) for number in range(self.below + 1, self.above)]


@dataclass(slots=True)
class Found:
    """What the provider answered for a gap: records that no order of ours holds, ids that told nothing, and records
    that are held by an order of ours whose charge they do not have.
    """

    candidates: dict[str, StatusReading] = field(default_factory=dict)
    inconclusive: list[str] = field(default_factory=list)
    strange: dict[str, StatusReading] = field(default_factory=dict)
    asked: int = 0


def reconcile(turn: Turn) -> Mapping[str, int]:
    """Tries to resolve the unknown orders of the provider `turn.scope`."""
    provider = Provider.objects.select_related("account").get(pk=int(turn.scope))
    counts = {"attached": 0, "not_placed": 0, "open": 0}
    if not provider.rising_ids or provider.used_by_hand:
        return counts
    answers: Answers = {}
    for attempt in _unknown_attempts(provider):
        if turn.should_stop():
            break
        counts[_reconcile_one(provider, attempt, answers)] += 1
    return counts


def _unknown_attempts(provider: Provider) -> Sequence[Attempt]:
    """The newest attempts of unknown orders that ended the settling time ago, oldest first."""
    settled = timezone.now() - timedelta(seconds=settings.RECONCILE_SETTLING_SECONDS)
    orders = Order.objects.filter(state=State.UNKNOWN, provider=provider, not_before__lte=timezone.now())
    orders = orders.order_by("id")[: settings.ORDER_SWEEP_ROWS]
    newest = {order.pk: order for order in orders.select_related("provider_service__provider", "customer__wallet")}
    found = []
    for attempt in Attempt.objects.filter(order_id__in=newest, ended_at__lte=settled).order_by("began_at", "id"):
        order = newest[attempt.order_id]
        if attempt.number == order.attempt:
            attempt.order = order
            found.append(attempt)
    return found


def gap_of(attempt: Attempt) -> Gap | None:
    """The gap that the attempt's order would lie in; None while there is no bound on one of its sides."""
    below, above = bounds_of(attempt)
    if below is None or above is None or above <= below:
        return None
    return Gap(below, above)


def bounds_of(attempt: Attempt) -> tuple[int | None, int | None]:
    """The ids between which the attempt's order lies, if it exists; None for a side that nothing bounds yet.

    The NEAREST answers of each side are looked at: too few of them make a gap wider, never narrower.
    """
    accepted = Attempt.objects.filter(provider_id=attempt.provider_id, outcome=Attempt.Outcome.ACCEPTED)
    below = _numbers(accepted.filter(ended_at__lt=attempt.began_at).order_by("-ended_at"))
    if attempt.ended_at is None:
        return max(below, default=None), None
    settled = attempt.ended_at + timedelta(seconds=settings.RECONCILE_SETTLING_SECONDS)
    above = _numbers(accepted.filter(began_at__gte=settled).order_by("began_at"))
    return max(below, default=None), min(above, default=None)


def _numbers(accepted: QuerySet[Attempt]) -> list[int]:
    ids = accepted.values_list("upstream_id", flat=True)[:NEAREST]
    return [int(text) for text in ids if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID]


def _reconcile_one(provider: Provider, attempt: Attempt, answers: Answers) -> str:
    gap = gap_of(attempt)
    if gap is None:
        return "open"
    if len(gap) > settings.RECONCILE_MOST_IDS:
        return _leave_open(attempt, gap, None, f"{len(gap):,} ids lie between: more than are asked for.")
    try:
        found = _ask(provider, attempt, gap, answers)
    except UpstreamTrouble as trouble:
        return _leave_open(attempt, gap, None, f"The provider could not be asked: {trouble}")
    return _decide(provider, attempt, gap, found)


def _ask(provider: Provider, attempt: Attempt, gap: Gap, answers: Answers) -> Found:
    """Asks for the ids that no earlier order of this run has asked for: after an outage many lie in one gap, and the
    provider's limit of requests is the status sweeps' too.
    """
    found = Found(asked=len(gap))
    ids = [*gap.ids(), str(gap.above)]
    orders = Order.objects.filter(provider=provider, upstream_id__in=ids)
    parts = UpstreamPart.objects.filter(provider=provider, upstream_id__in=ids)
    costs = _costs_of(orders)
    held = {*orders.values_list("upstream_id", flat=True), *parts.values_list("upstream_id", flat=True)}
    size = provider.multi_status_size if provider.multi_status else 1
    new = [upstream_id for upstream_id in ids if upstream_id not in answers]
    for start in range(0, len(new), size):
        batch = new[start : start + size]
        came = Upstream(provider).status(batch)
        answers.update((upstream_id, came.get(upstream_id)) for upstream_id in batch)
    for upstream_id in ids:
        answer = answers[upstream_id]
        if upstream_id in held or upstream_id == str(gap.above):
            cost = costs.get(upstream_id)
            if isinstance(answer, StatusReading) and cost is not None and _is_anothers(answer, provider, cost, attempt):
                found.strange[upstream_id] = answer
            continue
        if isinstance(answer, StatusReading):
            found.candidates[upstream_id] = answer
        elif not _says_no_such_order(answer):
            found.inconclusive.append(upstream_id)
    return found


def _costs_of(orders: QuerySet[Order]) -> dict[str, Decimal]:
    """What each order was to cost when it was sent, by upstream id; without those whose charge is told in parts."""
    made = Attempt.objects.filter(order__in=orders, number=F("order__attempt"), cost__isnull=False)
    return {
        str(attempt.order.upstream_id): attempt.cost
        for attempt in made.select_related("order")
        if attempt.cost is not None and not may_have_parts(attempt.order.service_type, attempt.order.runs)
    }


def _is_anothers(reading: StatusReading, provider: Provider, cost: Decimal, attempt: Attempt) -> bool:
    """Whether a record that an order of ours holds was charged as if it were another's, perhaps the unknown one's."""
    if reading.charge is None or not in_booked_currency(reading, provider) or reading.charge == cost:
        return False
    return reading.charge == purchase_of(attempt.order)[0] or abs(reading.charge - cost) > cost * ROUNDING


def _says_no_such_order(answer: ItemError | None) -> bool:
    return answer is not None and answer.refusal.cause == Cause.INCORRECT_ID


def crosses_a_restore(provider: Provider, gap: Gap) -> bool:
    """Whether ids of the gap may have been given out while the panel did what a restored backup knows nothing of.

    They lie between the last id that was answered before a restore and the first of a request begun after it. A record
    there may be of an order that is gone from the books, and that none is there does not say that none was sent
    elsewhere: neither decides anything.
    """
    accepted = Attempt.objects.filter(provider=provider, outcome=Attempt.Outcome.ACCEPTED)
    for restored_at in Restoration.objects.order_by("-restored_at").values_list("restored_at", flat=True):
        before = max(_numbers(accepted.filter(ended_at__lt=restored_at).order_by("-ended_at")), default=0)
        since = min(_numbers(accepted.filter(began_at__gt=restored_at).order_by("began_at")), default=None)
        if gap.above > before and (since is None or gap.below < since):
            return True
    return False


def _decide(provider: Provider, attempt: Attempt, gap: Gap, found: Found) -> str:
    if crosses_a_restore(provider, gap):
        return _leave_open(
            attempt, gap, found, "The panel was restored from a backup: orders that it does not know of may be there."
        )
    if found.inconclusive:
        return _leave_open(attempt, gap, found, f"{len(found.inconclusive)} ids were not answered clearly.")
    if may_have_parts(attempt.order.service_type, attempt.order.runs):
        return _leave_open(
            attempt, gap, found, "A drip-feed or a subscription is found or given up by a person alone: look there."
        )
    others = _others_in(gap, attempt)
    if not found.candidates:
        assert attempt.ended_at is not None
        if attempt.upstream_id:
            return _leave_open(
                attempt,
                gap,
                found,
                f"No record is free there, but the provider said that it placed the order, as {attempt.upstream_id}.",
            )
        if found.strange:
            return _leave_open(
                attempt,
                gap,
                found,
                "No record is free there, but one that another order holds was not charged as that order: the provider "
                f"may have given it the wrong id ({', '.join(list(found.strange)[:20])}).",
            )
        if _money_is_missing(provider, attempt.ended_at):
            return _leave_open(
                attempt, gap, found, "No such order is there, but the provider's balance fell unexplained."
            )
        return _not_placed(provider, attempt, gap, found)
    if len(found.candidates) > 1 or others:
        return _leave_open(attempt, gap, found, "More than one order or record could be meant.")
    if parts_may_lie_between(provider.pk, gap.below, gap.above):
        return _leave_open(
            attempt, gap, found, "One order is there, but it may be a part of a drip-feed or a subscription there."
        )
    (upstream_id, reading), *_ = found.candidates.items()
    cost = purchase_of(attempt.order)
    if reading.charge is None or not in_booked_currency(reading, provider) or reading.charge != cost[0]:
        return _leave_open(attempt, gap, found, "One order is there, but its charge is not the expected one.")
    with transaction.atomic():
        attached = accept(
            Acceptance(
                order=attempt.order,
                attempt=attempt.number,
                upstream_id=upstream_id,
                cost=cost[0],
                exchange_rate=cost[1],
                note=f"found upstream as {upstream_id}, the only one between {gap.below} and {gap.above}",
            )
        )
    return "attached" if attached else "open"


def purchase_of(order: Order) -> tuple[Decimal, Decimal]:
    """The cost of an order that was found to exist, in the provider's currency, and its exchange rate: those of the
    attempt that made it, or of now where it kept none.
    """
    attempt = order.attempts.filter(number=order.attempt).first()
    if attempt is not None and attempt.cost is not None and attempt.exchange_rate is not None:
        return attempt.cost, attempt.exchange_rate
    assert order.provider_service is not None
    purchase = purchase_at(order.provider_service, promise_of(order), ExchangeRates())
    return purchase.cost, purchase.exchange_rate


def _others_in(gap: Gap, attempt: Attempt) -> int:
    """How many other requests without a clear answer could have made a record in the same gap.

    By attempts, not by the orders' state: what was given back or sent again by a decision may exist there all the same.
    An attempt whose order got an id since is no riddle any more.
    """
    lost = Attempt.objects.filter(provider_id=attempt.provider_id, outcome=Attempt.Outcome.UNKNOWN)
    sending = Order.objects.filter(provider_id=attempt.provider_id, state=State.SENDING)
    under_way = Attempt.objects.filter(order__in=sending, ended_at__isnull=True)
    others = [*lost.exclude(order_id=attempt.order_id).exclude(SOLVED), *under_way]
    return sum(_may_lie_in(gap, other) for other in others)


def _may_lie_in(gap: Gap, attempt: Attempt) -> bool:
    below, above = bounds_of(attempt)
    return (below is None or below < gap.above - 1) and (above is None or above > gap.below + 1)


def _money_is_missing(provider: Provider, since: datetime) -> bool:
    """Whether the provider holds less than our books said when it was last asked: an order that exists would explain
    it.

    Without a reading since the unknown request ended nothing is shown, and money may be missing.
    """
    reading = BalanceReading.objects.filter(provider=provider, at__gt=since).order_by("-at").first()
    return reading is None or reading.reported < reading.booked


def _not_placed(provider: Provider, attempt: Attempt, gap: Gap, found: Found) -> str:
    order = attempt.order
    shown = f"It does not exist upstream: none of the {found.asked} ids between {gap.below} and {gap.above} is free."
    if order.cancel_wished_at is not None:
        done = give_back(
            order, why="canceled", note="Canceled as you asked.", of=(State.UNKNOWN,), attempt=attempt.number
        )
        return "not_placed" if done else "open"
    if not provider.resend_when_not_placed:
        _leave_open(attempt, gap, found, shown)
        return "not_placed"
    with transaction.atomic():
        unwished = Order.objects.filter(pk=order.pk, cancel_wished_at__isnull=True)
        again = unwished.filter(state=State.UNKNOWN, attempt=attempt.number).update(
            state=State.WAITING, reason="", not_before=timezone.now(), lease_until=None
        )
        if again == 1:
            tell([line(order, "not_placed", note=shown)])
            close_attention(key=f"unknown:{order.pk}", decision=f"{shown} Sent again.")
            hint("submit_orders", str(provider.pk))
    return "not_placed"


def _look_later(attempt: Attempt) -> None:
    """The older the riddle, the rarer it is looked at: what was asked once seldom changes, and asking costs."""
    assert attempt.ended_at is not None
    now = timezone.now()
    wait = min((now - attempt.ended_at) / 4, timedelta(hours=settings.RECONCILE_REST_HOURS))
    Order.objects.filter(pk=attempt.order_id, state=State.UNKNOWN).update(not_before=now + wait)


def _leave_open(attempt: Attempt, gap: Gap, found: Found | None, why: str) -> str:
    """The operator's item gets the newest evidence; nothing else changes."""
    order = attempt.order
    _look_later(attempt)
    evidence: dict[str, object] = {
        "attempt": attempt.number,
        "sent": _moment(attempt.began_at),
        "ids asked": f"{gap.below + 1} to {gap.above - 1}",
        "finding": why,
    }
    if found is not None:
        evidence["records nobody holds"] = {
            upstream_id: {"status": reading.word, "charge": reading.charge, "start_count": reading.start_count}
            for upstream_id, reading in list(found.candidates.items())[:20]
        }
        evidence["unclear ids"] = found.inconclusive[:20]
        evidence["charged as another"] = {
            upstream_id: reading.charge for upstream_id, reading in list(found.strange.items())[:20]
        }
    raise_attention(
        cause="unknown_submission",
        key=f"unknown:{order.pk}",
        summary=f"Order {order.pk} may or may not have been placed: {why}",
        evidence=evidence,
        provider_id=order.provider_id,
        order_id=order.pk,
    )
    return "open"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
