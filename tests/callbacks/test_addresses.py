"""Addresses: which are taken, what is kept of their secrets, and what is written down about it."""

from __future__ import annotations

import base64
import socket
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Customer
from callbacks.addresses import add_address, addresses_of, remove_address, rotate_secret, switch_off, switch_on
from callbacks.checking import AddressNotTaken
from callbacks.models import CallbackAddress
from records.audit import SYSTEM
from records.models import AuditEntry
from tests.callbacks.builders import Receiver, an_address, delivered, news
from tests.orders.builders import a_customer

pytestmark = pytest.mark.django_db(transaction=True)


def leading_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name has these addresses from now on; what is an address already, the broker's say, stays one."""
    really = socket.getaddrinfo
    found: list[Any] = [
        (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443))
        for each in addresses
    ]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: really(host, *rest, **more) if host == "127.0.0.1" else found
    )


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    leading_to(monkeypatch, "93.184.216.34")


@pytest.mark.usefixtures("public")
def test_an_address_is_kept_tidy_and_its_secret_shown_once_and_encrypted(alice: Customer) -> None:
    address, secret = an_address(alice, "  https://Shop.Example:443?x=1 ")
    assert address.url == "https://shop.example/?x=1"
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) >= 24
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM callbacks_callbackaddress")
        assert secret not in str(cursor.fetchone()[0])
    assert CallbackAddress.objects.get().secret == secret
    entry = AuditEntry.objects.get(action="callback.add")
    assert (entry.target_id, entry.after) == (address.pk, {"url": "https://shop.example/?…"})


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "empty"),
        ("https://a b.example/", "spaces"),
        ("https://a.example/\x00", "spaces"),
        ("ftp://a.example/", "begin with https"),
        ("https:///hook", "begin with https"),
        ("https://[::1", "no address"),
        ("https://a.example:99999/", "no address"),
        ("https://user:pw@a.example/", "no password"),
        ("https://a.example?" + "x" * 482, "500 characters at most"),  # with the "/" that is added
        ("https://a.example/#top", "no password"),
        ("http://a.example/", "plain http"),
        ("https://a.example/" + "x" * 500, "500 characters at most"),
    ],
)
def test_what_cannot_be_an_address_is_refused_in_a_sentence(alice: Customer, url: str, why: str) -> None:
    with pytest.raises(AddressNotTaken, match=why) as refused:
        an_address(alice, url)
    assert str(refused.value).endswith("Nothing was changed.")
    assert not CallbackAddress.objects.exists()


@pytest.mark.parametrize("leads_to", ["10.0.0.5", "127.0.0.2", "169.254.169.254", "::1", "::ffff:192.168.0.1"])
def test_a_name_that_leads_inside_is_refused(
    alice: Customer, monkeypatch: pytest.MonkeyPatch, leads_to: str
) -> None:
    leading_to(monkeypatch, leads_to)
    with pytest.raises(AddressNotTaken, match="private network"):
        an_address(alice, "https://shop.example/hook")


@pytest.mark.parametrize("url", ["https://127.0.0.2/", "https://[::1]/", "https://2130706434/", "https://0x7f.2/"])
def test_an_inner_address_is_refused_in_each_spelling(alice: Customer, url: str) -> None:
    with pytest.raises(AddressNotTaken, match="private network"):
        an_address(alice, url)


def test_what_is_allowed_for_providers_is_not_allowed_for_customers(alice: Customer, settings: Settings) -> None:
    settings.PROVIDER_PRIVATE_HOSTS, settings.CALLBACK_PRIVATE_HOSTS = ["127.0.0.1"], []
    with pytest.raises(AddressNotTaken, match="private network"):
        an_address(alice, "https://127.0.0.1/")
    with pytest.raises(AddressNotTaken, match="plain http"):
        an_address(alice, "http://127.0.0.1/")


