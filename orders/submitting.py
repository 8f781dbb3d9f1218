"""Sending orders to their provider, and what each of the four outcomes does.

The rule above all: an order of which a byte may have left is never sent again, unless it is shown not to exist
upstream. The provider's client says where that boundary was; it calls `mark` when it is about to write, so that a
connection that fails before that leaves the order plainly waiting.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from enum import Enum
from threading import Event, Lock

import stamina
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections

from catalog.service_types import SentLine, add_fields, service_type
from ledger.amounts import plain
from orders.claiming import claim, mark, release, waiting_for
from orders.models import Order, State
from orders.outcomes import Sent, write_outcome
from orders.routing import (
    ExchangeRates,
    NoRoute,
    Purchase,
    broken_promise,
    loses,
    promise_of,
    purchase_at,
    too_dear,
)
from orders.runs import sold_for
from orders.same_link import in_its_way, queue_up
from orders.withholding import hold
from providers.models import Provider
from providers.outcomes import AddOutcome, NotSent, Refusal, Rejected, Scope
from providers.upstream import Upstream
from records.context import about, carried
from records.jobs import Turn

LIMIT_REST_SECONDS = 2.0  # a lane's, when our own limit on requests left no place
WRITE_BACK_ATTEMPTS = 8


log = logging.getLogger(__name__)


def word_of(outcome: AddOutcome | Passed) -> str:
    """The outcome in a word, for counts and logs."""
    return outcome.value if isinstance(outcome, Passed) else type(outcome).__name__.lower()


class Tally:
    """What a run did, for its row; lanes add to it side by side."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()
        self.stumbled = Event()

    def add(self, outcome: AddOutcome | Passed) -> None:
        """Counts an outcome; one that speaks of the provider rather than of the order ends the run."""
        with self._lock:
            self._counts[word_of(outcome)] += 1
        match outcome:
            case NotSent() | Rejected(refusal=Refusal(scope=Scope.PROVIDER)):
                self.stumbled.set()

    def as_counts(self) -> dict[str, int]:
        return dict(self._counts)


class Passed(Enum):
    """Why nothing was sent for a claimed order."""

    HELD = "held"
    QUEUED = "queued"  # another order of its link is under way
    LOST = "passed"  # cancelled meanwhile, or claimed by somebody else
    LATER = "later"  # our own limit on requests left no place


def submit_orders(turn: Turn) -> Mapping[str, int]:
    """Sends what waits for the provider `turn.scope`, until nothing does, the provider stumbles, or the turn is over.

    One lane for each request that the provider lets us have under way: a slow answer holds up its own lane only.
    """
    provider = Provider.objects.get(pk=int(turn.scope))
    tally = Tally()
    lanes = _lanes(provider)
    if not lanes or not waiting_for(provider).exists():
        return {}
    with ThreadPoolExecutor(max_workers=lanes, thread_name_prefix=f"submit-{provider.pk}") as pool:
        for lane in [pool.submit(carried(_lane), provider.pk, turn, tally) for _ in range(lanes)]:
            lane.result()
    return tally.as_counts()


def _lanes(provider: Provider) -> int:
    if not provider.active or provider.queue == Provider.Queue.PAUSED:
        return 0
    return 1 if provider.queue == Provider.Queue.TRIAL else provider.concurrency


def _lane(provider_id: int, turn: Turn, tally: Tally) -> None:
    try:
        while not turn.should_stop() and not tally.stumbled.is_set():
            provider = Provider.objects.get(pk=provider_id)
            lanes = _lanes(provider)
            orders = claim(provider, settings.ORDER_CLAIM_BATCH if lanes > 1 else 1) if lanes else []
            if not orders:
                return
            _submit_claimed(provider, orders, turn, tally)
    finally:
        connections.close_all()


