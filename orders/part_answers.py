"""What a customer's program is answered about a part of his order: a run of a drip-feed, a post of a subscription.

A part has no id that is the customer's: he names it by its order and its number, `23501-3`. Its charge is its share of
what the order has cost, so that the shares add up to it to the last digit: the price of all that was delivered up to
this part less that of all before it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from django.conf import settings

from accounts.models import Customer
from ledger.amounts import PER, divide_up, from_units, plain, to_units
from orders.models import Order, State, Status, UpstreamPart

Named = tuple[int, int]  # an order's id, and the number of one of its parts, from 1


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """One part as it is answered; `share` in units of 10⁻⁶, None while nobody knows its price."""

    status: str
    start_count: int | None
    remains: int | None
    share: int | None

    def shown(self) -> dict[str, Any]:
        answer: dict[str, Any] = {} if self.share is None else {"charge": plain(from_units(self.share))}
        return answer | {
            "start_count": str(self.start_count or 0),
            "status": self.status,
            "remains": str(max(self.remains or 0, 0)),
            "currency": settings.PANEL_CURRENCY,
        }


def parts_named(customer: Customer, named: Collection[Named]) -> Mapping[Named, PartAnswer]:
    """The parts among these that are of this customer's orders; three queries at most."""
    ids = {order_id for order_id, _ in named}
    if not ids:
        return {}
    own = Order.objects.filter(customer=customer, pk__in=ids, parent__isnull=True)
    orders = {order.pk: order for order in own}
    series = [order for order in orders.values() if order.runs_left is not None]
    found = {**_runs(series), **_posts([order for order in orders.values() if order.runs_left is None])}
    return {name: found[name] for name in named if name in found}


def _runs(series: Sequence[Order]) -> dict[Named, PartAnswer]:
    """Of drip-feeds that the panel runs: each run is an order of ours."""
    by_parent: dict[int, list[Order]] = {order.pk: [] for order in series}
    for run in Order.objects.filter(parent__in=by_parent).order_by("parent_id", "run") if series else ():
        by_parent[run.parent_id or 0].append(run)
    rates = {order.pk: to_units(order.rate) for order in series}
    found: dict[Named, PartAnswer] = {}
    for parent_id, runs in by_parent.items():
        delivered = accumulate((_delivered(run) for run in runs), initial=0)
        prices = [divide_up(rates[parent_id] * quantity, PER) for quantity in delivered]
        for number, (run, (before, after)) in enumerate(zip(runs, pairwise(prices), strict=True), start=1):
            left = run.undelivered if run.state == State.ENDED else run.remains
            remains = run.quantity if left is None else left
            found[parent_id, number] = PartAnswer(run.status, run.start_count, remains, after - before)
    return found


def _delivered(run: Order) -> int:
    """What the run stands for in the price: all of it, less what it did not deliver once it has ended."""
    assert run.quantity is not None
    return run.quantity - run.undelivered


def _posts(orders: Sequence[Order]) -> dict[Named, PartAnswer]:
    """Of what the provider divides: the parts it has told, priced as the order's own charge is."""
    by_order: dict[int, list[UpstreamPart]] = {order.pk: [] for order in orders}
    parts = UpstreamPart.objects.filter(order__in=by_order).order_by("order_id", "id") if orders else ()
    for part in parts:
        by_order[part.order_id].append(part)
    found: dict[Named, PartAnswer] = {}
    for order in orders:
        spent = list(accumulate((to_units(part.charge or 0) for part in by_order[order.pk]), initial=0))
        whole, cost = _whole(order, spent[-1])
        prices = [min(whole, divide_up(whole * units, cost)) if cost else 0 for units in spent]
        for number, (part, (before, after)) in enumerate(zip(by_order[order.pk], pairwise(prices), strict=True), 1):
            share = after - before if part.charge is not None and cost else None
            status = part.status or Status.PENDING
            found[order.pk, number] = PartAnswer(status, part.start_count, part.remains, share)
    return found


def _whole(order: Order, spent: int) -> tuple[int, int]:
    """What the parts share, and what it is divided by: in the end all that was paid and all that they cost; before it
    the charge and the booked cost.
    """
    if order.state == State.ENDED:
        return to_units(order.charge - order.refunded), spent
    return to_units(order.charge), to_units(order.cost) if order.cost else 0