def test_a_name_without_an_address_is_refused(alice: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(AddressNotTaken, match="check the name"):
        an_address(alice, "https://shop.exmaple/hook")


def test_a_name_that_changes_its_mind_is_refused_when_the_socket_opens(
    alice: Customer, monkeypatch: pytest.MonkeyPatch, receiver: Receiver, settings: Settings
) -> None:
    settings.CALLBACK_PRIVATE_HOSTS = []
    leading_to(monkeypatch, "93.184.216.34")
    address, _ = an_address(alice, f"https://shop.example:{receiver.port}/hook")
    [message] = news(alice, 1)
    leading_to(monkeypatch, "127.0.0.1")
    assert delivered(address) == {"failed": 1}
    message.refresh_from_db()
    assert (message.last_status, message.last_error) == (None, "its address is private, or needs https")
    assert receiver.connections == 0


def test_what_stands_behind_the_question_mark_is_its_owners_alone(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, f"{receiver.url}?token=hidden")
    assert address.url.endswith("?token=hidden")
    assert str(address) == f"{receiver.url}?…"
    assert "hidden" not in str(AuditEntry.objects.get(action="callback.add").after)


@pytest.mark.usefixtures("public")
def test_a_customer_has_a_few_addresses_each_once(alice: Customer, settings: Settings) -> None:
    settings.CALLBACK_ADDRESSES_PER_CUSTOMER = 2
    first, _ = an_address(alice, "https://a.example/")
    with pytest.raises(AddressNotTaken, match="already"):
        an_address(alice, "https://A.example")
    an_address(alice, "https://b.example/")
    with pytest.raises(AddressNotTaken, match="remove one first"):
        an_address(alice, "https://c.example/")
    an_address(a_customer("0", "bert@example.com"), "https://a.example/")
    assert remove_address(address=first, actor=SYSTEM)
    an_address(alice, "https://a.example/")
    assert [each.url for each in addresses_of(alice)] == ["https://b.example/", "https://a.example/"]


def test_a_removed_address_is_told_nothing_more(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    news(alice, 1)
    assert remove_address(address=address, actor=SYSTEM)
    assert not remove_address(address=address, actor=SYSTEM)
    assert news(alice, 2) == []
    assert delivered(address) == {}
    assert receiver.got == []
    assert AuditEntry.objects.filter(action="callback.remove").count() == 1
    with pytest.raises(AddressNotTaken, match="removed"):
        rotate_secret(address=address, actor=SYSTEM)


def test_after_a_rotation_both_secrets_sign_for_a_day(alice: Customer, receiver: Receiver) -> None:
    address, old = an_address(alice, receiver)
    new = rotate_secret(address=address, actor=SYSTEM)
    news(alice, 1)
    delivered(address)
    assert receiver.got[0].is_signed_with(new)
    assert receiver.got[0].is_signed_with(old)
    past = CallbackAddress.objects.get().created_at
    CallbackAddress.objects.update(old_secret_until=past)
    news(alice, 2)
    delivered(address)
    assert receiver.got[1].is_signed_with(new)
    assert not receiver.got[1].is_signed_with(old)
    assert "whsec_" not in str(AuditEntry.objects.get(action="callback.rotate").after)


def test_an_address_that_was_switched_off_is_switched_on_by_its_owner(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    [waiting] = news(alice, 1)
    assert switch_off(address, "It wants no more.")
    assert not switch_off(address, "It wants no more.")
    assert news(alice, 2) == []
    assert delivered(address) == {}
    assert switch_on(address=address, actor=SYSTEM)
    assert not switch_on(address=address, actor=SYSTEM)
    assert delivered(address) == {"delivered": 1}
    assert [got.id for got in receiver.got] == [waiting.message_id]


def test_adding_needs_no_lock_while_the_name_is_looked_up(alice: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object, **__: object) -> list[Any]:
        assert not connection.in_atomic_block
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    add_address(customer=alice, url="https://shop.example/", actor=SYSTEM)
