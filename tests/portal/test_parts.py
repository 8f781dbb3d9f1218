"""Subscriptions and drip-feeds as their customer sees them: what is held, posts and runs made, never an upstream id."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer
from catalog.models import Route, Service
from orders.deciding import settle_by_hand
from orders.models import Order, State, Status, UpstreamPart
from orders.placing import Line, place_orders
from orders.refunding import Refund, refund_all
from records.audit import SYSTEM
from tests.portal.builders import a_service, under_way

pytestmark = pytest.mark.django_db
D = Decimal
ASKED = {"username": "natgeo", "min": "100", "max": "200", "posts": "5", "delay": "10"}


def _service(**fields: Any) -> Service:
    return a_service("Auto likes", **{"type": "subscriptions", "rate": D("0.40"), **fields})


def _placed(alice: Customer, service: Service | None = None, **fields: str) -> Order:
    line = Line(service_id=(service or _service(routed=False)).pk, fields={**ASKED, **fields})
    [order] = place_orders(customer=alice, lines=[line])
    return order


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def _page(client: Client, order: Order) -> str:
    return client.get(f"/orders/{order.pk}/").content.decode()


def _with_parts(alice: Customer, **fields: Any) -> Order:
    """An order with its provider, which made three orders for it."""
    order = under_way(alice, **fields)
    assert order.provider is None
    provider = Route.objects.get(service=order.service).provider_service.provider
    for number, (status, remains) in enumerate([("Completed", 0), ("In progress", 77), ("", None)]):
        UpstreamPart.objects.create(
            order=order, provider=provider, upstream_id=f"99887{number}", status=status, remains=remains,
            start_count=None if remains is None else 1234, charge=D("0.03"),
        )  # fmt: skip
    return order


# ordering


def test_the_form_says_that_the_price_is_held_and_what_is_paid(as_alice: Client) -> None:
    words = _words(as_alice.post("/order/new/price/", {"service": _service().pk, **ASKED}).content.decode())
    assert "At most $0.40" in words
    assert "5 posts × 200: at most 1,000" in words
    assert "You pay for what is delivered; the rest is released at the end." in words
    assert "Hold $0.40 and order" in words
    page = as_alice.get("/order/new/", {"service": _service().pk}).content.decode()
    words = _words(page.partition("<main")[2].partition("</main>")[0])
    assert "Min – max of a post 50 – 10,000" in words
    assert "Refill" not in words


def test_posts_are_asked_for_unless_the_operator_set_how_many(as_alice: Client) -> None:
    def label_of_posts(service: Service) -> str:
        page = as_alice.get("/order/new/", {"service": service.pk}).content.decode()
        return _words(page[page.index('for="field-posts"') - 10 :])

    assert "New posts How many posts from now on." in label_of_posts(_service())
    left_open = label_of_posts(_service(open_posts=7))
    assert "New posts (optional) How many posts from now on. Empty: 7 at most." in left_open


def test_another_services_price_is_charged(as_alice: Client) -> None:
    words = _words(as_alice.post("/order/new/price/", {"service": a_service().pk, "quantity": "1000"}).content.decode())
    assert "Price $0.90" in words
    assert "Hold" not in words


def test_what_was_placed_is_said_to_be_held(as_alice: Client, alice: Customer) -> None:
    service = _service(routed=False)
    page = as_alice.get("/order/new/", {"service": service.pk}).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(once|service|rate)" value="([^"]*)"', page))
    answer = as_alice.post("/order/new/", {**hidden, **ASKED}, follow=True)
    assert "$0.40 is held; you pay for what is delivered." in _words(answer.content.decode())
    assert Order.objects.get().charge == D("0.40")


def test_the_form_says_how_a_date_is_written_what_old_posts_are_and_that_no_delay_is_one(as_alice: Client) -> None:
    page = as_alice.get("/order/new/", {"service": _service().pk}).content.decode()
    assert re.search(r'name="expiry"[^>]* placeholder="31/12/2030"', page)
    assert '<option value="0">At once</option>' in page
    assert "How many posts that exist already get theirs too. No more is held for them." in _words(page)


# its page


def test_the_page_says_what_was_asked_for_and_what_is_held(as_alice: Client, alice: Customer) -> None:
    words = _words(_page(as_alice, _placed(alice, old_posts="2", expiry="31/12/2099")))
    for said in (
        "5 posts", "Held $0.40", "Each post gets 100 – 200", "Delay 10 minutes", "Old posts 2", "Expires 31/12/2099",
        "Placed. $0.40 is held until the end; you pay for what is delivered.", "A subscription has no refill.",
    ):  # fmt: skip
        assert said in words
    assert "Delay At once" in _words(_page(as_alice, _placed(alice, delay="0")))
    assert "Charged" not in words
    assert "Taken for" not in words


def test_after_the_end_it_says_what_was_taken_released_and_refunded(as_alice: Client, alice: Customer) -> None:
    order = _placed(alice)
    settle_by_hand(order=order, status=Status.EXPIRED, delivered=250, actor=SYSTEM, reason="")
    words = _words(_page(as_alice, order))
    for said in (
        "Expired", "Held $0.40", "Released $0.30", "Taken for what was delivered $0.10",
        "$0.10 was taken for what was delivered.", "$0.30 was not needed and is released to your balance.",
    ):  # fmt: skip
        assert said in words
    assert "Refunded" not in words
    refund_all([Refund(order=order, amount=D("0.04"), why="goodwill")])
    words = _words(_page(as_alice, order))
    assert "Refunded $0.04 Cost in the end $0.06" in words


def test_its_posts_are_listed_by_number_and_never_by_their_ids(as_alice: Client, alice: Customer) -> None:
    order = _with_parts(
        alice, service=_service(), quantity=1000, details={**ASKED}, parts_done=3, status=Status.ACTIVE
    )
    page = _page(as_alice, order)
    words = _words(page)
    assert "3 of 5 posts" in words
    assert "Number Status Count at the start Remains 3 Pending — — 2 In progress 1,234 77 1 Completed 1,234 0" in words
    assert "99887" not in page
    assert "0.03" not in words


def test_a_drip_feed_shows_its_runs(as_alice: Client, alice: Customer) -> None:
    order = _with_parts(alice, quantity=3000, runs=3, interval=60, parts_done=2)
    page = _page(as_alice, order)
    words = _words(page)
    assert "2 of 3 runs" in words
    assert "Runs 3 Between two runs 60 minutes" in words
    assert 'max="1000" value="666"' in page
    assert "99887" not in page


def test_the_page_follows_a_part_that_changes(as_alice: Client, alice: Customer) -> None:
    order = _with_parts(alice, quantity=3000, runs=3, interval=60, parts_done=2)
    match = re.search(r"seen=(\w+)", _page(as_alice, order))
    assert match is not None
    address = f"/orders/{order.pk}/live/?seen={match[1]}"
    assert as_alice.get(address).status_code == 204
    UpstreamPart.objects.filter(status="In progress").update(status="Completed")
    assert as_alice.get(address).status_code == 200


# the list and the statement


def test_the_list_counts_posts_and_names_what_is_held(as_alice: Client, alice: Customer) -> None:
    order = _placed(alice)
    words = _words(as_alice.get("/orders/").content.decode())
    assert "5 posts" in words
    assert "0.40 held" in words
    settle_by_hand(order=order, status=Status.COMPLETED, delivered=250, actor=SYSTEM, reason="")
    assert "0.10 0.30 released" in _words(as_alice.get("/orders/").content.decode())


def test_the_statement_names_holds_and_releases(as_alice: Client, alice: Customer) -> None:
    order = _placed(alice)
    settle_by_hand(order=order, status=Status.COMPLETED, delivered=250, actor=SYSTEM, reason="")
    words = _words(as_alice.get("/funds/").content.decode())
    assert f"Released · order {order.pk}" in words
    assert f"Held · order {order.pk}" in words


def test_a_completed_one_does_not_claim_to_have_delivered_its_most(as_alice: Client, alice: Customer) -> None:
    order = _placed(alice)
    settle_by_hand(order=order, status=Status.COMPLETED, delivered=250, actor=SYSTEM, reason="")
    Order.objects.filter(pk=order.pk).update(parts_done=3)
    words = _words(_page(as_alice, order))
    assert "3 of 5 posts" in words
    assert "1,000 of 1,000" not in words


def test_canceling_says_what_happens_to_the_hold(as_alice: Client, alice: Customer) -> None:
    order = _with_parts(
        alice, service=_service(), quantity=1000, details={**ASKED}, status=Status.ACTIVE, cancel=True
    )
    assert order.state == State.ACCEPTED
    words = _words(as_alice.get(f"/orders/{order.pk}/cancel/").content.decode())
    assert "You pay for what was delivered by then and the rest of what is held is released" in words
