"""Days in an address: whole days of whoever asks, in his own time."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils import timezone


def read_day(text: str) -> date | None:
    """A day as YYYY-MM-DD; None for what is none, or is in no time that a panel knows of."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 9000 else None


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
