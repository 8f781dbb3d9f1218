"""Whose turn it is: a name in the database that one holder has until a time, on any number of machines.

Everything is one conditional UPDATE whose row count says who won. All times are the database's own: the clocks of two
workers may differ by more than a lease is long, but they ask one database. A holder that dies simply runs out.

The wish: who finds a lease taken may leave a wish on it (`want`), and the holder cannot release it without seeing that
(`release_unless_wanted`). So work that arrives while a job takes its last look is never left lying.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from records.models import Lease

FREE = ""


def take(name: str, holder: str, for_: timedelta, *, not_started_within: timedelta | None = None) -> bool:
    """Take the lease if it is free or has run out; with `not_started_within`, only if it was not taken so recently."""
    assert holder, "a holder needs a name"
    if _take(name, holder, for_, not_started_within):
        return True
    if Lease.objects.filter(name=name).exists():
        return False
    Lease.objects.bulk_create([Lease(name=name, holder=FREE)], ignore_conflicts=True)
    return _take(name, holder, for_, not_started_within)


def renew(name: str, holder: str, for_: timedelta) -> bool:
    """Hold on to it for `for_` from now; False when it is not ours, or ran out and may be somebody's any moment."""
    return _held(name).filter(holder=holder).update(until=_now_plus(for_)) == 1


def take_again(name: str, holder: str, for_: timedelta) -> bool:
    """Begin another turn without letting go, taking the wish away; False when the lease was lost."""
    turn = {"until": _now_plus(for_), "started_at": Now(), "wanted": False}
    return _held(name).filter(holder=holder).update(**turn) == 1


def want(name: str) -> bool:
    """Ask the present holder for another turn; False when nobody holds it, so that the caller may take it himself."""
    return _held(name).update(wanted=True) == 1


def release_unless_wanted(name: str, holder: str) -> bool:
    """Let go of our own lease; False when somebody wants another turn (or when it is ours no more)."""
    return Lease.objects.filter(name=name, holder=holder, wanted=False).update(holder=FREE) == 1


def release(name: str, holder: str) -> bool:
    """Let go of our own lease, whatever is wanted; False when it was not ours."""
    return Lease.objects.filter(name=name, holder=holder).update(holder=FREE, wanted=False) == 1


def _take(name: str, holder: str, for_: timedelta, not_started_within: timedelta | None) -> bool:
    free = Lease.objects.filter(Q(holder=FREE) | Q(until__lte=Now()), name=name)
    if not_started_within is not None:
        free = free.filter(Q(started_at__isnull=True) | Q(started_at__lte=_now_plus(-not_started_within)))
    return free.update(holder=holder, until=_now_plus(for_), started_at=Now(), wanted=False) == 1


def _held(name: str) -> QuerySet[Lease]:
    return Lease.objects.filter(name=name, until__gt=Now()).exclude(holder=FREE)


def _now_plus(span: timedelta) -> ExpressionWrapper[CombinedExpression]:
    return ExpressionWrapper(Now() + span, output_field=DateTimeField())
