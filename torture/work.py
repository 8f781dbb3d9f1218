"""The pieces of work of a run, each done through the product's own verbs and jobs.

The victim does one of them; the rest, and that one again after the kill, is done by the run's own process. Each can be
done again at any time: that is what a customer who got no answer, or a worker that starts anew, does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.deposits import MoneyRefused, deposit
from accounts.models import Customer
from catalog.models import Service
from orders.cancelling import CannotCancel, request_cancel
from orders.models import CancelRequest, Order, RefillRequest, State
from orders.placing import Line, place_orders
from orders.refilling import CannotRefill, request_refill
from records.jobs import job_named, run_job
from torture.clock import let_pass
from torture.plan import SHORT_SECONDS, Plan, Wanted
from torture.world import CUSTOMER, OPERATOR

ROUNDS = 3  # of a victim's piece of work: what a failing provider held up is tried again
LATE_SECONDS = 0.3  # really waited, so that what the provider does late is done before the panel's clock leaps


def run(*names: str) -> None:
    """Run those of these jobs that have something to do, at every scope that the scheduler would."""
    for name in names:
        if name not in NEEDED or NEEDED[name]():
            for scope in job_named(name).scopes():
                run_job(name, scope)


def _orders(*states: State) -> Callable[[], bool]:
    return Order.objects.filter(state__in=states).exists


def _refills(*statuses: str) -> Callable[[], bool]:
    return RefillRequest.objects.filter(status__in=statuses).exists


def _with_provider() -> QuerySet[Order]:
    return Order.objects.filter(state=State.ACCEPTED)


def _new_since() -> datetime:
    """Orders accepted since then are in the first band of the sweeps."""
    up_to = settings.ORDER_SYNC_BANDS[0][1]
    assert up_to is not None
    return timezone.now() - up_to


#: A job that would find nothing is left out: thousands of runs have to fit into an hour.
NEEDED: Mapping[str, Callable[[], bool]] = {
    "tidy_orders": lambda: _orders(State.SENDING, State.HELD)() or _refills("sending")(),
    "submit_orders": lambda: _orders(State.WAITING)(),
    "sync_new": lambda: _with_provider().filter(accepted_at__gt=_new_since()).exists(),
    "sync_fresh": lambda: _with_provider().filter(accepted_at__lte=_new_since()).exists(),
    "provider_balances": lambda: _orders(State.UNKNOWN)(),
    "send_cancels": lambda: CancelRequest.objects.filter(ended_at__isnull=True, status="waiting").exists(),
    "send_refills": lambda: _refills("waiting")(),
    "refill_statuses": lambda: _refills("Pending", "In progress")(),
}


def pause(plan: Plan, seconds: float) -> None:
    if plan.fault == "slow":
        time.sleep(LATE_SECONDS)
    let_pass(seconds)


def pay_in(plan: Plan, rounds: int) -> None:
    """Payments arrive, each with its reference; one that was recorded before is refused, which is well."""
    customer = Customer.objects.get()
    for number, amount in enumerate(plan.deposits):
        try:
            deposit(customer=customer, amount=Decimal(amount), reference=f"payment-{number}", actor=OPERATOR)
        except MoneyRefused as refused:
            if "recorded before" not in str(refused):
                raise


def place(plan: Plan, rounds: int) -> None:
    """The first batch in two forms, each with a token; sent again, a form finds its orders."""
    batch = plan.batches[0]
    half = len(batch) // 2
    order("first", batch[:half])
    order("second", batch[half:])


def order(token: str, wanted: Iterable[Wanted]) -> list[Order]:
    services = {service.name: service.pk for service in Service.objects.all()}
    lines = [Line(service_id=services[each.kind], fields=_fields(each)) for each in wanted]
    return place_orders(customer=Customer.objects.get(), lines=lines, once=token)


def _fields(wanted: Wanted) -> Mapping[str, object]:
    fields: dict[str, object] = {"link": wanted.link}
    if wanted.quantity is not None:
        fields["quantity"] = wanted.quantity
    if wanted.comments:
        fields["comments"] = wanted.comments
    return fields


def cancel_early(plan: Plan, rounds: int) -> None:
    """Customers change their minds before anything was sent."""
    _ask_to_cancel(plan.early_cancels)


def submit(plan: Plan, rounds: int) -> None:
    for _ in range(rounds):
        run("tidy_orders", "probe_providers", "submit_orders")
        _ask_to_cancel(link for link in plan.cancels if "cancel_" not in link)  # some of them are unknown by now
        pause(plan, plan.pause_seconds)


def sync(plan: Plan, rounds: int) -> None:
    for _ in range(rounds):
        run("sync_new", "sync_fresh")
        pause(plan, SHORT_SECONDS)


def cancel(plan: Plan, rounds: int) -> None:
    _ask_to_cancel(plan.cancels)
    for _ in range(rounds):
        run("send_cancels")
        pause(plan, SHORT_SECONDS)


def refill(plan: Plan, rounds: int) -> None:
    for each in Order.objects.filter(link__in=plan.refills, state=State.ENDED).order_by("id"):
        try:
            request_refill(order=each, actor=CUSTOMER)
        except CannotRefill:
            continue
    for _ in range(rounds):
        run("tidy_orders", "send_refills", "refill_statuses")
        pause(plan, SHORT_SECONDS)


def _ask_to_cancel(links: Iterable[str]) -> None:
    for each in Order.objects.filter(link__in=list(links)).order_by("id"):
        try:
            request_cancel(order=each, actor=CUSTOMER)
        except CannotCancel:
            continue


STAGES: Mapping[str, Callable[[Plan, int], None]] = {
    "deposit": pay_in,
    "place": place,
    "cancel_free": cancel_early,
    "submit": submit,
    "sync": sync,
    "cancel": cancel,
    "settle": sync,
    "refill": refill,
}
