"""A list placed chunk by chunk: killed between or within two of them it goes on, and it costs by chunk, not by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from catalog.links import link_key
from catalog.models import Service
from catalog.sentences import said
from ledger.balances import balance_of
from ledger.models import Transfer
from orders import mass as room
from orders.models import MassOrder, Order, State
from orders.placing import place_orders
from records.jobs import Turn
from tests.portal.builders import a_service, an_order, ended, under_way

pytestmark = pytest.mark.django_db
LINES = 10


class Killed(BaseException):
    """The process ends here: nothing that catches errors sees it."""


def _listed(customer: Customer, service: Service, lines: int = LINES) -> MassOrder:
    text = "".join(f"{service.pk} | https://example.com/{number} | 100\n" for number in range(lines))
    mass = room.preview(customer=customer, text=text)
    room.start(mass=mass, version=0, whole=False)
    return mass


@contextmanager
def _killed(monkeypatch: pytest.MonkeyPatch, *, at: int, after_placing: bool) -> Iterator[None]:
    """Ends the process with its `at`th chunk: before anything of it, or when its orders stand and its progress does
    not yet.
    """
    chunks = 0

    def place(**asked: Any) -> list[Order]:
        nonlocal chunks
        chunks += 1
        if chunks == at and not after_placing:
            raise Killed
        placed = place_orders(**asked)
        if chunks == at:
            raise Killed
        return placed

    with monkeypatch.context() as patch:
        patch.setattr(room, "place_orders", place)
        with pytest.raises(Killed):
            yield


def _go_on() -> None:
    turn = SimpleNamespace(should_stop=lambda: False)
    room.place_mass_orders(cast("Turn", turn))


@pytest.mark.parametrize("after_placing", [False, True])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_list_that_is_killed_goes_on_and_no_line_is_lost_or_doubled(
    alice: Customer, settings: Any, monkeypatch: pytest.MonkeyPatch, at: int, after_placing: bool
) -> None:
    settings.MASS_CHUNK_LINES = 3
    mass = _listed(alice, a_service())
    with _killed(monkeypatch, at=at, after_placing=after_placing):
        _go_on()
    mass.refresh_from_db()
    whole_chunks = 3 * (at - 1)
    assert (mass.state, mass.next_line, mass.placed) == (MassOrder.State.PLACING, whole_chunks, whole_chunks)
    assert Order.objects.count() == whole_chunks
    _go_on()
    mass.refresh_from_db()
    assert (mass.state, mass.placed, mass.charged) == (MassOrder.State.DONE, LINES, room.total(mass))
    assert _times_ordered() == dict.fromkeys(_links(), 1)
    assert {mass.results[str(number + 1)] for number in range(LINES)} == set(Order.objects.values_list("pk", flat=True))
    alice.wallet.refresh_from_db()
    assert balance_of(alice.wallet) == 100 - room.total(mass)
    assert Transfer.objects.filter(kind=Transfer.Kind.CHARGE).count() == LINES


def test_a_list_that_fails_holds_up_no_other_and_the_job_says_which(
    alice: Customer, charlie: Customer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MASS_CHUNK_LINES = 3
    service = a_service()
    broken, other = _listed(alice, service), _listed(charlie, service)

    def place(**asked: Any) -> list[Order]:
        if asked["customer"] == alice:
            raise RuntimeError("out of order")
        return place_orders(**asked)

    monkeypatch.setattr(room, "place_orders", place)
    with pytest.raises(RuntimeError, match="out of order") as raised:
        _go_on()
    assert raised.value.__notes__ == [f"Mass order {broken.pk} could not go on; it is tried again."]
    for mass in (broken, other):
        mass.refresh_from_db()
    assert (broken.state, broken.placed) == (MassOrder.State.PLACING, 0)
    assert (other.state, other.placed) == (MassOrder.State.DONE, LINES)


def test_without_one_commit_for_both_a_killed_chunk_would_be_placed_twice(
    alice: Customer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: orders and progress each in a transaction of its own."""
    settings.MASS_CHUNK_LINES = 3
    _listed(alice, a_service())
    monkeypatch.setattr(room, "transaction", _NoTransaction)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    with _killed(monkeypatch, at=2, after_placing=True):
        _go_on()
    _go_on()
    assert sorted(_times_ordered().values()) == [1] * (LINES - 3) + [2] * 3


