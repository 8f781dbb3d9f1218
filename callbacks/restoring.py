"""Messages of a backup that is being restored: each may have been delivered since it was taken."""

from __future__ import annotations

from django.utils import timezone

from callbacks.claiming import OPEN
from callbacks.models import CallbackMessage


def park_all(why: str) -> int:
    """Parks what was still to be delivered, for its customer or a person to send anew; how many that were."""
    return CallbackMessage.objects.filter(OPEN).update(parked_at=timezone.now(), lease_until=None, last_error=why[:300])
