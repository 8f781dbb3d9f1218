"""A key is rotated and revoked at the same moment, on real connections: whichever comes first, what was revoked has no
successor that was made after it. The twins take the row's lock away and show the race.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet

from accounts import keys
from accounts.keys import KeyRefused, issue_key, revoke_key, rotate_key
from accounts.models import ApiKey
from records.audit import SYSTEM
from records.models import AuditEntry
from tests.orders.builders import a_customer
from tests.orders.rivals import RACE, all_at_once

pytestmark = RACE
MEET_SECONDS = 20.0
WAIT_SECONDS = 1.0  # as long as a rival that nothing keeps out needs many times over
HOUR = timedelta(hours=1)


def _without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked: Any = lambda self, **_: self.all()  # noqa: E731
    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)


def _revoked_while_rotating(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A rotation that has seen the key open, and a revocation meanwhile; what the audit trail says, in order."""
    key, _ = issue_key(a_customer())
    inside, revoked = Event(), Event()
    issue = keys.issue_key

    def slow_issue(*args: Any, **more: Any) -> object:
        inside.set()
        revoked.wait(WAIT_SECONDS)
        return issue(*args, **more)

    monkeypatch.setattr(keys, "issue_key", slow_issue)

    def revoke() -> bool:
        inside.wait(MEET_SECONDS)
        done = revoke_key(ApiKey.objects.get(pk=key.pk), actor=SYSTEM)
        revoked.set()
        return done

    def rotate() -> object:
        return rotate_key(key, actor=SYSTEM, overlap=HOUR)

    rotated, was_revoked = all_at_once(lambda rival: (rotate, revoke)[rival](), rivals=2)
    assert isinstance(rotated, tuple), rotated
    assert was_revoked is True
    trail = AuditEntry.objects.filter(action__in=["rotate_key", "revoke_key"]).order_by("pk")
    return list(trail.values_list("action", flat=True))


def test_a_revocation_waits_for_the_rotation_that_saw_the_key_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _revoked_while_rotating(monkeypatch) == ["rotate_key", "revoke_key"]
    old, fresh = ApiKey.objects.order_by("pk")
    assert (old.revoked_at is None, fresh.revoked_at) == (False, None)


def test_twin_without_the_lock_a_key_is_followed_after_it_was_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_lock(monkeypatch)
    assert _revoked_while_rotating(monkeypatch) == ["revoke_key", "rotate_key"]


def _rotated_while_revoking() -> object:
    """A revocation that is not committed yet, and a rotation meanwhile; what the rotation came to."""
    key, _ = issue_key(a_customer())
    inside = Event()

    def revoke() -> None:
        with transaction.atomic():
            revoke_key(key, actor=SYSTEM)
            inside.set()
            Event().wait(WAIT_SECONDS)

    def rotate() -> object:
        inside.wait(MEET_SECONDS)
        return rotate_key(key, actor=SYSTEM, overlap=HOUR)

    _, rotated = all_at_once(lambda rival: (revoke, rotate)[rival](), rivals=2)
    return rotated


def test_a_rotation_waits_for_the_revocation_and_is_refused() -> None:
    assert isinstance(_rotated_while_revoking(), KeyRefused)
    assert ApiKey.objects.get().revoked_at is not None


def test_twin_without_the_lock_a_revoked_key_gets_a_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_lock(monkeypatch)
    assert isinstance(_rotated_while_revoking(), tuple)
    assert ApiKey.objects.filter(revoked_at__isnull=True).exists()
