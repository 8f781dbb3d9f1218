"""The cast: Alice buys, Bob runs the panel, Charlie is another customer who must see nothing of Alice's."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Customer, User
from tests.portal.builders import a_customer, an_operator


@pytest.fixture
def alice(db: None) -> Customer:
    return a_customer("alice@example.com", balance="100")


@pytest.fixture
def charlie(db: None) -> Customer:
    return a_customer("charlie@example.com", balance="5")


@pytest.fixture
def bob(db: None) -> User:
    return an_operator("bob@example.com")


@pytest.fixture
def as_alice(client: Client, alice: Customer) -> Client:
    client.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
    return client