def _submit_claimed(provider: Provider, orders: Sequence[Order], turn: Turn, tally: Tally) -> None:
    rates = ExchangeRates()
    for order in orders:
        if tally.stumbled.is_set() or turn.should_stop():
            release(order)
        else:
            with about(order=order.pk, attempt=order.attempt):
                outcome = submit(provider, order, rates)
                log.info("Order %s at %s: %s", order.pk, provider, word_of(outcome))
            tally.add(outcome)
            if outcome is Passed.LATER:
                turn.rest(LIMIT_REST_SECONDS)


def submit(provider: Provider, order: Order, rates: ExchangeRates) -> AddOutcome | Passed:
    """Sends one claimed order and writes the outcome back; or finds, at the last moment, that it must not be sent."""
    assert order.provider_service is not None
    order.provider_service.provider = provider
    try:
        purchase = purchase_at(order.provider_service, promise_of(order), rates)
    except NoRoute as no:
        return Passed.HELD if hold(order, str(no)) else Passed.LOST
    why = _why_hold(order, purchase, rates)
    if why:
        return Passed.HELD if hold(order, why) else Passed.LOST
    if order.one_at_a_time and (first := in_its_way(order)) is not None:
        return Passed.QUEUED if queue_up(order, behind=first) else Passed.LOST
    fields = _fields(provider, order)
    lease = timedelta(seconds=provider.deadline_seconds + settings.ORDER_LEASE_MARGIN_SECONDS)
    marked: list[bool] = []

    def about_to_write() -> None:
        cost, rate = purchase.cost, purchase.exchange_rate
        marked.append(mark(order, fields, lease=lease, cost=cost, exchange_rate=rate))
        if not marked[-1]:
            raise ClaimLost(f"Order {order.pk} is not ours to send any more.")

    outcome = Upstream(provider).add(fields, before_write=about_to_write)
    if marked and not marked[-1]:
        return Passed.QUEUED if order.state == State.QUEUED else Passed.LOST
    if isinstance(outcome, NotSent) and outcome.our_limit:
        release(order, not_before=timedelta(seconds=min(outcome.retry_after or 0, LIMIT_REST_SECONDS)))
        return Passed.LATER
    _write_back(Sent(order=order, purchase=purchase, fields=fields, outcome=outcome, marked=bool(marked)))
    return outcome


def _write_back(sent: Sent) -> None:
    """An answer is precious: a database that is away for a moment is waited for. Writing twice does no harm."""
    for attempt in stamina.retry_context(
        on=(OperationalError, InterfaceError),
        attempts=WRITE_BACK_ATTEMPTS,
        timeout=settings.ORDER_LEASE_MARGIN_SECONDS,
        wait_initial=0.5,
        wait_max=5.0,
    ):
        with attempt:
            if attempt.num > 1:
                connection.close()  # a broken one would be handed out again
            write_outcome(sent)


class ClaimLost(Exception):
    """The order is not ours to send any more: raised into the client just before it would have written."""


def _why_hold(order: Order, purchase: Purchase, rates: ExchangeRates) -> str:
    """Cost, limits and flags are read again at the last moment: the snapshot may have changed while the order waited.
    """
    promise = promise_of(order)
    broken = broken_promise(purchase.provider_service, promise)
    if broken:
        return broken
    if loses(purchase.provider_service, promise, rates):
        return f"It costs {plain(purchase.cost_value)} now and was sold for {plain(sold_for(order))}."
    return too_dear(purchase)


def _fields(provider: Provider, order: Order) -> dict[str, str]:
    """The parameters of `add`, without the key."""
    assert order.provider_service is not None
    kind = service_type(order.service_type)
    assert kind is not None
    fields = add_fields(
        kind,
        SentLine(
            link=order.link,
            quantity=order.quantity,
            details=order.details,
            runs=order.runs,
            interval=order.interval,
        ),
        external_id=order.provider_service.external_id,
    )
    if provider.idempotency_parameter:  # one value an order and route, never an attempt
        fields[provider.idempotency_parameter] = f"{order.pk}-{order.provider_service_id}"
    return fields
