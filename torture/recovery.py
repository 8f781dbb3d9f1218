"""After the kill: time passes and the jobs run, without faults, until nothing changes; the operator decides the rest.

The operator here is one who never errs: he looks into the provider's panel, which is the journal.
"""

from __future__ import annotations

from collections.abc import Mapping

from orders.deciding import it_exists, refund_whole, release, send_again, settle_by_hand
from orders.models import CancelRequest, Order, RefillRequest, State, Status
from providers.models import Provider
from providers.sandbox.server import Sandbox
from torture.clock import let_pass
from torture.plan import LONG_SECONDS, Plan
from torture.work import run
from torture.world import OPERATOR

JOBS = (
    "tidy_orders", "probe_providers", "submit_orders", "send_cancels", "sync_new", "sync_fresh",
    "provider_balances", "reconcile", "send_refills", "refill_statuses",
)  # fmt: skip
MOST_ROUNDS = 12
TWO_DAYS = 172_800.0


class NeverQuiet(Exception):
    """The jobs still change something after many rounds."""


def until_quiet(sandbox: Sandbox) -> None:
    """Run all jobs, with time between, until they have nothing left to do or two looks in a row see the same."""
    before = None
    for _ in range(MOST_ROUNDS):
        sandbox.finish_all()
        run(*JOBS)
        let_pass(LONG_SECONDS)
        now = look()
        if now == before or _nothing_left():
            return
        before = now
    raise NeverQuiet(f"still changing after {MOST_ROUNDS} rounds: {before}")


def _nothing_left() -> bool:
    moving = Order.objects.exclude(state__in=[State.ENDED, State.HELD, State.REVIEW])
    wishes = CancelRequest.objects.filter(ended_at__isnull=True)
    refills = RefillRequest.objects.filter(ended_at__isnull=True).exclude(status=RefillRequest.Status.UNKNOWN)
    return not (moving.exists() or wishes.exists() or refills.exists())


def look() -> object:
    """What the jobs may change."""
    return (
        list(Order.objects.order_by("id").values_list("id", "state", "status", "attempt", "refunded", "upstream_id")),
        list(RefillRequest.objects.order_by("id").values_list("id", "status")),
        list(CancelRequest.objects.order_by("id").values_list("id", "status")),
        list(Provider.objects.values_list("queue")),
    )


def ask_ended_again() -> None:
    """Days later ended orders are asked for again: nothing may move."""
    let_pass(TWO_DAYS)
    run("ask_again")


def operator_decides(plan: Plan, made: Mapping[str, str]) -> None:
    """Every order on the list gets its decision; `made` has the upstream id of each link that exists upstream."""
    chance = plan.chance("operator")
    for order in Order.objects.exclude(state__in=[State.ENDED, State.ACCEPTED]).order_by("id"):
        if order.state == State.UNKNOWN and order.link in made:
            found = _id_of(order, made)
            it_exists(order=order, upstream_id=found, actor=OPERATOR, reason="seen in the provider's panel")
        elif order.state == State.UNKNOWN and order.cancel_wished_at is None and chance.random() < 0.5:
            send_again(order=order, actor=OPERATOR, reason="not in the provider's panel")
        elif order.state == State.UNKNOWN:
            refund_whole(order=order, actor=OPERATOR, reason="not in the provider's panel")
        elif order.state == State.REVIEW:
            settle_by_hand(order=order, status=Status.CANCELED, delivered=None, actor=OPERATOR, reason="as canceled")
        elif order.state == State.HELD:
            release(order=order, actor=OPERATOR, reason="it can be sent")


def _id_of(order: Order, made: Mapping[str, str]) -> str:
    """Its own id; where the provider has given that away to another order of ours, that order's."""
    wanted = made[order.link]
    for _ in made:
        holder = Order.objects.filter(upstream_id=wanted).first()
        if holder is None:
            break
        wanted = made[holder.link]
    return wanted
