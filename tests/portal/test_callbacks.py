"""The page of callbacks: addresses, their secrets, what was sent, and that nobody sees another customer's."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer
from callbacks.models import CallbackAddress, CallbackMessage
from tests.callbacks.builders import an_address, news

pytestmark = pytest.mark.django_db
PAGE = "/account/callbacks/"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture(autouse=True)
def _loopback_may_be_told(settings: Settings) -> None:
    settings.CALLBACK_PRIVATE_HOSTS = ["127.0.0.1"]


def words(client: Client, address: str = PAGE) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", client.get(address).content.decode()).split())


def do(client: Client, address: CallbackAddress, what: str) -> str:
    page = client.post(f"{PAGE}{address.pk}/", {"do": what}, follow=True)
    assert page.status_code == 200
    return page.content.decode()


def test_an_address_is_added_and_its_secret_is_shown_this_once(as_alice: Client, alice: Customer) -> None:
    assert "No messages yet" in words(as_alice)
    page = as_alice.post(PAGE, {"url": URL}).content.decode()
    address = CallbackAddress.objects.get(customer=alice)
    assert address.secret in page
    assert address.secret not in as_alice.get(PAGE).content.decode()
    assert URL in words(as_alice)


def test_what_is_refused_stays_typed_with_its_reason(as_alice: Client) -> None:
    page = as_alice.post(PAGE, {"url": "http://10.0.0.1/<b>"}).content.decode()
    assert "http://10.0.0.1/&lt;b&gt;" in page
    assert "must begin with https" in page
    assert not CallbackAddress.objects.exists()


def test_a_new_secret_is_shown_this_once(as_alice: Client, alice: Customer) -> None:
    address, old = an_address(alice, URL)
    page = do(as_alice, address, "rotate")
    address.refresh_from_db()
    assert address.secret != old
    assert address.secret in page
    assert old not in page


def test_a_test_is_sent_and_shows_among_the_messages(as_alice: Client, alice: Customer) -> None:
    address, _ = an_address(alice, URL)
    assert "A test is on its way" in do(as_alice, address, "test")
    assert CallbackMessage.objects.get().event == "ping"
    assert "ping" in words(as_alice)
    assert "on its way to this address already" in do(as_alice, address, "test")


def test_what_was_switched_off_says_why_and_is_switched_on(as_alice: Client, alice: Customer) -> None:
    address, _ = an_address(alice, URL)
    CallbackAddress.objects.update(active=False, off_reason="It answered 410 Gone.")
    assert "Switched off. It answered 410 Gone." in words(as_alice)
    assert "switched on again" in do(as_alice, address, "on")
    assert CallbackAddress.objects.get().active


def test_an_address_is_removed(as_alice: Client, alice: Customer) -> None:
    address, _ = an_address(alice, URL)
    assert "is removed" in do(as_alice, address, "remove")
    assert URL not in words(as_alice)
    assert as_alice.post(f"{PAGE}{address.pk}/", {"do": "remove"}).status_code == 404


def test_a_message_that_was_given_up_says_why_and_is_sent_again(as_alice: Client, alice: Customer) -> None:
    an_address(alice, URL)
    [message] = news(alice, 1)
    CallbackMessage.objects.update(parked_at=timezone.now(), tries=9, last_error="it answered 500")
    assert "order.status · order:1" in words(as_alice)
    assert "Given up it answered 500" in words(as_alice)
    again = f"{PAGE}messages/{message.pk}/again/"
    assert as_alice.get(again).status_code == 302
    assert CallbackMessage.objects.get().parked_at is not None
    assert "is sent again" in as_alice.post(again, follow=True).content.decode()
    assert CallbackMessage.objects.get().parked_at is None
    CallbackAddress.objects.update(active=False)
    assert "switched off or removed" in as_alice.post(again, follow=True).content.decode()


def test_a_customer_with_all_his_addresses_is_offered_no_more(
    as_alice: Client, alice: Customer, settings: Settings
) -> None:
    settings.CALLBACK_ADDRESSES_PER_CUSTOMER = 1
    assert "Add an address" in words(as_alice)
    an_address(alice, URL)
    assert "Add an address" not in words(as_alice)


def test_older_messages_follow(as_alice: Client, alice: Customer, settings: Settings) -> None:
    settings.PORTAL_CALLBACKS_PAGE = 2
    an_address(alice, URL)
    first, *_ = news(alice, 1, 2, 3)
    page = as_alice.get(PAGE).content.decode()
    assert first.message_id not in page
    older = re.search(r'href="(\?before=\d+)"', page)
    assert older is not None
    assert first.message_id in as_alice.get(PAGE + older[1]).content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_customers_address_and_message_do_not_exist(
    as_alice: Client, charlie: Customer, method: str
) -> None:
    address, secret = an_address(charlie, URL)
    [message] = news(charlie, 1)
    CallbackMessage.objects.update(parked_at=timezone.now())
    for what in ("test", "rotate", "remove", "on"):
        answer = getattr(as_alice, method)(reverse("portal:callback", args=[address.pk]), {"do": what})
        assert answer.status_code == 404
    assert getattr(as_alice, method)(reverse("portal:callback_again", args=[message.pk])).status_code == 404
    address.refresh_from_db()
    message.refresh_from_db()
    assert (address.secret, address.removed_at, CallbackMessage.objects.count()) == (secret, None, 1)
    assert message.parked_at is not None
    assert "127.0.0.1" not in words(as_alice)


@pytest.mark.parametrize("number", [0, 999, 2**63, 10**30])
def test_what_does_not_exist(as_alice: Client, number: int) -> None:
    for name in ("callback", "callback_again"):
        assert as_alice.post(reverse(f"portal:{name}", args=[number])).status_code == 404
