"""Two tabs place one list at the same moment; its twin without the row's lock must place twice."""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import QuerySet

from orders import mass as room
from orders.models import MassOrder, Order
from orders.placing import place_orders
from tests.portal.builders import a_customer, a_service

pytestmark = pytest.mark.django_db(transaction=True)
MEET_SECONDS = 1.0


def _placed_by_two(monkeypatch: pytest.MonkeyPatch) -> int:
    text = f"{a_service().pk} | https://example.com/a | 1000"
    listed = room.preview(customer=a_customer(), text=text)
    door, inside, errors = Barrier(2), Barrier(2), list[BaseException]()

    def place_together(**asked: Any) -> list[Order]:
        with suppress(BrokenBarrierError):  # both are in here only where nothing keeps one out
            inside.wait(MEET_SECONDS)
        return place_orders(**asked)

    monkeypatch.setattr("orders.mass.place_orders", place_together)

    def tab() -> None:
        try:
            mine = MassOrder.objects.select_related("customer__wallet").get(pk=listed.pk)
            door.wait(10)
            room.start(mass=mine, version=0, whole=False)
            room.place_next(mine.pk)
        except Exception as error:  # noqa: BLE001 - shown by the test
            errors.append(error)
        finally:
            connections.close_all()

    tabs = [Thread(target=tab) for _ in range(2)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    assert errors == []
    return len(Order.objects.all())


def test_two_tabs_place_a_list_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _placed_by_two(monkeypatch) == 1


def test_without_the_lock_they_would_place_it_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time, with and without the lock")
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    assert _placed_by_two(monkeypatch) == 2
