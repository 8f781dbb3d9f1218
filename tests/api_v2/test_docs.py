"""The documentation's pages: open to everybody, in the panel's look, and with a form that really calls."""

from __future__ import annotations

import html
import json
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.calls import last_calls
from accounts.people import create_operator
from api import counting
from api.actions import ACTIONS
from api.errors import TABLE
from catalog.service_types import SERVICE_TYPES
from orders.models import Order
from tests.api_v2.builders import Reseller, a_reseller
from tests.orders.builders import LINK, a_service, an_order, balance, books_are_right

pytestmark = pytest.mark.django_db
PAGE, TRY = "/docs/api/", "/docs/api/try/"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def signed_in(rita: Reseller) -> Client:
    client = Client()
    client.force_login(rita.customer.user, backend=BACKEND)
    return client


def _answer(page: str) -> object:
    _, _, rest = page.partition('id="tried-answer"')
    return json.loads(html.unescape(rest.partition("<code>")[2].partition("</code>")[0]))


def test_everybody_may_read_it(client: Client) -> None:
    page = html.unescape(client.get(PAGE).content.decode())
    for name in ("services", *ACTIONS):
        assert f'id="{name}"' in page
    for line in TABLE:
        assert line.text in page
    for kind in SERVICE_TYPES.values():
        assert kind.label in page
    assert "/api/v2" in page
    assert "72 hours" in page
    assert "Sign in" in page


def test_limits_are_this_panels(client: Client, settings: Settings) -> None:
    settings.API_RATE_LIMIT, settings.API_ORDER_LIMIT = 0, 4321
    page = client.get(PAGE).content.decode()
    assert "4,321" in page
    assert "no limit" in page


def test_a_customer_reads_it_in_his_own_frame(signed_in: Client) -> None:
    page = signed_in.get(PAGE).content.decode()
    assert "rita@example.com" in page
    assert "$100.00" in page


def test_staff_read_it_as_everybody(client: Client) -> None:
    client.force_login(create_operator(email="bob@example.com", password="correct horse battery"), backend=BACKEND)
    assert client.get(PAGE).status_code == 200
    assert client.get(TRY).headers["Location"] == "/admin/"


def test_the_openapi_document_is_served(client: Client) -> None:
    answer = client.get("/docs/api/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content)["openapi"] == "3.1.0"


def test_a_visitor_is_asked_to_sign_in_before_he_calls(client: Client) -> None:
    for answer in (client.get(f"{TRY}?action=add"), client.post(TRY, {"action": "balance"})):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/?next=")


def test_the_form_calls_and_shows_what_was_sent_and_answered(signed_in: Client, rita: Reseller) -> None:
    page = signed_in.post(TRY, {"action": "balance"}).content.decode()
    assert _answer(page) == {"balance": "100.00", "currency": "USD"}
    assert "key=YOUR_KEY&amp;action=balance" in page
    [call] = last_calls(rita.customer)
    assert (call.key, call.action, call.answer) == ("by hand", "balance", '{"balance": "100.00", "currency": "USD"}')


def test_the_form_really_orders_and_twice_the_same_is_one_order(signed_in: Client, rita: Reseller) -> None:
    service = a_service(None)
    page = signed_in.get(f"{TRY}?action=add&service={service.pk}").content.decode()
    assert "This really orders" in page
    sent = {"action": "add", "service": service.pk, "link": LINK, "quantity": "1000", "request_id": "once"}
    first, again = (_answer(signed_in.post(TRY, sent).content.decode()) for _ in range(2))
    assert first == again == {"order": Order.objects.get().pk}
    assert balance(rita.customer) == Decimal("98.875")
    books_are_right()


def test_the_form_of_an_order_asks_for_its_types_fields(signed_in: Client) -> None:
    service = a_service(None, type="custom_comments", min=1)
    page = signed_in.get(f"{TRY}?action=add&service={service.pk}").content.decode()
    assert 'name="comments"' in page
    assert 'name="quantity"' not in page
    for other in ("", "999999", "x" * 50, "9" * 50):
        assert 'name="quantity"' in signed_in.get(f"{TRY}?action=add&service={other}").content.decode()


def test_showing_a_services_fields_calls_nothing(signed_in: Client, rita: Reseller) -> None:
    sent = {"action": "add", "service": a_service(None).pk, "link": LINK, "quantity": "1000", "show": "1"}
    answer = signed_in.post(TRY, sent)
    assert answer.status_code == 302
    assert "csrf" not in answer.headers["Location"]
    assert f'value="{LINK}"' in signed_in.get(answer.headers["Location"]).content.decode()
    assert not Order.objects.exists()
    assert last_calls(rita.customer) == []


def test_another_customers_order_is_no_ones_by_hand_either(signed_in: Client) -> None:
    order = an_order(a_reseller(email="otto@example.com").customer, a_service(None))
    for action in ("status", "cancel", "refill"):
        page = signed_in.post(TRY, {"action": action, "order": order.pk}).content.decode()
        assert _answer(page) == {"error": "Incorrect order ID"}
    assert order.cancels.count() == 0


def test_what_is_typed_can_be_anything(signed_in: Client) -> None:
    page = signed_in.post(TRY, {"action": "status", "order": "\x00<script>"}).content.decode()
    assert "Incorrect request" in str(_answer(page))
    assert "<script>" not in page.partition("<body")[2]
    assert signed_in.post(TRY, {"action": "nonsense"}).status_code == 404


def test_calls_by_hand_are_counted(signed_in: Client, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 2
    counting.start_anew()
    answers = [_answer(signed_in.post(TRY, {"action": "services"}).content.decode()) for _ in range(3)]
    assert answers == [[], [], {"error": "Too many requests"}]


def test_a_call_by_hand_needs_the_forms_token(rita: Reseller) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(rita.customer.user, backend=BACKEND)
    assert strict.post(TRY, {"action": "balance"}).status_code == 403


def test_a_long_answer_is_cut_on_the_page(signed_in: Client) -> None:
    a_service(None, description="x" * 30_000)
    page = signed_in.post(TRY, {"action": "services"}).content.decode()
    assert "cut here" in page
    assert len(page) < 60_000
