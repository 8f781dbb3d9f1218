"""What a customer is shown of the announcements, and how he puts one away.

The top of his pages costs one query, and none while there is nothing to announce: a process that found nothing asks
again after NEWS_QUIET_SECONDS.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Customer
from news.models import Announcement, Dismissal


class _Quiet:
    """Until when, by this process's own clock, nobody needs to ask whether there is anything on top."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def lasts(self) -> bool:
        return time.monotonic() < self._until

    def begin(self) -> None:
        self._until = time.monotonic() + settings.NEWS_QUIET_SECONDS

    def end(self) -> None:
        self._until = float("-inf")


quiet = _Quiet()


def begun() -> QuerySet[Announcement]:
    """All that customers may read, past and present, the newest first."""
    return Announcement.objects.filter(starts_at__lte=timezone.now()).order_by("-starts_at", "-id")


def in_force(rows: QuerySet[Announcement]) -> QuerySet[Announcement]:
    return rows.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now()))


def on_top(customer: Customer) -> Sequence[Announcement]:
    """The newest NEWS_ON_TOP in force that he has not put away, of the newest NEWS_IN_FORCE."""
    if quiet.lasts():
        return ()
    his = Dismissal.objects.filter(announcement=OuterRef("pk"), customer=customer)
    found = list(in_force(begun()).filter(on_top=True).annotate(put_away=Exists(his))[: settings.NEWS_IN_FORCE])
    if not found:
        quiet.begin()
    return [each for each in found if not each.put_away][: settings.NEWS_ON_TOP]


def dismiss(*, announcement: Announcement, customer: Customer) -> None:
    """Twice is once: two tabs may do it together. One that staff deleted meanwhile is away already."""
    row = Dismissal(announcement=announcement, customer=customer)
    with suppress(IntegrityError), transaction.atomic():
        Dismissal.objects.bulk_create([row], ignore_conflicts=True)
