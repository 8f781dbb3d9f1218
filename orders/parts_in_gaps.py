"""Whether a record found in a gap of ids may be a part that a provider made by itself, and no order of ours.

A subscription or a drip-feed upstream makes orders at any time, with ids of the same row. Where one was alive while
the gap's ids were given out, a record there is evidence for a person and never attached by itself (`reconciling`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from orders.attempts import SOLVED
from orders.dividing import divided
from orders.models import UNDER_WAY, Attempt, Order, State


def parts_may_lie_between(provider_id: int, below: int, above: int) -> bool:
    """Whether anything of ours at this provider may have made orders with ids between these two, both orders' own.

    Ids above `below` were given out after its answer came, those below `above` before the end of its request.
    """
    since, until = _answered(provider_id, below), _began(provider_id, above)
    at_provider = Order.objects.filter(divided(), provider_id=provider_id)
    if until is not None:
        at_provider = at_provider.filter(created_at__lt=until)
    # apart, so that each is read along its own index
    if any(at_provider.filter(state=state).exists() for state in UNDER_WAY):
        return True
    if _lost_ones(provider_id):
        return True
    first_asked = timezone.now() - timedelta(days=settings.ORDER_ASK_AGAIN_DAYS[-1])
    if since is None or since < first_asked:
        return True  # longer ago than ended orders are followed
    ended = at_provider.filter(state=State.ENDED, ask_again_at__isnull=False, ended_at__gte=since)
    return ended.exists()


def _lost_ones(provider_id: int) -> bool:
    """Whether a request for a divided order was never answered clearly: whatever was decided of the order, it may
    exist there and go on.
    """
    lost = Attempt.objects.filter(divided("order__"), provider_id=provider_id, outcome=Attempt.Outcome.UNKNOWN)
    return lost.exclude(SOLVED).exists()


def _answered(provider_id: int, upstream_id: int) -> datetime | None:
    return _attempts_of(provider_id, upstream_id, "ended_at")


def _began(provider_id: int, upstream_id: int) -> datetime | None:
    return _attempts_of(provider_id, upstream_id, "began_at")


def _attempts_of(provider_id: int, upstream_id: int, moment: str) -> datetime | None:
    """That moment of the attempt which was answered with this id."""
    answered = Attempt.objects.filter(
        order__provider_id=provider_id,
        order__upstream_id=str(upstream_id),
        upstream_id=str(upstream_id),
        outcome=Attempt.Outcome.ACCEPTED,
    )
    found: datetime | None = answered.values_list(moment, flat=True).first()
    return found
