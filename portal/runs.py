"""A drip-feed that the panel runs, on the customer's pages: how far it is, when it goes on, and each of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.models import FINAL, Order, State
from orders.runs import is_series, look_at_runs
from portal.money import grouped
from portal.refill_words import in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as its customer sees it; `refill` is the state of its latest refill in words, "" without one."""

    number: int
    status: str
    delivered: int | None  # None: not known yet
    quantity: int
    at: datetime
    refill: str
    refill_open: bool
    checked: bool  # it has ended at its provider, and the operator looks at what was delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The runs of one drip-feed, the newest first; `more` says how many older ones are left out."""

    words: str
    every: str
    left: int
    next_at: datetime | None
    rows: Sequence[Run]
    more: int

    @property
    def refilling(self) -> bool:
        return any(run.refill_open for run in self.rows)


def runs_of(order: Order) -> Runs | None:
    """None for an order that the panel does not divide. Three queries, however many runs."""
    if not is_series(order):
        return None
    look_at_runs([order])
    shown = order.run_orders.prefetch_related("refills").order_by("-run")[: settings.PORTAL_RUNS_SHOWN]
    rows = [_run(run) for run in shown]
    return Runs(
        words=words_of(order),
        every=every(order.interval or 0),
        left=order.runs_left or 0,
        next_at=order.next_run_at,
        rows=rows,
        more=rows[-1].number - 1 if rows else 0,
    )


def words_of(order: Order) -> str:
    """"Run 2 of 5" while it goes on, "2 of 5 runs" when it has ended; "" for what the panel does not divide."""
    begun = getattr(order, "runs_begun", None)
    if begun is None:
        return ""
    counts = {"run": grouped(begun), "runs": grouped(order.runs or 0)}
    if begun and order.status not in FINAL:
        return _("Run %(run)s of %(runs)s") % counts
    return _("%(run)s of %(runs)s runs") % counts


def every(minutes: int) -> str:
    return ngettext("one every minute", "one every %(minutes)s minutes", minutes) % {"minutes": grouped(minutes)}


def plan(*, runs: int, each: int, interval: int) -> str:
    """What will happen, before it is ordered: "5 runs of 1,000, one every 60 minutes: 5,000 in all, over 4 hours"."""
    begun = datetime.now(UTC)
    last = timesince(begun, begun + timedelta(minutes=interval * (runs - 1)))
    counts = {"runs": grouped(runs), "each": grouped(each), "every": every(interval), "all": grouped(runs * each)}
    return _("%(runs)s runs of %(each)s, %(every)s: %(all)s in all, over %(time)s") % {**counts, "time": last}


def plan_of_posts(*, posts: int, most: int) -> str:
    """The same for a subscription, whose posts nobody can count before: "4 posts × 33: at most 132"."""
    counts = {"posts": grouped(posts), "most": grouped(most), "all": grouped(posts * most)}
    words = ngettext(
        "%(posts)s post × %(most)s: at most %(all)s", "%(posts)s posts × %(most)s: at most %(all)s", posts
    )
    return words % counts


def _run(run: Order) -> Run:
    assert run.run is not None
    assert run.quantity is not None
    refills = sorted(run.refills.all(), key=lambda refill: refill.pk)
    return Run(
        number=run.run,
        status=run.status,
        delivered=_delivered(run, run.quantity),
        quantity=run.quantity,
        at=run.ended_at or run.accepted_at or run.created_at,
        refill=in_words(refills[-1].status) if refills else "",
        refill_open=any(refill.ended_at is None for refill in refills),
        checked=run.state == State.REVIEW,
    )


def _delivered(run: Order, quantity: int) -> int | None:
    if run.state == State.ENDED:
        return quantity - run.undelivered
    return None if run.remains is None else quantity - min(max(run.remains, 0), quantity)
