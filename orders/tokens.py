"""Placing once: a customer's token finds the orders that it made, however often it comes.

The token's row is written in the orders' own transaction. Of many that come at once the unique key lets one in; the
others wait for it and find its orders, or, where it was refused, take its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Customer
from orders.models import Order, Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A token of the customer's choice. `content`, a digest, must then be the same each time; `within` is how long the
    token means the same placing (None: until it is forgotten).
    """

    token: str
    content: str = ""
    within: timedelta | None = None


class TokenOfAnother(Exception):
    """The token belongs to other content: nothing was placed."""


class AlreadyPlaced(Exception):
    """Somebody used this token first."""


def placed_before(customer: Customer, once: Once) -> list[Order] | None:
    """The orders that this token made; None where it made none. Raises TokenOfAnother."""
    placement = Placement.objects.filter(customer=customer, token=once.token).first()
    if placement is None or _is_over(placement, once):
        return None
    if placement.content != once.content:
        raise TokenOfAnother(f"The token was used for something else on {placement.at:%d %B at %H:%M} UTC.")
    return list(Order.objects.filter(customer=customer, pk__in=placement.order_ids).order_by("pk"))


def claim_token(customer: Customer, once: Once) -> Placement:
    """Takes the token, in the transaction that places; raises AlreadyPlaced."""
    assert connection.in_atomic_block
    if once.within is not None:
        old = Placement.objects.filter(customer=customer, token=once.token, at__lte=timezone.now() - once.within)
        old.delete()
    try:
        with transaction.atomic():
            return Placement.objects.create(customer=customer, token=once.token, content=once.content)
    except IntegrityError as error:
        raise AlreadyPlaced from error


def _is_over(placement: Placement, once: Once) -> bool:
    return once.within is not None and placement.at <= timezone.now() - once.within
