"""What a second identical API order means: another order, or, within so many seconds, the first one once more.

The customer's own choice, for scripts that send no Idempotency-Key.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import ngettext

from accounts.models import Customer
from records.audit import Actor, audit


class RepeatRefused(Exception):
    """Nothing was changed; the message says why."""


def set_repeat_seconds(*, customer: Customer, seconds: int, actor: Actor) -> None:
    """0: each order is an order of its own. Raises RepeatRefused beyond API_REPEAT_MOST_SECONDS."""
    most = settings.API_REPEAT_MOST_SECONDS
    if not 0 <= seconds <= most:
        words = ngettext(
            "Choose 0 to %(most)s second. Nothing was changed.",
            "Choose 0 to %(most)s seconds. Nothing was changed.",
            most,
        )
        raise RepeatRefused(words % {"most": most})
    with transaction.atomic():
        before = customer.repeat_seconds
        Customer.objects.filter(pk=customer.pk).update(repeat_seconds=seconds)
        audit(
            actor=actor, action="set_repeat_seconds", target=customer,
            before={"repeat_seconds": before}, after={"repeat_seconds": seconds},
        )  # fmt: skip
    customer.repeat_seconds = seconds
