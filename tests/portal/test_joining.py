"""Signing up by a confirmed address, and choosing a forgotten password anew."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.models import Customer, Letter, User
from tests.portal.builders import PASSWORD, a_customer
from tests.portal.letters import link_in, posted

NEW = "new@example.com"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted(settings: Settings) -> None:
    cache.clear()


def _asked(client: Client, path: str, email: str) -> str:
    """The page that answers, without what names the address and the token of the form."""
    page = client.post(path, {"email": email}).content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).replace(email.replace("@", "%40"), "")


def test_an_address_is_confirmed_before_there_is_an_account(client: Client) -> None:
    client.post("/sign-up/", {"email": " New@Example.com"})
    assert not User.objects.exists()
    [letter] = posted()
    assert letter.to == [NEW]
    path = link_in(letter)
    assert NEW in client.get(path).content.decode()
    answer = client.post(path, {"password": PASSWORD, "name": "Nina"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/order/new/"
    customer = Customer.objects.get()
    assert (customer.user.email, customer.user.name, str(customer.wallet.balance)) == (NEW, "Nina", "0.000000")
    assert client.post(path, {"password": "another long enough one"}).status_code == 410
    assert User.objects.get().check_password(PASSWORD)


def test_a_weak_password_is_said_at_the_field_and_makes_nothing(client: Client) -> None:
    client.post("/sign-up/", {"email": NEW})
    path = link_in(posted()[0])
    answer = client.post(path, {"password": "short", "name": "Nina"})
    assert answer.status_code == 422
    assert "too short" in answer.content.decode()
    assert 'value="Nina"' in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("path", ["/sign-up/", "/password/"])
def test_nobody_learns_from_a_form_whether_an_address_has_an_account(client: Client, path: str) -> None:
    a_customer("alice@example.com", balance="0")
    known = _asked(client, path, "alice@example.com").replace("alice@example.com", "")
    unknown = _asked(client, path, "nobody@example.com").replace("nobody@example.com", "")
    assert known == unknown


def test_the_owner_of_an_account_learns_from_his_letter_that_he_has_one(client: Client) -> None:
    a_customer("alice@example.com", balance="0")
    client.post("/sign-up/", {"email": "alice@example.com"})
    [letter] = posted()
    assert "You have an account" in letter.subject
    assert "/sign-up/" not in letter.body


def test_a_letter_for_a_forgotten_password_goes_to_accounts_alone(client: Client) -> None:
    client.post("/password/", {"email": "nobody@example.com"})
    assert posted() == []


def test_a_forgotten_password_is_chosen_anew_once_and_ends_every_session(client: Client) -> None:
    alice = a_customer("alice@example.com", balance="0")
    elsewhere = Client()
    elsewhere.force_login(alice.user, "django.contrib.auth.backends.ModelBackend")
    client.post("/password/", {"email": "alice@example.com"})
    path = link_in(posted()[0])
    assert client.post(path, {"password": "12345"}).status_code == 422
    client.post(path, {"password": "another long enough one"})
    assert elsewhere.get("/funds/").status_code == 302
    assert client.get("/funds/").status_code == 302  # it signs nobody in
    assert client.get(path).status_code == 410
    assert User.objects.get().check_password("another long enough one")
    assert "was changed" in posted()[0].subject


@pytest.mark.parametrize("path", ["/sign-up/no-token/", "/password/1-no-token/", "/password/x/", "/address/no-token/"])
def test_a_broken_link_opens_nothing(client: Client, path: str) -> None:
    assert client.get(path).status_code == client.post(path, {"password": PASSWORD}).status_code == 410


def test_a_mailbox_is_not_flooded_from_our_forms(client: Client) -> None:
    for _ in range(9):
        client.post("/password/", {"email": "alice@example.com"})
    assert Letter.objects.count() == 3


def test_one_visitor_does_not_write_to_the_whole_world(client: Client, settings: Settings) -> None:
    settings.LETTER_FORMS_PER_HOUR = 2
    answers = [client.post("/sign-up/", {"email": f"p{n}@example.com"}).status_code for n in range(3)]
    assert answers == [200, 200, 429]


def test_sign_up_can_be_closed(client: Client, settings: Settings) -> None:
    client.post("/sign-up/", {"email": NEW})
    path = link_in(posted()[0])
    settings.SIGN_UP = False
    assert "not open" in client.get("/sign-up/").content.decode()
    assert "/sign-up/" not in client.get("/sign-in/").content.decode()
    assert client.post(path, {"password": PASSWORD}).status_code == 404
    assert client.post("/sign-up/", {"email": "other@example.com"}).status_code == 200
    assert Letter.objects.count() == 1


def test_terms_are_agreed_to_where_there_are_some(client: Client, settings: Settings) -> None:
    settings.TERMS_URL = "https://example.com/terms"
    client.post("/sign-up/", {"email": NEW})
    path = link_in(posted()[0])
    assert 'href="https://example.com/terms"' in client.get(path).content.decode()
    assert client.post(path, {"password": PASSWORD}).status_code == 422
    client.post(path, {"password": PASSWORD, "terms": "1"})
    assert User.objects.filter(email=NEW).exists()


def test_a_mail_server_that_fails_gets_the_letter_later(client: Client, settings: Settings) -> None:
    client.post("/sign-up/", {"email": NEW})
    settings.EMAIL_BACKEND = "tests.portal.letters.Broken"
    assert posted() == []
    letter = Letter.objects.get()
    assert letter.tries == 1
    assert letter.due_at is not None
    assert letter.due_at > letter.created_at
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Letter.objects.update(due_at=letter.created_at)
    assert len(posted()) == 1
    assert posted() == []  # once
    assert len(mail.outbox) == 0
