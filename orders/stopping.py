"""Stopping a drip-feed that the panel runs: its customer may at any time, and gets back what was not begun at once.

What is under way fares as any order that is cancelled: not yet sent, it ends; being sent, the wish is kept; with its
provider, it is asked for where the service can be cancelled, and else runs to its end. The drip-feed ends with it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from orders.models import Order, State
from orders.refunding import refund_all
from orders.runs import end_what_is_over, give_up_the_rest, locked, refund_due, show_progress
from orders.story import line, tell
from records.audit import Actor


def stop_series(order: Order, actor: Actor, *, cancel_run: Callable[[Order, Actor], object]) -> bool:
    """One transaction; False where the drip-feed has ended or was stopped before. `cancel_run` gets each open run, its
    row locked, in id order.
    """
    with transaction.atomic():
        parent = locked(Order.objects.filter(pk=order.pk)).get()
        if parent.state != State.SERIES or parent.cancel_wished_at is not None:
            return False
        open_runs = list(locked(Order.objects.filter(parent=parent).exclude(state=State.ENDED)))
        give_up_the_rest(parent)
        parent.cancel_wished_at = timezone.now()
        parent.save(update_fields=["undelivered", "runs_left", "next_run_at", "cancel_wished_at"])
        tell([line(parent, "cancel_asked", actor=actor)])
        refund_all([refund_due(parent, why="canceled")])
        for run in open_runs:
            cancel_run(run, actor)
        parent.refresh_from_db()  # runs that ended just now have written to it
        end_what_is_over([parent], actor=actor)
        show_progress([parent])
    order.refresh_from_db()
    return True
