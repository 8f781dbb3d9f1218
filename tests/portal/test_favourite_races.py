"""Two tabs mark a favourite each where there is room for one; the twin takes the customer's lock away."""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db.models import QuerySet

from portal.favourites import _add
from portal.models import Favourite
from tests.orders.builders import a_customer
from tests.orders.rivals import RACE, all_at_once
from tests.portal.builders import a_service

pytestmark = RACE
WAIT_SECONDS = 1.0


def _marked_at_once(monkeypatch: pytest.MonkeyPatch, settings: Any) -> int:
    settings.PORTAL_FAVOURITES = 1
    customer, services, both = a_customer(), [a_service("One"), a_service("Two")], Barrier(2)
    create = Favourite.objects.create

    def slow_create(**fields: Any) -> Favourite:
        with suppress(BrokenBarrierError):
            both.wait(WAIT_SECONDS)
        return create(**fields)

    monkeypatch.setattr(Favourite.objects, "create", slow_create)
    all_at_once(lambda rival: _add(customer, services[rival]), rivals=2)
    return Favourite.objects.filter(customer=customer).count()


def test_two_tabs_do_not_go_beyond_the_most(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    assert _marked_at_once(monkeypatch, settings) == 1


def test_twin_without_the_lock_there_are_more_than_the_most(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    unlocked: Any = lambda self, **_: self.all()  # noqa: E731
    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)
    assert _marked_at_once(monkeypatch, settings) == 2
