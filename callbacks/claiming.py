"""Who sends which message, and what came of it: conditional updates whose row count says who won.

The oldest open message of a subject at an address is its head, and only heads are sent: so the messages of one order
arrive in the order in which they were written. A claim counts the try and lasts a lease; what comes back is written
only where no later try was begun. A worker that dies after sending leaves a message that another one sends again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from callbacks.models import CallbackAddress, CallbackMessage

OPEN = Q(delivered_at__isnull=True, parked_at__isnull=True)
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try: the answer's status, if there was one, and what is wrong with it in a few words."""

    status: int | None
    error: str = ""
    retry_after: float | None = None  # seconds, as the receiver wishes

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == GONE


def due_scopes() -> Sequence[str]:
    """The addresses that have something to be sent now."""
    now = timezone.now()
    due = CallbackMessage.objects.filter(OPEN, address=OuterRef("pk"), next_try_at__lte=now)
    awake = Q(not_before__isnull=True) | Q(not_before__lte=now)
    found = CallbackAddress.objects.filter(awake, Exists(due), active=True, removed_at__isnull=True)
    return [str(pk) for pk in found.order_by("pk").values_list("pk", flat=True)]


def due_heads(address: CallbackAddress, most: int) -> list[CallbackMessage]:
    """Messages that may be sent now, those that waited longest first; never two of one subject."""
    now = timezone.now()
    earlier = CallbackMessage.objects.filter(
        OPEN, address=OuterRef("address"), subject=OuterRef("subject"), pk__lt=OuterRef("pk")
    )
    due = CallbackMessage.objects.filter(OPEN, _idle(), address=address, next_try_at__lte=now)
    return list(due.filter(~Exists(earlier)).order_by("next_try_at", "pk")[:most])


def claim(message: CallbackMessage) -> bool:
    """Take the message for one try; False when somebody else has it, or had it since it was read."""
    lease = timedelta(seconds=settings.CALLBACK_DEADLINE_SECONDS + settings.CALLBACK_LEASE_MARGIN_SECONDS)
    ours = CallbackMessage.objects.filter(OPEN, _idle(), pk=message.pk, tries=message.tries)
    if ours.update(tries=F("tries") + 1, lease_until=timezone.now() + lease) != 1:
        return False
    message.tries += 1
    return True


def write_back(message: CallbackMessage, outcome: Outcome) -> str:
    """Keeps what came of our try: "delivered", "failed" or "parked"; "late" where a later try was begun meanwhile."""
    now = timezone.now()
    became = "failed"
    changes: dict[str, object] = {"last_status": outcome.status, "last_error": outcome.error, "lease_until": None}
    if outcome.delivered:
        became = "delivered"
        changes["delivered_at"] = now
    elif outcome.gone or now >= message.give_up_at:
        became = "parked"
        changes["parked_at"] = now
    else:
        changes["next_try_at"] = now + max(_pause(message.tries), _wished(outcome))
    ours = CallbackMessage.objects.filter(OPEN, pk=message.pk, tries=message.tries)
    return became if ours.update(**changes) == 1 else "late"


def park_the_late(address: CallbackAddress) -> int:
    """At an address that does not answer not every message gets its try: their day ends all the same."""
    late = CallbackMessage.objects.filter(OPEN, _idle(), address=address, give_up_at__lte=timezone.now())
    why = "The address did not answer for too long."
    return late.filter(last_error="").update(parked_at=timezone.now(), last_error=why) + late.update(
        parked_at=timezone.now()
    )


def _wished(outcome: Outcome) -> timedelta:
    """How long the receiver wants to be left alone, within CALLBACK_LONGEST_WAIT_SECONDS."""
    return timedelta(seconds=min(outcome.retry_after or 0, settings.CALLBACK_LONGEST_WAIT_SECONDS))


def _pause(tries: int) -> timedelta:
    steps = settings.CALLBACK_RETRY_SECONDS
    return timedelta(seconds=steps[min(tries, len(steps)) - 1])


def _idle() -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lte=timezone.now())
