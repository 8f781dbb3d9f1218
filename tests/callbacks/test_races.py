"""Rivals at one message and at the last place for an address, on real connections; with a twin that shows the race."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.db.models import F
from pytest_django import Settings

from accounts.models import Customer
from callbacks.addresses import add_address
from callbacks.checking import AddressNotTaken
from callbacks.claiming import claim, due_heads
from callbacks.models import CallbackAddress, CallbackMessage
from records.audit import SYSTEM
from tests.callbacks.builders import Receiver, an_address, news
from tests.orders.rivals import RIVALS, all_at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a race needs PostgreSQL's many writers"),
]


def test_of_many_who_would_send_a_message_one_may(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    news(alice, 1)
    looked = threading.Barrier(RIVALS)

    def rival(_: int) -> bool:
        [message] = due_heads(address, 1)
        looked.wait(timeout=20)
        return claim(message)

    results = all_at_once(rival)
    assert (results.count(True), results.count(False)) == (1, RIVALS - 1)
    assert CallbackMessage.objects.get().tries == 1


def test_twin_a_claim_that_only_looks_gives_one_message_to_all(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    news(alice, 1)
    looked = threading.Barrier(RIVALS)

    def naive(_: int) -> bool:
        [message] = due_heads(address, 1)
        looked.wait(timeout=20)
        return CallbackMessage.objects.filter(pk=message.pk).update(tries=F("tries") + 1) == 1

    assert all_at_once(naive) == [True] * RIVALS
    assert CallbackMessage.objects.get().tries == RIVALS


def test_many_addresses_at_once_stay_within_the_limit(alice: Customer, settings: Settings) -> None:
    settings.CALLBACK_ADDRESSES_PER_CUSTOMER = 3

    def add(number: int) -> object:
        customer = Customer.objects.get(pk=alice.pk)
        return add_address(customer=customer, url=f"http://127.0.0.1/{number}", actor=SYSTEM)

    results = all_at_once(add)
    assert sum(isinstance(result, AddressNotTaken) for result in results) == RIVALS - 3
    assert CallbackAddress.objects.count() == 3
