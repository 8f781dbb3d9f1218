"""A customer's lists among hundreds of thousands of others' rows: each filter is read along an index, none is sorted.

On PostgreSQL there are so many rows, and one customer has so many of them, that reading the whole table is what the
planner would choose where no index serves. On SQLite, which has no such choice, the steps alone are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Customer
from orders.models import CancelRequest, Order, RefillRequest
from portal.order_search import Wanted, counts_by_status
from portal.orders import of_customer
from portal.paging import newest_first
from tests.portal.builders import LINK, a_service, ended

pytestmark = pytest.mark.django_db

ROWS = 200_000
TABLES = ("orders_order", "orders_refillrequest", "orders_cancelrequest")
PAGE = 50


def _many(alice: Customer, others: Customer) -> Order:
    """Two hundred thousand ended orders, each twentieth of them Alice's, of many services and links over three years;
    a tenth of the others' with a refill and a cancellation, and a hundredth of hers.
    """
    order = ended(alice, service=a_service(refill=True, cancel=True), upstream_id=None)
    RefillRequest.objects.create(order=order, customer=alice, status="Completed", ended_at=timezone.now())
    CancelRequest.objects.create(order=order, customer=alice, status="done", ended_at=timezone.now())
    if connection.vendor != "postgresql":
        return order
    services = [a_service(f"Service {number}").pk for number in range(50)]
    changed = {
        "customer_id": f"CASE WHEN n % 20 = 0 THEN {alice.pk} ELSE {others.pk} END",
        "service_id": f"(ARRAY{services})[1 + n / 20 % 50]",
        "link_key": "md5((n / 100)::text)",
        "status": "CASE WHEN n % 7 = 0 THEN 'Partial' ELSE 'Completed' END",
        "created_at": "now() - (n || ' minutes')::interval * 8",
        "id": "currval(pg_get_serial_sequence('orders_order', 'id')) + 1000000 - n",
    }
    _copies("orders_order", Order, changed, f"generate_series(1, {ROWS}) AS n")
    few = "o.id <> t.order_id AND CASE WHEN o.customer_id = t.customer_id THEN o.id / 20 % 100 ELSE o.id % 10 END = 0"
    for table, model in (("orders_refillrequest", RefillRequest), ("orders_cancelrequest", CancelRequest)):
        owned = {"order_id": "o.id", "customer_id": "o.customer_id", "id": "o.id"}
        _copies(table, model, owned, "orders_order AS o", where=few)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(TABLES))
        # as once vacuumed
        cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE relname = 'orders_order'")
    return order


def _copies(table: str, model: type, changed: dict[str, str], source: str, where: str = "true") -> None:
    names = [field.column for field in model._meta.concrete_fields]  # type: ignore[attr-defined]
    values = ", ".join(changed.get(name, f"t.{name}") for name in names)
    sql = f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} AS t, {source} WHERE {where}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _day(days: int) -> str:
    return (timezone.now() - timedelta(days=days)).date().isoformat()


def _asked(order: Order) -> Iterator[tuple[str, str]]:
    """What addresses ask for, by name: each filter, and some together."""
    middle = f"before={order.pk + 500_000}"
    yield "newest", ""
    yield "older", middle
    yield "newer", f"after={order.pk + 500_000}"
    yield "ids", f"q={order.pk},{order.pk + 5},{order.pk + 9}"
    yield "link", f"q={LINK}"
    yield "service", f"service={order.service_id}"
    yield "status", "status=Partial"
    yield "a status that nothing has", "status=Expired"
    yield "since", f"since={_day(30)}"
    yield "until", f"until={_day(400)}"
    yield "one day", f"since={_day(200)}&until={_day(199)}"
    yield "a service's status", f"service={order.service_id}&status=Completed"
    yield "a link of a day", f"q={LINK}&since={_day(20)}"


def _plans(ask: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        ask()
    found = []
    for sql in [query["sql"] for query in queries.captured_queries]:
        if any(table in sql for table in TABLES):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}")
                found.append(sql + "\n" + "\n".join(str(row[-1]) for row in cursor.fetchall()))
    return found


def _reads_all(plan: str) -> bool:
    """Whether a large table is read whole, or more rows of it are sorted than a few pages have."""
    if connection.vendor == "sqlite":
        return any(re.search(rf"\bSCAN {table}(?! USING)", plan) for table in TABLES)
    whole = any(f"Seq Scan on {table}" in plan for table in TABLES)
    sorted_rows = [int(rows) for rows in re.findall(r"Sort .*rows=(\d+)", plan)]
    return whole or any(rows > 5 * PAGE for rows in sorted_rows)


def test_every_filter_of_the_orders_goes_along_an_index(alice: Customer, charlie: Customer) -> None:
    order = _many(alice, charlie)
    wrong = []
    for name, address in _asked(order):
        plans = _plans_of(alice, address)
        assert plans
        wrong += [f"{name}: {plan}" for plan in plans if _reads_all(plan)]
    wrong += [plan for plan in _plans(lambda: counts_by_status(alice)) if _reads_all(plan)]
    assert not wrong, "\n\n".join(wrong)
    if connection.vendor == "postgresql":
        _they_read_all_without_their_indexes(alice)


def _they_read_all_without_their_indexes(alice: Customer) -> None:
    """The twin: the rows are so many that the lack of an index shows."""
    with connection.cursor() as cursor:
        for name in ("service", "link", "day", "status"):
            cursor.execute(f"DROP INDEX order_of_customer_{name}")
    for address in (f"q={LINK}", "status=Expired", f"until={_day(400)}"):
        plans = _plans_of(alice, address)
        assert any(_reads_all(plan) or "Filter: " in plan for plan in plans), address


def _plans_of(customer: Customer, address: str) -> list[str]:
    query = QueryDict(address)
    return _plans(lambda: newest_first(Wanted.of(query).among(of_customer(customer)), query, size=PAGE))


def test_wishes_of_a_customer_go_along_an_index(as_alice: Client, alice: Customer, charlie: Customer) -> None:
    order = _many(alice, charlie)
    wrong = []
    for address in ("/refills/", "/cancellations/", f"/refills/?before={order.pk + 900_000}"):
        plans = _plans(partial(as_alice.get, address))
        assert plans
        wrong += [plan for plan in plans if _reads_all(plan)]
        if connection.vendor == "postgresql":
            assert any("_of_customer" in plan for plan in plans), "\n\n".join(plans)
    assert not wrong, "\n\n".join(wrong)
