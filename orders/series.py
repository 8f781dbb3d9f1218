"""Drip-feeds that the panel runs itself: when a run is due, an order for it is made at the best route of that moment.

A run is due one interval after the one before it was accepted. While that one waits, is held or is unknown the
drip-feed has no time for the next run, so that nothing is sent past it; and since times are counted from what was sent,
not from a plan, no burst follows an outage. The run that is made is an order like others: sent, followed and settled as
they are, but without a charge. Its fate is told to the drip-feed in `orders.runs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from catalog.models import Route
from orders.models import Order, State
from orders.routing import BelowCost, ExchangeRates, NoRoute, choose, promise_of, routes_in_order
from orders.runs import each_run
from orders.story import line, tell
from orders.withholding import tell_held
from records.jobs import Turn, hint


def run_series(turn: Turn) -> Mapping[str, int]:
    """Begins the runs that are due, until none is left or the turn is over; ORDER_SWEEP_ROWS are read at once."""
    counts: Counter[str] = Counter()
    rates = ExchangeRates()
    more = True
    while more and not turn.should_stop():
        more = False  # where every one was passed over, another hand is at them
        for parent in due_series()[: settings.ORDER_SWEEP_ROWS]:
            if turn.should_stop():
                break
            run = begin_run(parent, rates)
            more = more or run is not None
            counts["passed" if run is None else "held" if run.state == State.HELD else "begun"] += 1
    return dict(counts)


def due_series() -> QuerySet[Order]:
    """Drip-feeds whose next run is due, the longest due first, with the routes to choose from."""
    due = Order.objects.filter(state=State.SERIES, runs_left__gt=0, next_run_at__lte=timezone.now())
    routes = Prefetch("service__routes", queryset=Route.objects.select_related("provider_service__provider"))
    return due.select_related("service").prefetch_related(routes).order_by("next_run_at", "id")


def begin_run(parent: Order, rates: ExchangeRates) -> Order | None:
    """Makes the next run, one commit with the count of what is left; None where another hand made it or it was stopped.

    Where no provider takes it without a loss it is made all the same and held, for the operator or for better times.
    """
    run, why = next_run(parent), ""
    try:
        purchase = choose(routes_in_order(list(parent.service.routes.all())), promise_of(run), rates)
        run.provider_service, run.provider = purchase.provider_service, purchase.provider_service.provider
    except (NoRoute, BelowCost) as no:
        why = str(no)
        run.state, run.reason = State.HELD, why[:500]
    with transaction.atomic():
        if not _take(parent):
            return None
        run.save(force_insert=True)
        tell([line(parent, "run_begun", note=f"Run {run.run} of {parent.runs} is order {run.pk}.")])
        if run.state == State.HELD:
            tell_held(run, why)
        else:
            hint("submit_orders", str(run.provider_id))
    return run


def _take(parent: Order) -> bool:
    """Counts the run; of two who would begin it one succeeds, and none once the drip-feed was stopped."""
    assert parent.runs_left
    assert parent.runs is not None
    left = parent.runs_left - 1
    due = Order.objects.filter(
        pk=parent.pk, state=State.SERIES, runs_left=parent.runs_left, next_run_at=parent.next_run_at
    )
    return due.update(runs_left=left, parts_done=parent.runs - left, next_run_at=None) == 1


def next_run(parent: Order) -> Order:
    """The next run as an order that is not saved yet and has no route."""
    assert parent.runs is not None
    assert parent.runs_left is not None
    return Order(
        parent=parent,
        run=parent.runs - parent.runs_left + 1,
        customer_id=parent.customer_id,
        service=parent.service,
        service_name=parent.service_name,
        service_type=parent.service_type,
        rate=parent.rate,
        refill=parent.refill,
        refill_days=parent.refill_days,
        cancel=parent.cancel,
        link=parent.link,
        link_key=parent.link_key,
        one_at_a_time=parent.one_at_a_time,
        quantity=each_run(parent),
        details=dict(parent.details),
        charge=Decimal(0),
        refunded=Decimal(0),
    )
