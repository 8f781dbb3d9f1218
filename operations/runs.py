"""A drip-feed that the panel runs, on the operator's pages: the facts of it, and its runs with the way to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from ledger.amounts import PER, divide_up, from_units, to_units
from operations import words
from orders.models import Order
from orders.runs import is_series, look_at_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One line of the table."""

    number: int
    order: Any
    state: Any
    status: Any
    remains: str
    cost: str
    sent: str
    reason: str


def runs_of(order: Order) -> Sequence[Run]:
    """The newest runs, the newest first; nothing for what the panel does not divide."""
    if not is_series(order):
        return []
    found = order.run_orders.select_related("provider").order_by("-run")[: settings.OPERATIONS_RUNS]
    return [_run(run) for run in found]


def facts_of_runs(order: Order) -> list[tuple[str, Any]]:
    """Of a drip-feed how far it is, of a run whose it is."""
    if order.parent_id is not None:
        parent = words.link_to("orders.order", order.parent_id, f"order {order.parent_id}")
        return [("Run", order.run), ("Of drip-feed", parent)]
    if order.runs is None:
        return []
    facts: list[tuple[str, Any]] = [("Runs", f"{order.runs:,}, every {order.interval:,} min")]
    if is_series(order):
        look_at_runs([order])
        facts += [
            ("Begun", order.runs_begun),  # type: ignore[attr-defined]
            ("Left", order.runs_left),
            ("Next run", _next(order)),
            ("Not delivered", f"{order.undelivered:,}"),
        ]
    return facts


def cost_of_runs(order: Order) -> str:
    """What the drip-feed's runs cost so far, in each currency that they were bought in."""
    costs = order.run_orders.filter(cost__isnull=False).values("provider__currency").annotate(all=Sum("cost"))
    told = [words.amount(row["all"], row["provider__currency"]) for row in costs.order_by("provider__currency")]
    return " + ".join(told) or words.NOTHING


def paid_for(order: Order) -> Decimal:
    """What its customer paid for it: of a run, which was never sold by itself, its share of the drip-feed."""
    if order.parent_id is None or order.quantity is None:
        return order.charge
    return share_of(rate=order.rate, quantity=order.quantity)


def share_of(*, rate: Decimal, quantity: int) -> Decimal:
    """The price of so much of a drip-feed, rounded as charges are."""
    return from_units(divide_up(to_units(rate) * quantity, PER))


def _next(order: Order) -> str:
    if not order.runs_left:
        return words.NOTHING
    if order.next_run_at is None:
        return "when the one before is accepted"
    return f"{timezone.localtime(order.next_run_at):%Y-%m-%d %H:%M:%S}"


def _run(run: Order) -> Run:
    assert run.run is not None
    return Run(
        number=run.run,
        order=words.link_to("orders.order", run.pk),
        state=words.state(run.state, run.get_state_display()),
        status=words.state(run.status, run.get_status_display()),
        remains=words.NOTHING if run.remains is None else f"{run.remains:,}",
        cost=words.amount(run.cost, run.provider.currency if run.provider is not None else ""),
        sent=f"{timezone.localtime(run.accepted_at):%Y-%m-%d %H:%M:%S}" if run.accepted_at else words.NOTHING,
        reason=run.reason,
    )
