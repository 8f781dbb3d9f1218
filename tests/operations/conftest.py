"""What the tests of the operator's side share: Olga the operator at her desk, Charlie the customer who gets none."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.people import create_customer, create_operator
from tests.operations.desk import Desk
from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]
PASSWORD = "a long enough one"


@pytest.fixture(autouse=True)
def _loopback_is_a_provider(settings: Settings) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1", "localhost"]


@pytest.fixture
def desk() -> Desk:
    """Olga, signed in."""
    client = Client()
    client.force_login(
        create_operator(email="olga@example.com", password=PASSWORD), "django.contrib.auth.backends.ModelBackend"
    )
    return Desk(client)


@pytest.fixture
def customers_client() -> Client:
    client = Client()
    customer = create_customer(email="charlie@example.com", password=PASSWORD)
    client.force_login(customer.user, "django.contrib.auth.backends.ModelBackend")
    return client
