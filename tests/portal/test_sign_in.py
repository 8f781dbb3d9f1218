"""Signing in and out."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Customer
from tests.portal.builders import PASSWORD

SIGN_IN = "/sign-in/"
AFTER_TOO_MANY = 429


def test_the_right_password_signs_in(client: Client, alice: Customer) -> None:
    answer = client.post(SIGN_IN, {"username": "alice@example.com", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("portal:new_order")
    assert "alice@example.com" in answer.content.decode()


def test_a_wrong_password_and_an_unknown_address_read_the_same(client: Client, alice: Customer) -> None:
    wrong = client.post(SIGN_IN, {"username": "alice@example.com", "password": "nonsense"})
    unknown = client.post(SIGN_IN, {"username": "nobody@example.com", "password": "nonsense"})
    assert wrong.status_code == unknown.status_code == 200
    for answer in (wrong, unknown):
        assert "This e-mail and password do not belong together." in answer.content.decode()
    assert 'value="alice@example.com"' in wrong.content.decode()
    assert "nonsense" not in wrong.content.decode()


def test_a_closed_account_stays_out(client: Client, alice: Customer) -> None:
    alice.user.is_active = False
    alice.user.save()
    client.post(SIGN_IN, {"username": "alice@example.com", "password": PASSWORD})
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_next_never_leads_to_another_site(client: Client, alice: Customer, page: str) -> None:
    answer = client.post(SIGN_IN, {"username": "alice@example.com", "password": PASSWORD, "next": page})
    assert answer.headers["Location"] == reverse("portal:home")


def test_who_is_signed_in_is_not_asked_again(as_alice: Client) -> None:
    assert as_alice.get(SIGN_IN).headers["Location"] == reverse("portal:home")


def test_signing_out_needs_a_post_and_ends_the_session(as_alice: Client) -> None:
    assert as_alice.get("/sign-out/").status_code == 405
    assert as_alice.post("/sign-out/").headers["Location"] == reverse("portal:sign_in")
    assert as_alice.get("/orders/").status_code == 302


def test_too_many_wrong_passwords_are_answered_in_the_panels_look(
    client: Client, alice: Customer, settings: pytest.FixtureRequest
) -> None:
    settings.AXES_ENABLED = True  # type: ignore[attr-defined]
    settings.AXES_FAILURE_LIMIT = 3  # type: ignore[attr-defined]
    for _ in range(3):
        last = client.post(SIGN_IN, {"username": "alice@example.com", "password": "nonsense"})
    assert last.status_code == AFTER_TOO_MANY
    assert "Too many attempts" in last.content.decode()
