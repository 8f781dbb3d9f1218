"""What a run means for its drip-feed: when the next one is due, what was delivered, what goes back, when all is over.

A drip-feed that the panel runs was sold and paid as one order; each run is an order of its own without a charge, a row
whose `parent` is the one that was sold. Whoever moves a run that is accepted or ends locks the parent's row first, and
the rows of runs and other orders after it, everywhere: parents before all else, each in id order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import BigIntegerField, Case, Exists, F, Max, OuterRef, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from catalog.pricing import per_thousand
from ledger.amounts import from_units, to_units
from orders.keeping import Sold, keep_without
from orders.models import Order, RefillRequest, State, Status
from orders.refunding import Refund
from orders.story import line, tell
from records.audit import SYSTEM, Actor


def is_series(order: Order) -> bool:
    """Whether the panel divides the order into runs by itself (a provider's own drip-feed is an order like others)."""
    return order.runs_left is not None


def look_at_runs(orders: Iterable[Order]) -> None:
    """Puts on the drip-feeds among the orders of a list what is shown and asked of their runs: one query for all.

    `runs_begun`: how many; `newest_to_refill`: the last end of one that was completed and has no refill under way.
    """
    parents = [order for order in orders if is_series(order)]
    if not parents:
        return
    open_refills = RefillRequest.objects.filter(order=OuterRef("pk"), ended_at__isnull=True)
    completed = Q(~Exists(open_refills), state=State.ENDED, status=Status.COMPLETED, upstream_id__isnull=False)
    runs = Order.objects.filter(parent__in=parents).values("parent_id")
    found = runs.annotate(begun=Max("run"), newest=Max("ended_at", filter=completed))
    looks = {row["parent_id"]: row for row in found}
    for parent in parents:
        look = looks.get(parent.pk, {"begun": 0, "newest": None})
        parent.runs_begun = look["begun"]  # type: ignore[attr-defined]
        parent.newest_to_refill = look["newest"]  # type: ignore[attr-defined]


def lock_parent(run: Order) -> Order | None:
    """Locks the drip-feed that the order is a run of, and puts the fresh row on it; None for an order that is no run.
    """
    if run.parent_id is None:
        return None
    run.parent = locked(Order.objects.filter(pk=run.parent_id)).get()
    return run.parent


def lock_parents(runs: Collection[int]) -> dict[int, Order]:
    """The same for many orders at once, by the parents' ids; put each on its runs (`run.parent`)."""
    ids = set(Order.objects.filter(pk__in=runs, parent__isnull=False).values_list("parent_id", flat=True))
    return {parent.pk: parent for parent in locked(Order.objects.filter(pk__in=ids))} if ids else {}


def locked(orders: QuerySet[Order]) -> QuerySet[Order]:
    """The orders, locked in id order, ready to have money given back."""
    assert connection.in_atomic_block
    return orders.select_for_update(of=("self",)).select_related("customer__wallet").order_by("pk")


def run_accepted(run: Order) -> None:
    """The next run's time is counted from now on, so that an outage is not made up for by a burst of runs."""
    parent = run.parent
    assert parent is not None
    assert run.accepted_at is not None
    assert parent.interval is not None
    if parent.runs_left:
        parent.next_run_at = run.accepted_at + timedelta(minutes=parent.interval)
    if parent.status == Status.PENDING:
        parent.status = Status.IN_PROGRESS
        tell([line(parent, "status")])
    parent.save(update_fields=["next_run_at", "status"])


def sold_for(order: Order) -> Decimal:
    """What the order was sold for: its charge, or a run's share of what its drip-feed was sold for."""
    return order.charge if order.parent_id is None else per_thousand(order.rate, order.quantity)


def end_runs(runs: Sequence[Order], *, actor: Actor = SYSTEM) -> list[Refund]:
    """Takes ended runs, their `undelivered` written, into their locked parents; returns what is to be given back.

    One refund a parent, named after the highest of the runs. A run that ends without ever having been accepted ends
    its drip-feed: what could not be sent once would fail again and again, and the money is the customer's.
    """
    by_parent = defaultdict[int, list[Order]](list)
    for run in runs:
        assert run.parent is not None
        by_parent[run.parent.pk].append(run)
    parents, refunds, events = [], [], []
    for pk in sorted(by_parent):
        ended = by_parent[pk]
        parent = ended[0].parent
        assert parent is not None
        parent.undelivered += sum(run.undelivered for run in ended)
        if any(run.upstream_id is None for run in ended):
            give_up_the_rest(parent)
        refunds.append(refund_due(parent, why=f"run{max(_number(run) for run in ended)}"))
        events += [line(parent, "run_ended", actor=actor, note=_in_words(run)) for run in ended]
        parents.append(parent)
    Order.objects.bulk_update(parents, ["undelivered", "runs_left", "next_run_at"])
    tell(events)
    return refunds


def end_parents(runs: Sequence[Order], *, actor: Actor = SYSTEM) -> None:
    """Ends the drip-feeds that these ended runs were the last of; call it when their refunds have moved."""
    parents = {run.parent.pk: run.parent for run in runs if run.parent is not None}
    end_what_is_over([parents[pk] for pk in sorted(parents)], actor=actor)


def give_up_the_rest(parent: Order) -> None:
    """No further run: what was not begun is not delivered. On the instance alone."""
    parent.undelivered += not_begun(parent)
    parent.runs_left, parent.next_run_at = 0, None


def not_begun(parent: Order) -> int:
    """How much of the quantity lies in runs that were not begun."""
    return each_run(parent) * (parent.runs_left or 0)


def each_run(parent: Order) -> int:
    """The quantity of one run."""
    assert parent.quantity is not None
    assert parent.runs
    return parent.quantity // parent.runs


def refund_due(parent: Order, *, why: str) -> Refund:
    """What the drip-feed's customer has still to get back for what was not delivered; nothing where all of it was."""
    due = _due(parent, parent.undelivered)
    return Refund(order=parent, amount=due, why=why, note=f"Order {parent.pk}: not delivered")


def due_without(run: Order) -> Decimal:
    """What would go back if nothing of this open run were delivered."""
    parent = run.parent
    assert parent is not None
    assert run.quantity is not None
    ended = run.upstream_id is None
    return _due(parent, parent.undelivered + run.quantity + (not_begun(parent) if ended else 0))


def due_if_stopped(parent: Order) -> Decimal:
    """What would go back at once if no further run were made."""
    return _due(parent, parent.undelivered + not_begun(parent))


def _due(parent: Order, undelivered: int) -> Decimal:
    sold = Sold(rate=to_units(parent.rate), charge=to_units(parent.charge), quantity=parent.quantity, cost=None)
    kept = from_units(keep_without(sold, undelivered))
    return max(parent.charge - kept - parent.refunded, Decimal(0))


def end_what_is_over(parents: Sequence[Order], *, actor: Actor = SYSTEM) -> None:
    """Ends the drip-feeds, their rows locked, that have no run left and none under way."""
    over = [parent for parent in parents if parent.state == State.SERIES and parent.runs_left == 0]
    if not over:
        return
    runs = Order.objects.filter(parent__in=over).exclude(state=State.ENDED)
    going_on = set(runs.values_list("parent_id", flat=True))
    ended = [parent for parent in over if parent.pk not in going_on]
    now = timezone.now()
    for parent in ended:
        parent.state, parent.status, parent.ended_at = State.ENDED, _how(parent), now
    Order.objects.bulk_update(ended, ["state", "status", "ended_at"])
    tell([line(parent, "ended", actor=actor) for parent in ended])


def _how(parent: Order) -> Status:
    if parent.undelivered == 0:
        return Status.COMPLETED
    return Status.CANCELED if parent.undelivered == parent.quantity else Status.PARTIAL


def show_progress(parents: Collection[Order]) -> None:
    """Brings what remains of each drip-feed up to date with its runs: one query, however many there are."""
    if not parents:
        return
    runs = Order.objects.filter(parent__in=parents).values("parent_id").annotate(delivered=Sum(_DELIVERED))
    delivered = dict(runs.values_list("parent_id", "delivered"))
    moved = []
    for parent in parents:
        assert parent.quantity is not None
        remains = parent.quantity - delivered.get(parent.pk, 0)
        if parent.remains != remains:
            parent.remains = remains
            moved.append(parent)
    Order.objects.bulk_update(moved, ["remains"])


_DELIVERED = Case(  # of one run: providers say less than nothing and more than was ordered
    When(state=State.ENDED, then=F("quantity") - F("undelivered")),
    When(remains__isnull=True, then=Value(0)),
    When(remains__lt=0, then=F("quantity")),
    When(remains__gt=F("quantity"), then=Value(0)),
    default=F("quantity") - F("remains"),
    output_field=BigIntegerField(),
)


def _number(run: Order) -> int:
    assert run.run is not None
    return run.run


def _in_words(run: Order) -> str:
    assert run.quantity is not None
    return f"Run {run.run} (order {run.pk}): {run.status}, {run.quantity - run.undelivered:,} of {run.quantity:,}."