class _NoTransaction:
    atomic = nullcontext
    on_commit = transaction.on_commit


def _links() -> list[str]:
    return [f"https://example.com/{number}" for number in range(LINES)]


def _times_ordered() -> dict[str, int]:
    return dict(Counter(Order.objects.values_list("link", flat=True)))


def test_ten_thousand_lines_cost_by_chunk_and_not_by_line(alice: Customer) -> None:
    lines, service = 10_000, a_service(rate=Decimal("0.001"), same_link="warn")
    with CaptureQueriesContext(connection) as looking:
        mass = _listed(alice, service, lines)
    chunks = lines // settings.MASS_CHUNK_LINES
    with CaptureQueriesContext(connection) as placing:
        _go_on()
    mass.refresh_from_db()
    assert (mass.state, mass.placed) == (MassOrder.State.DONE, lines)
    assert len(looking) <= 2 * chunks + 30, Counter(query["sql"][:60] for query in looking.captured_queries)
    inserts = [query for query in placing.captured_queries if query["sql"].startswith("INSERT")]
    assert len(placing) - len(inserts) <= 20 * chunks, Counter(query["sql"][:60] for query in placing.captured_queries)
    assert len(inserts) <= lines / 10  # SQLite takes few rows a statement
    kept = [query["sql"] for query in placing.captured_queries if "orders_massorder" in query["sql"]]
    assert not any('"text"' in sql or ('"lines" =' in sql and sql.startswith("UPDATE")) for sql in kept)


# the same link


def _notes(customer: Customer, service: Service, *links: str) -> list[str]:
    text = "".join(f"{service.pk} | {link} | 100\n" for link in links)
    return [" ".join(map(said, entry["note"])) for entry in room.preview(customer=customer, text=text).lines]


def test_an_order_under_way_is_said_beside_the_line_of_its_link(alice: Customer, charlie: Customer) -> None:
    service = a_service(same_link="warn")
    bought = service.routes.get().provider_service
    mine = under_way(alice, service, link="https://example.com/a", link_key=_key("a"), provider_service=bought)
    under_way(charlie, service, link="https://example.com/b", link_key=_key("b"), provider_service=bought)
    ended(alice, service=service, link="https://example.com/c", link_key=_key("c"), provider_service=bought)
    said_of = f"Your order {mine.pk} of this link is still under way."
    assert _notes(alice, service, *(f"https://www.example.com/{each}/" for each in "abc")) == [said_of, "", ""]
    Service.objects.update(same_link="queue")
    assert _notes(alice, service, "https://example.com/a") == [f"{said_of} It waits until that one has ended."]
    Service.objects.update(same_link="allow")
    assert _notes(alice, service, "https://example.com/a") == [""]


def test_a_run_under_way_is_said_as_its_drip_feed(alice: Customer) -> None:
    service = a_service(same_link="warn", dripfeed=True)
    parent = an_order(alice, service, runs=2, interval=60, runs_left=1, state=State.SERIES, link_key=_key("a"))
    bought = service.routes.get().provider_service
    under_way(alice, service, parent=parent, run=1, link_key=_key("a"), provider_service=bought, charge=0)
    said_of = f"Your order {parent.pk} of this link is still under way."
    assert _notes(alice, service, "https://example.com/a") == [said_of]


def test_that_an_order_ended_meanwhile_is_no_change_of_the_list(alice: Customer) -> None:
    service = a_service(same_link="warn")
    bought = service.routes.get().provider_service
    order = under_way(alice, service, link_key=_key("0"), provider_service=bought)
    mass = room.preview(customer=alice, text=f"{service.pk} | https://example.com/0 | 100")
    assert mass.lines[0]["note"]
    Order.objects.filter(pk=order.pk).update(state=State.ENDED, status="Completed", ended_at=order.created_at)
    room.start(mass=mass, version=0, whole=False)
    assert MassOrder.objects.get(pk=mass.pk).state == MassOrder.State.PLACING


def _key(path: str) -> str:
    return link_key(f"https://example.com/{path}")
