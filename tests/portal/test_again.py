"""One more order like this one: the form begins with everything that was asked for, whatever the type."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Customer
from catalog.models import Service
from orders.models import Order
from orders.placing import Line, place_orders
from portal.again import again_of
from portal.new_order import _is_of
from portal.order_form import typed_fields
from tests.portal.builders import LINK, a_service, an_order

pytestmark = pytest.mark.django_db


def again(client: Client, order: Order, page: str) -> str:
    """Where "Order again" leads from this page."""
    html = client.get(page).content.decode()
    found = re.search(rf'href="(/order/new/\?service={order.service_id}&amp;[^"]*)"', html)
    assert found is not None
    return unescape(found[1])


def fields_of(service: Service, html: str) -> dict[str, str]:
    """What the form holds, by name."""
    typed = dict(re.findall(r'<input class="[^"]*" id="field-\w+" name="(\w+)" value="([^"]*)"', html))
    typed |= dict(re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>\n([^<]*)</textarea>', html))
    for name, choices in re.findall(r'<select [^>]*name="(\w+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        typed[name] = "".join(re.findall(r'<option value="([^"]*)" selected', choices))
    return {name: unescape(value) for name, value in typed.items()}


@pytest.mark.parametrize(
    ("type", "asked"),
    [
        ("default", {"link": LINK, "quantity": "100"}),
        ("default", {"link": LINK, "quantity": "100", "runs": "5", "interval": "60"}),
        ("custom_comments", {"link": LINK, "comments": "Nice & true\nМолодец\n1 + 1"}),
        ("subscriptions", {
            "username": "carol", "min": "60", "max": "70", "posts": "4", "old_posts": "1", "delay": "10",
            "expiry": "31/12/2099",
        }),
        ("web_traffic", {
            "link": LINK, "quantity": "100", "country": "US", "device": "5", "type_of_traffic": "1",
            "google_keyword": "a b&c",
        }),
    ],
)  # fmt: skip
def test_order_again_begins_with_all_that_was_asked_for(
    as_alice: Client, alice: Customer, type: str, asked: dict[str, str]
) -> None:
    service = a_service(type=type, dripfeed=type == "default", min=1, rate=Decimal(1), routed=False)
    [order] = place_orders(customer=alice, lines=[Line(service_id=service.pk, fields=asked)])
    for page in (f"/orders/{order.pk}/", "/orders/"):
        form = as_alice.get(again(as_alice, order, page)).content.decode()
        typed = fields_of(service, form)
        assert {name: value for name, value in typed.items() if value} == asked
        assert _is_of(order, service, typed_fields(service, typed))


def test_what_has_no_room_in_an_address_is_typed_again(alice: Customer) -> None:
    service = a_service(type="custom_comments")
    order = an_order(alice, service, details={"comments": "x" * settings.PORTAL_ADDRESS_LENGTH})
    assert again_of(order) == f"service={service.pk}&link=https%3A%2F%2Fexample.com%2Falice"


def test_an_order_of_a_type_that_is_not_known_any_more_has_its_link(alice: Customer) -> None:
    service = a_service()
    order = an_order(alice, service, service_type="of_old")
    assert again_of(order).startswith(f"service={service.pk}&link=")
