"""Two owners take each other's role at the same moment, on real connections: one stays. The twin has no lock."""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db.models import QuerySet

from accounts import roles, staff
from accounts.models import User
from accounts.people import create_operator
from accounts.roles import Role, StaffRefused
from records.audit import actor_of
from tests.orders.rivals import RACE, all_at_once

pytestmark = RACE
MEET_SECONDS = 1.0  # as long as a rival that nothing keeps out needs many times over


def _without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked: Any = lambda self, **_: self.all()  # noqa: E731
    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)


def _each_takes_the_others(monkeypatch: pytest.MonkeyPatch, how: str) -> tuple[list[object], int]:
    """Both have read who the owners are before either writes, if nothing keeps them apart; results, and owners left."""
    pair = [create_operator(email=f"{name}@example.com", password="a long enough one") for name in ("olga", "otto")]
    met = Barrier(2)
    hold = roles.hold_owners

    def slow_hold() -> list[int]:
        owners = hold()
        with suppress(BrokenBarrierError):
            met.wait(MEET_SECONDS)
        return owners

    monkeypatch.setattr(staff, "hold_owners", slow_hold)

    def take(rival: int) -> object:
        me, other = pair[rival], pair[1 - rival]
        if how == "role":
            return staff.set_role(user=other, role=Role.READ_ONLY, actor=actor_of(me), reason="mine alone")
        return staff.set_active(user=other, active=False, actor=actor_of(me), reason="mine alone")

    results = all_at_once(take, rivals=2)
    return results, User.objects.filter(is_superuser=True, is_active=True).count()


@pytest.mark.parametrize("how", ["role", "access"])
def test_of_two_owners_who_take_each_others_access_one_stays(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    results, owners = _each_takes_the_others(monkeypatch, how)
    assert owners == 1
    assert sorted(str(type(each).__name__) for each in results) == ["StaffRefused", "bool"]
    assert [str(each) for each in results if isinstance(each, StaffRefused)] == [
        "Only an owner changes who is staff. Nothing was changed."
    ]


@pytest.mark.parametrize("how", ["role", "access"])
def test_twin_without_the_lock_no_owner_is_left(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    _without_lock(monkeypatch)
    results, owners = _each_takes_the_others(monkeypatch, how)
    assert results == [True, True]
    assert owners == 0
