"""Whose turn it is to send an order, and the fence behind which answers are written back.

The order's row is the queue. A claim takes a lease and raises the attempt number; that number is the fence: whoever
writes an outcome names it, and where it has moved on, nothing is written. A claim alone is harmless: the order still
reads WAITING, may be cancelled, and when the lease runs out is claimed again. Only `mark` makes it SENDING, in a
commit of its own, at the moment the request is about to be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from orders.models import Attempt, Order, State
from orders.same_link import is_taken, queue_up
from providers.models import Provider


def waiting_for(provider: Provider) -> QuerySet[Order]:
    """The orders that may be claimed for this provider now."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return Order.objects.filter(free, provider=provider, state=State.WAITING, not_before__lte=now)


def claim(provider: Provider, most: int) -> list[Order]:
    """Up to `most` orders that wait for this provider, the oldest first, leased to the caller with a new attempt
    number.
    """
    until = timezone.now() + timedelta(seconds=settings.ORDER_CLAIM_SECONDS)
    waiting = waiting_for(provider).order_by("not_before", "id")
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        ids = list(waiting.values_list("id", flat=True)[:most])
        if not ids:
            return []
        Order.objects.filter(pk__in=ids).update(lease_until=until, attempt=F("attempt") + 1)
    mine = Order.objects.filter(pk__in=ids).select_related("provider_service", "service", "customer__wallet")
    return list(mine.order_by("not_before", "id"))


def mark(
    order: Order,
    asked: Mapping[str, str],
    *,
    lease: timedelta,
    cost: Decimal | None = None,
    exchange_rate: Decimal | None = None,
) -> bool:
    """Marks the order *sending* under its attempt number, with the attempt's row, in one commit.

    False where the claim is no longer ours, or the order is no longer waiting (cancelled meanwhile), or the database
    says that another order of its link is under way, which queues it: then nothing may be sent. `lease` must be longer
    than the whole request can take. `cost`, in the provider's currency, and its exchange rate are kept for an order
    that is found to exist only later.
    """
    try:
        return _mark(order, asked, lease=lease, cost=cost, exchange_rate=exchange_rate)
    except IntegrityError as error:
        if not is_taken(error):
            raise
        queue_up(order)
        return False


def _mark(
    order: Order, asked: Mapping[str, str], *, lease: timedelta, cost: Decimal | None, exchange_rate: Decimal | None
) -> bool:
    assert order.provider_id is not None
    assert order.provider_service_id is not None
    now = timezone.now()
    with transaction.atomic():
        marked = Order.objects.filter(pk=order.pk, state=State.WAITING, attempt=order.attempt).update(
            state=State.SENDING, lease_until=now + lease
        )
        if marked != 1:
            return False
        Attempt.objects.create(
            order=order,
            number=order.attempt,
            provider_id=order.provider_id,
            provider_service_id=order.provider_service_id,
            asked=dict(asked),
            began_at=now,
            cost=cost,
            exchange_rate=exchange_rate,
        )
    order.state = State.SENDING
    return True


def release(order: Order, *, not_before: timedelta = timedelta(0)) -> None:
    """Gives back a claim whose order was never marked, to be taken up again after `not_before`."""
    Order.objects.filter(pk=order.pk, state=State.WAITING, attempt=order.attempt).update(
        lease_until=None, not_before=timezone.now() + not_before
    )
