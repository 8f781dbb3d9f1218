"""Ordering: the price that follows, what is refused and how, and that one form makes one order."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer
from catalog.models import Service
from catalog.service_types import SERVICE_TYPES
from orders.models import Order
from tests.portal.builders import LINK, a_customer, a_service

pytestmark = pytest.mark.django_db

NEW = "/order/new/"
REFUSED = 422


def _form(client: Client, service: Service, **typed: str) -> dict[str, str]:
    """The hidden fields of the form as the page gives them, with what the customer types."""
    page = client.get(NEW, {"service": service.pk}).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(once|service|rate)" value="([^"]*)"', page))
    return {**hidden, "link": LINK, "quantity": "1000", **typed}


def _balance(customer: Customer) -> Decimal:
    customer.wallet.refresh_from_db()
    assert customer.wallet.balance is not None
    return customer.wallet.balance


def _price(client: Client, service: Service, **typed: str) -> str:
    return client.post("/order/new/price/", {"service": service.pk, **typed}).content.decode()


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


# the choice


def test_the_choice_shows_what_is_on_sale_and_keeps_the_link(as_alice: Client) -> None:
    a_service("Followers")
    a_service("Hidden", visible=False)
    page = as_alice.get(NEW, {"link": "https://example.com/?a=1&b=2"}).content.decode()
    assert "Followers" in page
    assert "Hidden" not in page
    assert "link=https%3A%2F%2Fexample.com%2F%3Fa%3D1%26b%3D2" in page


def test_searching_needs_no_script(as_alice: Client) -> None:
    a_service("Followers")
    a_service("Views", category="TikTok")
    page = as_alice.get(NEW, {"q": "tiktok"}).content.decode()
    assert "Views" in page
    assert "Followers" not in page


def test_a_service_that_is_gone_leads_back_to_the_choice(as_alice: Client) -> None:
    gone = a_service("Gone", off_sale_reason="vanished upstream")
    page = as_alice.get(NEW, {"service": gone.pk}).content.decode()
    assert "not on sale any more" in page
    assert "vanished upstream" not in page


def test_a_service_that_goes_while_one_types_is_said_in_the_summary(as_alice: Client) -> None:
    gone = a_service("Gone", visible=False)
    summary = as_alice.post("/order/new/price/", {"service": gone.pk, "link": "https://example.com/a"})
    assert summary.status_code == 200
    page = summary.content.decode()
    assert "This service is not on sale any more. Nothing was charged." in page
    assert "/order/new/?link=https%3A%2F%2Fexample.com%2Fa" in page
    assert "Gone" not in page
    assert "Order for" not in page


def test_the_next_field_to_type_in_has_the_focus(as_alice: Client) -> None:
    service = a_service()
    for link, name in (("", "link"), ("https://example.com/a", "quantity")):
        page = as_alice.get(NEW, {"service": str(service.pk), "link": link}).content.decode()
        assert re.findall(r'id="field-(\w+)"[^>]* autofocus', page) == [name]


@pytest.mark.parametrize("number", ["x", "", "-1", "²", "9" * 30])
def test_a_senseless_service_is_no_error(as_alice: Client, number: str) -> None:
    assert as_alice.get(NEW, {"service": number}).status_code == 200
    assert as_alice.post(NEW, {"service": number}).status_code == 302
    assert as_alice.post("/order/new/price/", {"service": number}).status_code == 400


# the form


@pytest.mark.parametrize("key", list(SERVICE_TYPES))
def test_the_form_asks_what_the_type_declares(as_alice: Client, key: str) -> None:
    page = as_alice.get(NEW, {"service": a_service(type=key).pk}).content.decode()
    asked = set(re.findall(r'id="field-(\w+)"', page))
    assert asked == {field.name for field in SERVICE_TYPES[key].fields if not field.drip_feed}


def test_a_field_that_another_ones_choice_asks_for_says_when_it_is_needed(as_alice: Client) -> None:
    words = _words(as_alice.get(NEW, {"service": a_service(type="web_traffic").pk}).content.decode())
    assert "Google keyword (needed with “Google keyword” only)" in words
    assert "Referring link (needed with “Custom referrer” only)" in words
    assert "(optional)" not in words


def test_runs_are_named_where_they_are_typed(as_alice: Client) -> None:
    words = _words(as_alice.get(NEW, {"service": a_service(dripfeed=True).pk}).content.decode())
    assert "Minutes between runs (optional) Minutes between the beginnings of two runs. Goes with runs." in words


def test_names_and_descriptions_are_text_and_never_markup(as_alice: Client) -> None:
    service = a_service("<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")
    page = as_alice.get(NEW, {"service": service.pk}).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# the price while typing


def test_the_price_and_the_balance_after_follow_the_quantity(as_alice: Client) -> None:
    words = _words(_price(as_alice, a_service(rate=Decimal("0.90")), quantity="2500"))
    assert "Price $2.25" in words
    assert "Balance after $97.75" in words
    assert "Order for $2.25" in words


def test_the_price_does_not_wait_for_the_link(as_alice: Client) -> None:
    assert "$2.25" in _price(as_alice, a_service(), quantity="2500", link="")


def test_a_price_is_rounded_up_at_the_last_digit(as_alice: Client) -> None:
    assert "$0.000001" in _price(as_alice, a_service(rate=Decimal("0.000001"), min=1), quantity="1")


def test_counted_lines_make_the_price(as_alice: Client) -> None:
    comments = a_service(type="custom_comments", rate=Decimal(8), min=2, max=100)
    assert "$0.024" in _price(as_alice, comments, comments="Nice, really\r\n\r\n Great \r\nWow")


def test_a_package_has_its_price_at_once(as_alice: Client) -> None:
    assert "Order for $49.99" in _words(_price(as_alice, a_service(type="package", rate=Decimal("49.99"))))


@pytest.mark.parametrize("quantity", ["", "  "])
def test_nothing_typed_yet_is_no_mistake(as_alice: Client, quantity: str) -> None:
    assert "must be" not in _price(as_alice, a_service(), quantity=quantity)


@pytest.mark.parametrize("quantity", ["49", "10001", "ten", "1e3", "²", "9" * 25])
def test_a_wrong_quantity_has_a_sentence_instead_of_a_price(as_alice: Client, quantity: str) -> None:
    page = _words(_price(as_alice, a_service(), quantity=quantity))
    assert "Quantity " in page
    assert "Price —" in page


def test_too_little_money_says_by_how_much_and_leads_to_funds(client: Client) -> None:
    poor = a_customer("poor@example.com", balance="1.80")
    client.force_login(poor.user, backend="django.contrib.auth.backends.ModelBackend")
    page = _price(client, a_service(rate=Decimal(1), max=100_000), quantity="5000")
    assert "$3.20 short: add funds" in page
    assert 'href="/funds/"' in page
    assert "<button" not in page


# ordering


def test_an_order_is_placed_charged_and_shown(as_alice: Client, alice: Customer) -> None:
    answer = as_alice.post(NEW, _form(as_alice, a_service()), follow=True)
    order = Order.objects.get()
    assert answer.redirect_chain == [(f"/orders/{order.pk}/", 302)]
    assert f"Order {order.pk} is placed. $0.90 was charged." in answer.content.decode()
    assert (order.link, order.quantity, order.charge) == (LINK, 1000, Decimal("0.90"))
    assert _balance(alice) == Decimal("99.10")


def test_a_form_that_is_sent_twice_makes_one_order(as_alice: Client, alice: Customer) -> None:
    form = _form(as_alice, a_service())
    first, again = as_alice.post(NEW, form), as_alice.post(NEW, form)
    assert first.headers["Location"] == again.headers["Location"]
    assert Order.objects.count() == 1
    assert _balance(alice) == Decimal("99.10")


def test_a_form_that_is_sent_again_after_the_sale_ended_still_finds_its_order(as_alice: Client) -> None:
    service = a_service()
    form = _form(as_alice, service)
    first = as_alice.post(NEW, form)
    service.off_sale_reason = "vanished upstream"
    service.save()
    assert as_alice.post(NEW, form).headers["Location"] == first.headers["Location"]


def test_going_back_and_changing_the_form_orders_nothing_until_it_is_confirmed(
    as_alice: Client, alice: Customer
) -> None:
    form = _form(as_alice, a_service())
    as_alice.post(NEW, form)
    changed = as_alice.post(NEW, {**form, "quantity": "2000"})
    page = changed.content.decode()
    assert changed.status_code == REFUSED
    assert "This form already made order" in page
    assert 'value="2000"' in page
    assert Order.objects.count() == 1
    fresh = re.search(r'name="once" value="([^"]*)"', page)
    assert fresh is not None
    as_alice.post(NEW, {**form, "quantity": "2000", "once": fresh[1]})
    assert list(Order.objects.order_by("pk").values_list("quantity", flat=True)) == [1000, 2000]


def test_the_token_of_another_customer_is_worth_nothing(as_alice: Client, alice: Customer, charlie: Customer) -> None:
    form = _form(as_alice, a_service())
    as_alice.post(NEW, form)
    other = Client()
    other.force_login(charlie.user, backend="django.contrib.auth.backends.ModelBackend")
    other.post(NEW, form)
    assert [order.customer for order in Order.objects.order_by("pk")] == [alice, charlie]


@pytest.mark.parametrize("token", ["", "x" * 81])
def test_a_form_without_its_token_is_not_taken(as_alice: Client, token: str) -> None:
    assert as_alice.post(NEW, {**_form(as_alice, a_service()), "once": token}).status_code == 400
    assert not Order.objects.exists()


# refusals: a sentence at the field, what was typed kept, nothing charged


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"quantity": "7"}, "Quantity must be between 50 and 10,000."),
        ({"quantity": ""}, "Quantity is required."),
        ({"quantity": "many"}, "Quantity must be a whole number"),
        ({"link": "not a link"}, "Enter a full link that starts with https://"),
        ({"link": "javascript:alert(1)"}, "Enter a full link that starts with https://"),
        ({"link": ""}, "Link is required."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    as_alice: Client, alice: Customer, typed: dict[str, str], sentence: str
) -> None:
    answer = as_alice.post(NEW, _form(as_alice, a_service(), **typed))
    page = answer.content.decode()
    assert answer.status_code == REFUSED
    ((name, value),) = typed.items()
    at_field = page.partition(f'id="about-{name}"')[2].partition("</div>")[0]
    assert sentence in at_field
    assert f'name="{name}" value="{value}"' in page
    assert "nothing was charged" in page
    assert not Order.objects.exists()
    assert _balance(alice) == 100


def test_everything_that_is_wrong_is_said_at_once(as_alice: Client) -> None:
    page = as_alice.post(NEW, _form(as_alice, a_service(), quantity="7", link="x y")).content.decode()
    assert page.count('aria-invalid="true"') == 2


def test_no_funds(client: Client) -> None:
    poor = a_customer("poor@example.com", balance="0.50")
    client.force_login(poor.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(NEW, _form(client, a_service()))
    page = answer.content.decode()
    assert answer.status_code == REFUSED
    assert "Nothing was charged." in page
    assert f'value="{LINK}"' in page
    assert "$0.40 short: add funds" in page
    assert not Order.objects.exists()
    assert _balance(poor) == Decimal("0.50")


def test_a_service_that_went_off_sale_meanwhile(as_alice: Client, alice: Customer) -> None:
    service = a_service()
    form = _form(as_alice, service)
    service.off_sale_reason = "vanished upstream"
    service.save()
    page = as_alice.post(NEW, form).content.decode()
    assert "This service is not on sale at the moment." in page
    assert "vanished upstream" not in page
    assert f'value="{LINK}"' in page
    assert _balance(alice) == 100


def test_a_service_that_was_hidden_meanwhile_is_not_shown_again(as_alice: Client) -> None:
    service = a_service("Secret")
    form = _form(as_alice, service)
    service.visible = False
    service.save()
    answer = as_alice.post(NEW, form, follow=True)
    assert "Nothing was charged" in answer.content.decode()
    assert "Secret" not in answer.content.decode()
    assert answer.redirect_chain[0][0].startswith("/order/new/?link=https")


def test_a_price_that_rose_meanwhile_is_shown_before_it_is_taken(as_alice: Client, alice: Customer) -> None:
    service = a_service(rate=Decimal("0.90"))
    form = _form(as_alice, service)
    service.rate = Decimal("1.20")
    service.save()
    page = as_alice.post(NEW, form).content.decode()
    assert "Nothing was charged" in page
    assert "Order for $1.20" in page
    assert not Order.objects.exists()
    again = re.search(r'name="rate" value="([^"]*)"', page)
    assert again is not None
    as_alice.post(NEW, {**form, "rate": again[1]})
    assert _balance(alice) == Decimal("98.80")


def test_a_price_that_fell_is_simply_the_lower_one(as_alice: Client, alice: Customer) -> None:
    service = a_service(rate=Decimal("0.90"))
    form = _form(as_alice, service)
    service.rate = Decimal("0.50")
    service.save()
    as_alice.post(NEW, form)
    assert _balance(alice) == Decimal("99.50")


def test_change_leads_to_the_choice_with_what_was_typed_and_back(as_alice: Client) -> None:
    service = a_service(dripfeed=True)
    typed = {**_form(as_alice, service, runs="5", interval="60"), "change": "1"}
    answer = as_alice.post(NEW, typed)
    kept = "link=https%3A%2F%2Fexample.com%2Falice&quantity=1000&runs=5&interval=60"
    assert answer.headers["Location"] == f"/order/new/?{kept}"
    assert not Order.objects.exists()
    choice = as_alice.get(answer.headers["Location"]).content.decode()
    assert '<input type="hidden" name="interval" value="60">' in choice, "searching keeps it too"
    link = f"/order/new/?service={service.pk}&amp;{kept.replace('&', '&amp;')}"
    assert f'href="{link}"' in choice
    back = as_alice.get(link.replace("&amp;", "&")).content.decode()
    for name, value in (("link", LINK), ("quantity", "1000"), ("runs", "5"), ("interval", "60")):
        assert f'name="{name}" value="{value}"' in back


def test_what_an_address_has_no_room_for_is_left_out(as_alice: Client) -> None:
    service = a_service(type="custom_comments")
    typed = {**_form(as_alice, service), "comments": "Nice!\n" * 500, "change": "1"}
    assert as_alice.post(NEW, typed).headers["Location"] == (
        "/order/new/?link=https%3A%2F%2Fexample.com%2Falice&quantity=1000"
    )


def test_a_form_from_elsewhere_is_refused_in_the_panels_look(alice: Customer) -> None:
    strict: Any = Client(enforce_csrf_checks=True)
    strict.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = strict.post(NEW, {"service": a_service().pk})
    assert answer.status_code == 403
    assert "Nothing was done and nothing was charged." in answer.content.decode()


@pytest.mark.parametrize("rate", ["0.0000001", "1e-9", "NaN", "-1", "1e999999", ""])
def test_a_rate_that_no_page_showed_breaks_nothing(as_alice: Client, alice: Customer, rate: str) -> None:
    service = a_service("Followers")
    assert as_alice.post(NEW, _form(as_alice, service, rate=rate)).status_code in (302, REFUSED)
    assert 0 <= _balance(alice) <= 100


@pytest.mark.parametrize("once", ["a\0b", "a\nb", "x" * 81, ""])
def test_a_token_that_no_form_gave_is_a_bad_request(as_alice: Client, once: str) -> None:
    service = a_service("Followers")
    assert as_alice.post(NEW, _form(as_alice, service, once=once)).status_code == 400
    assert not Order.objects.exists()


@pytest.mark.parametrize("kind", ["charset=utf-7", "charset=nonsense", "charset=utf-16"])
def test_a_form_in_a_strange_encoding_is_no_error_of_ours(as_alice: Client, kind: str) -> None:
    sent = as_alice.generic(
        "POST", NEW, b"\xff\xfe%00=%ff&a=%zz", content_type=f"application/x-www-form-urlencoded; {kind}"
    )
    assert sent.status_code < 500


def test_both_bounds_of_a_subscription_say_the_services_limits(as_alice: Client) -> None:
    service = a_service("Auto likes", type="subscriptions", min=20, max=5000)
    page = as_alice.get(f"/order/new/?service={service.pk}").content.decode()
    assert page.count("Between 20 and 5,000.") == 2
