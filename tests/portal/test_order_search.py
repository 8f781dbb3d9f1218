"""Finding among many orders: by ids, link, service, day and status; what is found as a file; several at once."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import Customer
from catalog.links import link_key
from orders.models import Order, State, Status
from portal.order_search import Wanted, counts_by_status
from tests.portal.builders import LINK, a_service, an_order, ended, under_way


def _ids(client: Client, **query: Any) -> list[int]:
    answer = client.get("/orders/", query)
    assert answer.status_code == 200
    return [int(number) for number in re.findall(r'<tr id="order-(\d+)"', answer.content.decode())]


def _placed(order: Order, *, days_ago: float) -> Order:
    Order.objects.filter(pk=order.pk).update(created_at=timezone.now() - timedelta(days=days_ago))
    return order


def test_a_pasted_list_of_ids_finds_ones_own_and_names_what_is_missing(
    as_alice: Client, alice: Customer, charlie: Customer
) -> None:
    first, second, _ = (an_order(alice) for _ in range(3))
    anothers = an_order(charlie)
    pasted = f" #{first.pk}, {second.pk};{anothers.pk}\n{second.pk}-2 99999999"
    assert _ids(as_alice, q=pasted) == [second.pk, first.pk]
    page = as_alice.get("/orders/", {"q": pasted}).content.decode()
    assert re.search(rf"Not among your orders:.*>{anothers.pk}, 99999999<", page)


def test_more_ids_than_a_search_takes_are_said(as_alice: Client, alice: Customer, settings: Settings) -> None:
    settings.PORTAL_SEARCH_IDS = 2
    orders = [an_order(alice) for _ in range(3)]
    asked = ",".join(str(order.pk) for order in orders)
    assert _ids(as_alice, q=asked) == [orders[1].pk, orders[0].pk]
    assert "only its first IDs" in as_alice.get("/orders/", {"q": asked}).content.decode()


def test_a_link_finds_its_orders_in_each_spelling(as_alice: Client, alice: Customer, charlie: Customer) -> None:
    key = link_key(LINK)
    mine = an_order(alice, link=LINK, link_key=key)
    an_order(alice, link=f"{LINK}/else", link_key=link_key(f"{LINK}/else"))
    an_order(charlie, link=LINK, link_key=key)
    for spelling in (LINK, f" {LINK}/ ", LINK.replace("https", "http"), f"{LINK}?utm_source=mail"):
        assert _ids(as_alice, q=spelling) == [mine.pk]


def test_by_service_day_and_status_together(as_alice: Client, alice: Customer) -> None:
    likes, views = a_service("Likes"), a_service("Views")
    old = _placed(ended(alice, service=likes), days_ago=40)
    new = _placed(ended(alice, service=likes), days_ago=2)
    _placed(under_way(alice, likes), days_ago=2)
    _placed(ended(alice, service=views), days_ago=2)
    day = (timezone.now() - timedelta(days=2)).date()
    assert _ids(as_alice, service=likes.pk, status="Completed") == [new.pk, old.pk]
    assert _ids(as_alice, service=likes.pk, status="Completed", since=day.isoformat()) == [new.pk]
    assert _ids(as_alice, service=likes.pk, until=(day - timedelta(days=1)).isoformat()) == [old.pk]
    assert _ids(as_alice, since="2999-01-01") == []


def test_a_day_is_the_customers_own(as_alice: Client, alice: Customer) -> None:
    alice.user.time_zone = "Asia/Tokyo"
    alice.user.save()
    order = an_order(alice)
    Order.objects.filter(pk=order.pk).update(created_at=datetime(2026, 3, 1, 20, 0, tzinfo=UTC))
    assert _ids(as_alice, since="2026-03-02", until="2026-03-02") == [order.pk]
    assert _ids(as_alice, since="2026-03-01", until="2026-03-01") == []


@given(text=st.text(max_size=60) | st.from_regex(r"[#0-9, ;\-]{0,60}", fullmatch=True))
def test_anything_may_be_typed(text: str) -> None:
    from django.http import QueryDict

    query = QueryDict(mutable=True)
    query.update({"q": text, "service": text, "since": text, "until": text, "status": text})
    wanted = Wanted.of(query)
    assert all(0 <= number < 10**18 for number in wanted.ids)


@pytest.mark.parametrize("query", ["q=%00", "service=9999999999999999999", "since=0001-01-01", "until=x", "q=%F0"])
def test_a_senseless_search_is_no_error(as_alice: Client, query: str) -> None:
    assert as_alice.get(f"/orders/?{query}").status_code == 200
    assert as_alice.get(f"/orders/export.csv?{query}").status_code == 200


def test_typing_brings_the_list_alone(as_alice: Client, alice: Customer) -> None:
    order = an_order(alice)
    answer = as_alice.get(
        "/orders/", {"q": str(order.pk)}, headers={"HX-Request": "true", "HX-Target": "found"}
    ).content.decode()
    assert "<html" not in answer
    assert f'id="order-{order.pk}"' in answer


def test_filters_go_along_with_pages_and_statuses(as_alice: Client, alice: Customer, settings: Settings) -> None:
    settings.PORTAL_ORDERS_PAGE = 1
    service = a_service()
    for _ in range(2):
        an_order(alice, service)
    page = as_alice.get("/orders/", {"service": service.pk}).content.decode()
    assert re.search(rf'href="\?service={service.pk}&amp;before=\d+"', page)
    assert f"?status=Completed&amp;service={service.pk}" in page


def test_counts_stand_at_their_statuses_and_stop_where_nobody_reads_on(
    as_alice: Client, alice: Customer, charlie: Customer, settings: Settings
) -> None:
    settings.PORTAL_COUNTED = 2
    service = a_service()
    for _ in range(3):
        an_order(alice, service)
    ended(alice, service=service)
    under_way(charlie, service)
    assert counts_by_status(alice) == {"Pending": 3, "Completed": 1}
    page = as_alice.get("/orders/").content.decode()
    assert re.search(r'status=Pending">.*?<span class="chip-count">2\+</span>', page, re.S)
    assert re.search(r'status=Completed">.*?<span class="chip-count">1</span>', page, re.S)


def test_the_list_asks_as_many_questions_with_filters_as_without(as_alice: Client, alice: Customer) -> None:
    service = a_service()
    orders = [an_order(alice, service) for _ in range(3)]
    numbers = []
    searches: list[dict[str, Any]] = [
        {}, {"q": f"{orders[0].pk} {orders[1].pk}"}, {"service": service.pk, "since": "2020-01-01"},
    ]  # fmt: skip
    for query in searches:
        with CaptureQueriesContext(connection) as asked:
            as_alice.get("/orders/", query)
        numbers.append(len(asked))
        assert not any("OFFSET" in each["sql"] for each in asked)
    assert max(numbers) <= numbers[0] + 1


# as a file


def _file(client: Client, **query: Any) -> list[list[str]]:
    answer: Any = client.get("/orders/export.csv", query)
    assert answer.headers["Content-Type"].startswith("text/csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


def test_the_file_has_the_orders_of_the_list_all_of_them(
    as_alice: Client, alice: Customer, charlie: Customer, settings: Settings
) -> None:
    settings.PORTAL_CSV_ROWS, settings.PORTAL_ORDERS_PAGE = 2, 2
    service = a_service("Likes")
    mine = [ended(alice, service=service) for _ in range(5)]
    an_order(charlie, service)
    head, *lines = _file(as_alice)
    assert head[:4] == ["ID", "Placed", "Service ID", "Service"]
    assert [int(line[0]) for line in lines] == [order.pk for order in reversed(mine)]
    assert {line[3] for line in lines} == {"Likes"}
    assert len(_file(as_alice, status="Partial")) == 1
    assert [int(line[0]) for line in _file(as_alice, q=str(mine[1].pk))[1:]] == [mine[1].pk]


# several at once


def _choose(client: Client, deed: str, *orders: Order, **more: str) -> Any:
    return client.post("/orders/selected/", {"do": deed, "id": [order.pk for order in orders], **more}, follow=True)


def test_canceling_several_says_first_which_can_be_and_then_does_each(
    as_alice: Client, alice: Customer, charlie: Customer
) -> None:
    free = [an_order(alice, a_service(cancel=True)) for _ in range(2)]
    done, anothers = ended(alice), an_order(charlie, a_service(cancel=True))
    page = _choose(as_alice, "cancel", *free, done, anothers).content.decode()
    assert "Cancel 2 orders?" in page
    assert re.search(rf"cannot be canceled.*>{done.pk}<", page, re.S)
    assert f">{anothers.pk}<" not in page
    assert not Order.objects.filter(state=State.ENDED, status=Status.CANCELED).exists()
    page = _choose(as_alice, "cancel", *free, done, anothers, sure="1").content.decode()
    assert "2 orders were canceled" in page
    assert f"Order {done.pk}: " in page
    anothers.refresh_from_db()
    assert anothers.state == State.WAITING


def test_refilling_several(as_alice: Client, alice: Customer) -> None:
    service = a_service(refill=True)
    first, second, fresh = ended(alice, service=service), ended(alice, service=service), under_way(alice, service)
    page = _choose(as_alice, "refill", first, second, fresh).content.decode()
    assert "Refill 2 orders?" in page
    assert "Refills of 2 orders are asked for." in _choose(as_alice, "refill", first, second, sure="1").content.decode()
    again = _choose(as_alice, "refill", first, sure="1").content.decode()
    assert "has been requested" in again
    assert (first.refills.count(), second.refills.count(), fresh.refills.count()) == (1, 1, 0)


def test_nothing_chosen_and_nonsense_change_nothing(as_alice: Client, alice: Customer) -> None:
    order = an_order(alice, a_service(cancel=True))
    assert "Choose at least one order" in _choose(as_alice, "cancel").content.decode()
    for fields in ({"do": "fly", "id": order.pk}, {"do": "cancel", "id": ["x", "9" * 40, "-1"], "sure": "1"}, {}):
        assert as_alice.post("/orders/selected/", fields, follow=True).status_code == 200
    assert as_alice.get("/orders/selected/").status_code == 302
    order.refresh_from_db()
    assert order.state == State.WAITING


def test_a_link_is_found_as_the_list_shows_it(as_alice: Client, alice: Customer) -> None:
    mine = an_order(alice, link=LINK, link_key=link_key(LINK))
    assert _ids(as_alice, q=LINK.removeprefix("https://")) == [mine.pk]
    handle = an_order(alice, link="@alice.b", link_key=link_key("@alice.b"))
    assert _ids(as_alice, q="alice.b") == [handle.pk]
