"""The notice that a link has an order under way already: the customer's own, and never a word of anybody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Customer
from catalog.models import Category, SameLink, Service
from orders.models import Order, State
from orders.placing import Line, place_orders
from tests.portal.builders import LINK, a_service

pytestmark = pytest.mark.django_db
NEW, PRICE = "/order/new/", "/order/new/price/"
UNDER_WAY = "for this link is still under way."
MAY_COUNT = "A second one may be counted together with it."
QUIET_WORDS = ("still under way", "counted together", "will start when", "waits", "queue", "another order", "customer")


def ordered(customer: Customer, service: Service, link: str = LINK) -> Order:
    [order] = place_orders(customer=customer, lines=[Line(service_id=service.pk, fields=typed(link))])
    return order


def typed(link: str = LINK) -> dict[str, Any]:
    return {"link": link, "quantity": "100"}


def summary(client: Client, service: Service, link: str = LINK) -> str:
    return client.post(PRICE, {"service": service.pk, **typed(link)}).content.decode()


def words(html: str) -> str:
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", "", html, flags=re.DOTALL)
    return " ".join(bare.split())


def test_a_second_order_for_a_link_is_warned_of_with_the_first_one_named(as_alice: Client, alice: Customer) -> None:
    service = a_service(same_link=SameLink.WARN)
    order = ordered(alice, service)
    page = summary(as_alice, service, "HTTPS://WWW.example.com/alice/?utm_source=x")
    assert f"Order {order.pk} {UNDER_WAY} {MAY_COUNT}" in words(page)
    assert f'<a href="/orders/{order.pk}/">Order {order.pk}</a>' in page
    form = as_alice.get(NEW, {"service": str(service.pk), "link": LINK})
    assert f"Order {order.pk} {UNDER_WAY} {MAY_COUNT}" in words(form.content.decode())
    assert UNDER_WAY not in summary(as_alice, service, f"{LINK}/other")
    assert UNDER_WAY not in summary(as_alice, service, "")
    assert UNDER_WAY not in summary(as_alice, service, "https://example.com/" + "x" * 5000)
    assert ordered(alice, service).state == State.WAITING, "it is a warning"


def test_where_it_will_queue_the_customer_is_told_behind_what(as_alice: Client, alice: Customer) -> None:
    service = a_service(same_link=SameLink.QUEUE)
    order = ordered(alice, service)
    said = f"Order {order.pk} {UNDER_WAY} This one will start when order {order.pk} has ended."
    assert said in words(summary(as_alice, service))
    second = ordered(alice, service)
    assert f"when order {second.pk} has ended" in words(summary(as_alice, service))


def test_a_queued_order_says_which_of_the_customers_own_it_waits_for(as_alice: Client, alice: Customer) -> None:
    service = a_service(same_link=SameLink.QUEUE)
    first, second = ordered(alice, service), ordered(alice, service)
    page = as_alice.get(f"/orders/{second.pk}/").content.decode()
    assert f'<a href="/orders/{first.pk}/">It starts when order {first.pk} has ended.</a>' in page
    seen = re.search(r"seen=(\w+)", page)
    assert seen is not None
    Order.objects.filter(pk=first.pk).update(state=State.ENDED, status="Completed", ended_at=timezone.now())
    live = as_alice.get(f"/orders/{second.pk}/live/", {"seen": seen[1]}).content.decode()
    assert "It starts" not in live
    assert live, "the page follows"


def test_a_queued_order_behind_a_drip_feed_starts_between_its_runs(as_alice: Client, alice: Customer) -> None:
    service = a_service(same_link=SameLink.QUEUE)
    run = ordered(alice, service)
    parent = ordered(alice, a_service(routed=False))
    Order.objects.filter(pk=parent.pk).update(state=State.SERIES, runs=2, runs_left=1)
    Order.objects.filter(pk=run.pk).update(parent=parent, run=1, charge=0)
    waiting = ordered(alice, service)
    page = words(as_alice.get(f"/orders/{waiting.pk}/").content.decode())
    assert f"It starts between two runs of order {parent.pk}." in page


def test_between_the_runs_of_a_drip_feed_it_is_told_so(as_alice: Client, alice: Customer) -> None:
    service = a_service(same_link=SameLink.QUEUE)
    run = ordered(alice, service)
    parent = ordered(alice, a_service(routed=False))
    Order.objects.filter(pk=parent.pk).update(state=State.SERIES)
    Order.objects.filter(pk=run.pk).update(parent=parent, run=1, charge=0)
    page = words(summary(as_alice, service))
    assert f"Order {parent.pk} {UNDER_WAY} This one will start between two runs of it." in page


def test_where_it_is_allowed_nothing_is_said_or_asked(as_alice: Client, alice: Customer) -> None:
    service = a_service()
    ordered(alice, service)
    with CaptureQueriesContext(connection) as queries:
        assert UNDER_WAY not in summary(as_alice, service)
    assert not [query for query in queries if "link_key" in query["sql"]]


@pytest.mark.parametrize("rule", [SameLink.WARN, SameLink.QUEUE])
def test_an_order_of_another_customer_is_never_told_of(
    as_alice: Client, alice: Customer, charlie: Customer, rule: SameLink
) -> None:
    """Every page that Alice sees on her way is, but for numbers, what she sees with nobody else there."""
    service = a_service(same_link=rule)
    alone = pages_of_an_order(as_alice, service, f"{LINK}/alone")
    theirs = ordered(charlie, service)
    beside = pages_of_an_order(as_alice, service, LINK)
    mine = Order.objects.filter(customer=alice).latest("id")
    assert mine.state == (State.QUEUED if rule == SameLink.QUEUE else State.WAITING)
    assert [without_numbers(page, f"{LINK}/alone") for page in alone] == [without_numbers(page) for page in beside]
    for page in beside:
        text = words(page).casefold()
        assert not [said for said in QUIET_WORDS if said in text.replace("new order", "")]
        assert f"order {theirs.pk}" not in text


def pages_of_an_order(client: Client, service: Service, link: str) -> list[str]:
    form = client.get(NEW, {"service": str(service.pk), "link": link}).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(once|service|rate)" value="([^"]*)"', form))
    price = summary(client, service, link)
    placed = client.post(NEW, {**hidden, **typed(link)}, follow=True).content.decode()
    number = Order.objects.latest("id").pk
    listed = re.search(rf'<tr[^>]*id="order-{number}".*?</tr>', client.get("/orders/").content.decode(), re.DOTALL)
    its_page = client.get(f"/orders/{number}/").content.decode()
    cancel = client.get(f"/orders/{number}/cancel/").content.decode()
    assert listed is not None
    return [form, price, placed, listed.group(), its_page, cancel]


def without_numbers(page: str, link: str = LINK) -> str:
    bare = words(page).replace(link.removeprefix("https://"), "LINK")
    return re.sub(r"\d+", "0", bare)


def test_the_form_shows_what_a_link_looks_like_here(as_alice: Client) -> None:
    service = a_service()
    page = as_alice.get(NEW, {"service": service.pk}).content.decode()
    assert 'placeholder="https://"' in page
    Category.objects.update(link_pattern=r"^https://instagram\.com/p/", link_example="https://instagram.com/p/<abc>")
    page = as_alice.get(NEW, {"service": service.pk}).content.decode()
    assert 'placeholder="https://instagram.com/p/&lt;abc&gt;"' in page
    assert "Such as https://instagram.com/p/&lt;abc&gt;" in words(page)
    refused = as_alice.post(NEW, {"service": service.pk, "once": "a", **typed()})
    assert "It should look like https://instagram.com/p/" in words(refused.content.decode())
    assert not Order.objects.exists()
