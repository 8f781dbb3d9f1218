"""Letters and sessions of a backup that is being restored: what was due may have been sent, who was let in may not be.
"""

from __future__ import annotations

from django.contrib.sessions.models import Session

from accounts.models import Letter


def forget_letters(why: str) -> int:
    """Sends none of the letters that were due; how many those were."""
    return Letter.objects.filter(due_at__isnull=False).update(due_at=None, last_error=why[:300])


def end_sessions() -> int:
    """Signs everybody out: a session that was ended since would be open again. How many there were."""
    return Session.objects.all().delete()[0]
