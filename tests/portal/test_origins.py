"""Who placed what: by hand, with a list, over the API with which key; told to the customer and to the operator."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.keys import issue_key
from accounts.models import Customer, User
from orders.mass import place_next, preview, start
from orders.models import Order, Origin
from orders.placing import Line, Source, place_orders
from tests.portal.builders import LINK, a_service, an_order

pytestmark = pytest.mark.django_db


def _by_api(client: Client, text: str, **more: str) -> Order:
    fields = {"key": text, "action": "add", "service": a_service().pk, "link": LINK, "quantity": "1000", **more}
    return Order.objects.get(pk=client.post("/api/v2", fields).json()["order"])


def _page(client: Client, order: Order) -> str:
    return client.get(f"/orders/{order.pk}/").content.decode()


def test_the_form_the_list_and_each_key_are_told_apart(as_alice: Client, alice: Customer) -> None:
    service = a_service()
    typed = {"service": str(service.pk), "link": LINK, "quantity": "1000", "once": "x"}
    assert as_alice.post("/order/new/", typed).status_code == 302
    by_hand = Order.objects.get()
    mass = preview(customer=alice, text=f"{service.pk} | {LINK} | 1000")
    start(mass=mass, version=mass.version, whole=False)
    assert place_next(mass.pk)
    with_list = Order.objects.latest("pk")
    key, text = issue_key(alice, "Shop <live>")
    with_key = _by_api(Client(), text)
    tried = {"action": "add", "service": service.pk, "link": LINK, "quantity": "1000"}
    as_alice.post("/docs/api/try/", tried)
    tried_by_hand = Order.objects.latest("pk")
    before = an_order(alice)
    told = [(each.origin, each.api_key_id) for each in Order.objects.order_by("pk")]
    assert told == [("portal", None), ("mass", None), ("api", key.pk), ("api", None), ("", None)]
    shown = ["Order form", "Mass order", "API key “Shop &lt;live&gt;”", "API"]
    for order, words in zip((by_hand, with_list, with_key, tried_by_hand), shown, strict=True):
        assert f"<dt>Placed by</dt><dd>{words}</dd>" in _page(as_alice, order)
    assert "Placed by" not in _page(as_alice, before)


def test_the_file_says_it_in_one_query_a_chunk(as_alice: Client, alice: Customer) -> None:
    for name in ("Shop", "Second shop"):
        _by_api(Client(), issue_key(alice, name)[1])
    an_order(alice)
    with CaptureQueriesContext(connection) as asked:
        answer: Any = as_alice.get("/orders/export.csv")
        head, *rows = csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    assert head[-1] == "Placed by"
    assert [row[-1] for row in rows] == ["", "API key “Second shop”", "API key “Shop”"]
    assert len([each for each in asked if "accounts_apikey" in each["sql"]]) == 1


def test_an_order_sent_again_stays_the_first_keys(alice: Customer) -> None:
    first, second = issue_key(alice, "Shop"), issue_key(alice, "Second shop")
    service = str(a_service().pk)
    orders = [_by_api(Client(), text, service=service, request_id="r-1") for _, text in (first, second)]
    assert orders[0] == orders[1]
    assert orders[1].api_key == first[0]


def test_where_it_comes_from_costs_no_query(alice: Customer) -> None:
    line = Line(service_id=a_service().pk, fields={"link": LINK, "quantity": "1000"})
    key, _text = issue_key(alice, "Shop")

    def asked(source: Source | None) -> int:
        with CaptureQueriesContext(connection) as queries:
            place_orders(customer=alice, lines=[line], source=source)
        return len(queries)

    asked(None)
    assert asked(Source(Origin.API, key)) == asked(None)


def test_the_operator_reads_the_key_in_the_orders_time(client: Client, alice: Customer, bob: User) -> None:
    key, text = issue_key(alice, "Shop")
    order = _by_api(Client(), text)
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert f"With API key {key}" in page
