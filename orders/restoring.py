"""Orders of a backup that is being restored. It is in the past: what was to be sent then may have been sent since.

Nothing of it may be sent blindly. Every order that was on its way to a provider becomes unknown, with an attempt that
lasted from the backup to now, so that what reconciling finds stands on its item; a person decides each (reconciling
itself decides nothing across a restore). So do the runs of drip-feeds that came due since, and refills. Lists that were
being placed stop. A wish to cancel goes on: it may be asked twice.

Called while nothing runs, before the restored database is anybody's (`smmpanel.backup`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from catalog.models import ProviderService
from catalog.sentences import kept, say
from orders.models import Attempt, MassOrder, Order, RefillRequest, State
from orders.refilling import become_unknown as refill_becomes_unknown
from orders.routing import ExchangeRates, NoRoute, promise_of, purchase_at, routes_in_order
from orders.series import next_run
from orders.story import line, tell
from providers.models import Provider
from providers.queue import BY_HAND, pause
from records.attention import Item, close_of_orders, raise_many
from records.audit import COMMAND

WHY = "The panel was restored from a backup, and it may have been sent since that was taken."
ROWS = 500
#: Those with an attempt that may still be answered keep it; the others get one.
ATTEMPTED = (State.SENDING, State.UNKNOWN)
UNSENT = (State.WAITING, State.QUEUED, State.HELD)
CHANGED = (
    "state", "reason", "lease_until", "not_before", "attempt", "one_at_a_time", "provider", "provider_service",
)  # fmt: skip


def hold_back(*, taken_at: datetime) -> Mapping[str, int]:
    """Puts all that may have been sent since `taken_at` where a person decides, and pauses every provider by hand.

    Returns how many of what. Call it inside the transaction that makes the backup the panel's own.
    """
    assert connection.in_atomic_block
    stopped = kept(
        say("The panel was put back to an earlier moment. Look at your orders before you go on with the list.")
    )
    counts = {
        "runs": sum(_begin_runs_of(parent, taken_at) for parent in _series()),
        "orders": sum(_become_unknown(orders, taken_at) for orders in _in_doubt()),
        "refills": _refills(),
        "lists": MassOrder.objects.filter(state=MassOrder.State.PLACING).update(
            state=MassOrder.State.STOPPED, why=stopped
        ),
        "providers": sum(
            pause(provider, reason="The panel was restored from a backup.", cause=BY_HAND, actor=COMMAND)
            for provider in Provider.objects.order_by("pk")
        ),
    }
    _skip_numbers()
    return counts


def _in_doubt() -> Iterator[list[Order]]:
    """The orders that may have been sent since, in lists of ROWS; one state after another, along its index."""
    related = ("customer", "service", "provider_service__provider")
    for state in (*ATTEMPTED, *UNSENT):
        last = 0
        while True:
            orders = Order.objects.filter(state=state, pk__gt=last).select_related(*related).order_by("pk")[:ROWS]
            found = list(orders)
            if not found:
                break
            last = found[-1].pk
            yield found


def _become_unknown(orders: Sequence[Order], taken_at: datetime) -> int:
    now = timezone.now()
    attempted = [order.pk for order in orders if order.state in ATTEMPTED]
    newest = Attempt.objects.filter(order_id__in=attempted, number=F("order__attempt"))
    newest.update(outcome=Attempt.Outcome.UNKNOWN, ended_at=now, reading=WHY)
    fresh = [order for order in orders if order.state not in ATTEMPTED]
    for order in fresh:
        order.attempt += 1
        _settle_on_a_place(order)
    rates = ExchangeRates()
    Attempt.objects.bulk_create(
        [_attempt(order, taken_at, now, rates) for order in fresh if order.provider_service is not None]
    )
    for order in orders:
        # Without a place at any provider nothing of unknown orders fits: a person says what was delivered.
        order.state = State.UNKNOWN if order.provider_service is not None else State.REVIEW
        order.reason, order.lease_until, order.not_before = WHY, None, now
        order.one_at_a_time = False  # two of one link may have been sent one after the other
    Order.objects.bulk_update(orders, CHANGED)
    tell([line(order, "unknown" if order.state == State.UNKNOWN else "review", note=WHY) for order in orders])
    close_of_orders([order.pk for order in orders], causes=["order_held"], decision=WHY)
    raise_many(_item(order, taken_at) for order in orders)
    return len(orders)


def _settle_on_a_place(order: Order) -> None:
    """A held order may have been sent on by its first route: that is where it is looked for."""
    if order.provider_service is None:
        routes = routes_in_order(list(order.service.routes.select_related("provider_service__provider")))
        order.provider_service = routes[0].provider_service if routes else None
    if order.provider_service is not None:
        order.provider = order.provider_service.provider


def _attempt(order: Order, began_at: datetime, ended_at: datetime, rates: ExchangeRates) -> Attempt:
    assert order.provider_service is not None
    cost, rate = _cost_at(order.provider_service, order, rates)
    return Attempt(
        order=order,
        number=order.attempt,
        provider=order.provider_service.provider,
        provider_service=order.provider_service,
        asked={},
        began_at=began_at,
        ended_at=ended_at,
        outcome=Attempt.Outcome.UNKNOWN,
        reading=WHY,
        cost=cost,
        exchange_rate=rate,
    )


def _cost_at(
    place: ProviderService, order: Order, rates: ExchangeRates
) -> tuple[Decimal, Decimal] | tuple[None, None]:
    try:
        purchase = purchase_at(place, promise_of(order), rates)
    except NoRoute:
        return None, None
    return purchase.cost, purchase.exchange_rate


def _item(order: Order, taken_at: datetime) -> Item:
    known = order.state == State.UNKNOWN
    return Item(
        cause="unknown_submission" if known else "settlement_unclear",
        key=f"unknown:{order.pk}" if known else f"restored:{order.pk}",
        summary=f"Order {order.pk} may or may not have been placed: {WHY}",
        evidence={
            "attempt": order.attempt,
            "backup taken": f"{taken_at:%Y-%m-%d %H:%M:%S} UTC",
            "link": order.link,
            "look": "at its provider, and at every other that its service has a route to",
        },
        provider_id=order.provider_id,
        order_id=order.pk,
    )


def _series() -> Iterator[Order]:
    parents = Order.objects.filter(state=State.SERIES, runs_left__gt=0).select_related("service")
    yield from parents.order_by("pk").iterator(chunk_size=ROWS)


def _begin_runs_of(parent: Order, taken_at: datetime) -> int:
    """Makes the runs that may have been sent since the backup, queued: they become unknown with the other orders."""
    assert parent.runs is not None
    assert parent.runs_left is not None
    made = min(parent.runs_left, _runs_due(parent, taken_at))
    for _ in range(made):
        run = next_run(parent)
        run.state = State.QUEUED
        _settle_on_a_place(run)
        run.save(force_insert=True)
        parent.runs_left -= 1
        parent.parts_done, parent.next_run_at = parent.runs - parent.runs_left, None
        tell([line(parent, "run_begun", note=f"Run {run.run} of {parent.runs} is order {run.pk}. {WHY}")])
    if made:
        parent.save(update_fields=["runs_left", "parts_done", "next_run_at"])
    return made


def _runs_due(parent: Order, taken_at: datetime) -> int:
    """The most runs that can have begun by now: an interval lies between two of them."""
    seconds = max(60, (parent.interval or 0) * 60)
    now = timezone.now()
    if parent.next_run_at is None:  # the run before may have been accepted right after the backup
        return int((now - taken_at).total_seconds() // seconds)
    if parent.next_run_at > now:
        return 0
    return 1 + int((now - parent.next_run_at).total_seconds() // seconds)


def _refills() -> int:
    """A refill is asked for once: one that waited or was being sent may have been."""
    status = RefillRequest.Status
    RefillRequest.objects.filter(status=status.WAITING, ended_at__isnull=True).update(status=status.SENDING)
    sending = RefillRequest.objects.filter(status=status.SENDING, ended_at__isnull=True).select_related("order")
    requests = list(sending.order_by("pk"))
    with transaction.atomic():
        for request in requests:
            refill_becomes_unknown(request, WHY)
    return len(requests)


def _skip_numbers() -> None:
    """Orders and refills placed since the backup had numbers, which customers, and providers with an idempotency
    parameter, may remember: no new one gets such a number.
    """
    by = settings.RESTORE_SKIPS_NUMBERS
    with connection.cursor() as cursor:
        for table in (Order._meta.db_table, RefillRequest._meta.db_table):
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), nextval(pg_get_serial_sequence(%s, 'id')) + %s)",
                    [table, table, by],
                )
                continue
            cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [by, table])
            if cursor.rowcount == 0:
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, by])
