"""Ended orders are asked for again after 1, 3, 7 and 30 days, and when a refill ends.

A provider that gave money back later: our books are credited, and the same share is offered to the operator for the
customer. Any other contradiction (Completed after Canceled, a price that rose) moves no money and alerts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger.amounts import PER, from_units, to_units
from ledger.posting import post
from orders.costing import later_return_posting
from orders.models import Order, State, Status
from orders.reading import in_booked_currency, status_of
from orders.story import line, tell
from providers.models import Provider
from providers.outcomes import ItemError, StatusReading
from providers.upstream import Upstream, UpstreamTrouble
from records.attention import raise_attention
from records.jobs import Turn


def ask_again(turn: Turn) -> Mapping[str, int]:
    """Asks the provider `turn.scope` for its ended orders that are due."""
    provider = Provider.objects.get(pk=int(turn.scope))
    counts = {"asked": 0, "contradictions": 0, "given_back": 0}
    size = provider.multi_status_size if provider.multi_status else 1
    due = Order.objects.filter(provider=provider, state=State.ENDED, ask_again_at__lte=timezone.now())
    while not turn.should_stop():
        batch = list(due.order_by("ask_again_at", "id")[:size])
        if not batch:
            break
        _plan_next(batch)
        try:
            answers = Upstream(provider).status([str(order.upstream_id) for order in batch])
        except UpstreamTrouble:
            soon = timezone.now() + timedelta(seconds=settings.ORDER_RETRY_LONGEST_SECONDS)
            Order.objects.filter(pk__in=[order.pk for order in batch]).update(ask_again_at=soon)
            break
        counts["asked"] += len(batch)
        for order in batch:
            found = _look(provider, order, answers.get(str(order.upstream_id)))
            if found:
                counts[found] += 1
    return counts


def _look(provider: Provider, order: Order, reading: StatusReading | ItemError | None) -> str:
    status = status_of(order.service_type, reading) if isinstance(reading, StatusReading) else None
    if not isinstance(reading, StatusReading) or status is None:
        return ""  # providers forget old orders: that says nothing
    if status != order.status:
        gave_back = status in (Status.CANCELED, Status.PARTIAL) and order.status == Status.COMPLETED
        if not (gave_back and _returned(provider, order, reading)):
            _alert(order, f"It had ended as {order.status}, and the provider now says {reading.word[:60]}.", reading)
            return "contradictions"
        return "given_back"
    return "given_back" if _returned(provider, order, reading) else ""


def _returned(provider: Provider, order: Order, reading: StatusReading) -> bool:
    """Credits what the provider's price fell by, once, and offers the customer's share; False where it did not fall."""
    if reading.charge is None or not in_booked_currency(reading, provider) or not order.cost:
        return False
    if not 0 <= reading.charge < order.cost:
        return False
    back = order.cost - reading.charge
    with transaction.atomic():
        taken = Order.objects.filter(pk=order.pk, cost=order.cost).update(
            cost=reading.charge, upstream_charge=reading.charge
        )
        if taken != 1:
            return False
        order.provider = Provider.objects.select_related("account").get(pk=provider.pk)
        post(later_return_posting(order, back, when=order.asked_again))
        share = _share(order, back)
        tell(
            [
                line(
                    order,
                    "provider_gave_back",
                    note=f"{back:f} {provider.currency}; the customer's share would be {share:f}",
                )
            ]
        )
        raise_attention(
            cause="later_refund",
            key=f"later_refund:{order.pk}:{order.asked_again}",
            summary=f"Order {order.pk}: the provider gave back {back:f} {provider.currency} after it had ended.",
            evidence={
                "given back": back,
                "customer's share": share,
                "status now": reading.word,
                "remains": reading.remains,
            },
            provider_id=provider.pk,
            order_id=order.pk,
        )
    return True


def _share(order: Order, back: Decimal) -> Decimal:
    """Of what the customer still pays, the share that the provider gave back of its price; rounded down."""
    assert order.cost
    if order.parent_id is not None:  # a run: what its drip-feed's customer paid for what it delivered
        assert order.quantity is not None
        paid = to_units(order.rate) * (order.quantity - order.undelivered) // PER
    else:
        paid = to_units(order.charge) - to_units(order.refunded)
    return from_units(paid * to_units(back) // to_units(order.cost))


def _alert(order: Order, why: str, reading: StatusReading) -> None:
    raise_attention(
        cause="contradiction",
        key=f"contradiction:{order.pk}",
        summary=f"Order {order.pk}: {why} No money was moved.",
        evidence={"status": reading.word, "charge": reading.charge, "remains": reading.remains},
        provider_id=order.provider_id,
        order_id=order.pk,
    )


def _plan_next(batch: Sequence[Order]) -> None:
    """The next time of each, counted from its end; none after the last.

    Written before the provider is asked: a refill that ends meanwhile may ask for another time, and what is found has a
    number of its own even if the process dies on the way.
    """
    now = timezone.now()
    for order in batch:
        order.asked_again += 1
        order.ask_again_at = next_time(order, now)
    Order.objects.bulk_update(batch, ["asked_again", "ask_again_at"])


def next_time(order: Order, now: datetime) -> datetime | None:
    """The first of ORDER_ASK_AGAIN_DAYS after the order's end that is still to come; None after the last."""
    assert order.ended_at is not None
    times = (order.ended_at + timedelta(days=days) for days in settings.ORDER_ASK_AGAIN_DAYS)
    return next((time for time in times if time > now), None)
