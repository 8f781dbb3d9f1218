"""The account's page: second factor, devices, address, password, time and language, guessing."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import second_factor
from accounts.letters import CHOICES
from accounts.models import Customer, Session, User
from portal.devices import device
from records.jobs import run_job
from tests.portal.builders import PASSWORD, under_way
from tests.portal.letters import link_in, posted

SIGN_IN = "/sign-in/"
WHO = {"username": "alice@example.com", "password": PASSWORD}
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


def code_of(secret: str, *, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def with_factor(customer: Customer) -> tuple[str, list[str]]:
    secret = second_factor.new_secret()
    codes = second_factor.switch_on(user=customer.user, secret=secret, code=code_of(secret, steps=-1))
    assert codes
    return secret, codes


def is_in(client: Client) -> bool:
    return client.get("/funds/").status_code == 200


def test_setting_a_second_factor_up_and_off_again(as_alice: Client, alice: Customer) -> None:
    page = as_alice.get("/account/two-factor/").content.decode()
    secret = re.sub(r"\s", "", re.search(r'<code class="wrap-anywhere">([A-Z2-7 ]+)</code>', page)[1])  # type: ignore[index]
    signed = re.search(r'name="secret" value="([^"]+)"', page)[1]  # type: ignore[index]
    form = {"secret": signed, "code": code_of(secret), "present": PASSWORD}
    assert as_alice.post("/account/two-factor/", {**form, "present": "wrong"}).status_code == 422
    assert as_alice.post("/account/two-factor/", {**form, "code": "000000"}).status_code == 422
    assert not second_factor.is_on(alice.user)
    shown = as_alice.post("/account/two-factor/", form).content.decode()
    codes = re.findall(r"<code>(\d{4} \d{4})</code>", shown)
    assert len(codes) == 10
    assert second_factor.is_on(alice.user)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    as_alice.post("/account/two-factor/", {"do": "off", "present": "wrong"})
    assert second_factor.is_on(alice.user)
    as_alice.post("/account/two-factor/", {"do": "off", "present": PASSWORD})
    assert not second_factor.is_on(alice.user)
    assert [letter.subject.split()[-1] for letter in posted()] == ["on", "off"]


def test_anothers_secret_cannot_be_put_into_the_form(as_alice: Client, alice: Customer, charlie: Customer) -> None:
    other = Client()
    other.force_login(charlie.user, BACKEND)
    page = other.get("/account/two-factor/").content.decode()
    signed = re.search(r'name="secret" value="([^"]+)"', page)[1]  # type: ignore[index]
    secret = re.sub(r"\s", "", re.search(r'<code class="wrap-anywhere">([A-Z2-7 ]+)</code>', page)[1])  # type: ignore[index]
    as_alice.post("/account/two-factor/", {"secret": signed, "code": code_of(secret), "present": PASSWORD})
    assert not second_factor.is_on(alice.user)


def test_the_password_alone_opens_nothing_where_there_is_a_second_factor(client: Client, alice: Customer) -> None:
    secret, _ = with_factor(alice)
    asked = client.post(f"{SIGN_IN}?next=/orders/", WHO)
    assert asked.headers["Location"] == "/sign-in/code/"
    assert not is_in(client)
    assert client.post("/sign-in/code/", {"code": "000000"}).status_code == 422
    assert not is_in(client)
    code = code_of(secret)
    assert client.post("/sign-in/code/", {"code": code}).headers["Location"] == "/orders/"
    assert is_in(client)
    again = Client()
    again.post(SIGN_IN, WHO)
    assert again.post("/sign-in/code/", {"code": code}).status_code == 422  # a code opens once


def test_a_recovery_code_opens_once(client: Client, alice: Customer) -> None:
    _, codes = with_factor(alice)
    client.post(SIGN_IN, WHO)
    client.post("/sign-in/code/", {"code": codes[3]})
    assert is_in(client)
    assert second_factor.codes_left(alice.user) == 9
    again = Client()
    again.post(SIGN_IN, WHO)
    again.post("/sign-in/code/", {"code": codes[3]})
    assert not is_in(again)


def test_a_password_changed_between_the_steps_ends_the_first(client: Client, alice: Customer) -> None:
    secret, _ = with_factor(alice)
    client.post(SIGN_IN, WHO)
    alice.user.set_password("another long enough one")
    alice.user.save()
    assert client.post("/sign-in/code/", {"code": code_of(secret)}).headers["Location"] == SIGN_IN
    assert not is_in(client)


def test_staff_reach_their_side_by_the_same_door(client: Client, bob: User) -> None:
    secret = second_factor.new_secret()
    second_factor.switch_on(user=bob, secret=secret, code=code_of(secret, steps=-1))
    asked = client.get("/admin/", follow=True)
    assert asked.redirect_chain[-1][0] == "/sign-in/?next=/admin/"
    direct = client.post("/admin/login/", {"username": bob.email, "password": PASSWORD, "next": "/admin/"})
    assert direct.status_code == 302
    assert client.get("/admin/").status_code == 302
    client.post(asked.redirect_chain[-1][0], {"username": bob.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
    assert client.post("/sign-in/code/", {"code": code_of(secret)}).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert client.get("/account/").status_code == client.get("/account/two-factor/").status_code == 200


def test_a_customer_at_the_operators_door_is_told_so(as_alice: Client) -> None:
    assert as_alice.get("/admin/", follow=True).status_code == 403


def test_guesses_from_everywhere_slow_strangers_and_not_the_owner(alice: Customer, settings: Settings) -> None:
    settings.AXES_ENABLED = True
    settings.SIGN_IN_STRANGERS = 4
    owner = Client(REMOTE_ADDR="198.51.100.1")
    owner.post(SIGN_IN, WHO)
    owner.post("/sign-out/")
    for number in range(5):
        Client(REMOTE_ADDR=f"203.0.113.{number}").post(SIGN_IN, {**WHO, "password": "a guess"})
    stranger = Client(REMOTE_ADDR="203.0.113.99")
    assert stranger.post(SIGN_IN, WHO).status_code == 429
    owner.post(SIGN_IN, WHO)
    assert is_in(owner)
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")  # the owner, from a browser that is new
    elsewhere.post("/password/", {"email": "alice@example.com"})
    elsewhere.post(link_in(posted()[0]), {"password": "another long enough one"})
    elsewhere.post(SIGN_IN, {**WHO, "password": "another long enough one"})
    assert is_in(elsewhere)


def test_codes_are_guessed_at_no_oftener_than_passwords(alice: Customer, settings: Settings) -> None:
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 3
    secret, _ = with_factor(alice)
    client = Client(REMOTE_ADDR="203.0.113.5")
    client.post(SIGN_IN, WHO)
    for _ in range(3):
        client.post("/sign-in/code/", {"code": "000000"})
    assert client.post("/sign-in/code/", {"code": code_of(secret)}).status_code == 429
    assert not is_in(client)


def test_other_devices_are_listed_and_signed_out(as_alice: Client, alice: Customer, charlie: Customer) -> None:
    phone, tablet, stranger = (Client(HTTP_USER_AGENT="Mozilla/5.0 (iPhone) Version/17 Safari/604") for _ in range(3))
    phone.post(SIGN_IN, WHO)
    tablet.post(SIGN_IN, WHO)
    stranger.force_login(charlie.user, BACKEND)
    page = as_alice.get("/account/").content.decode()
    assert page.count("Safari on iPhone</p>") == 2
    row = alice.user.sessions.get(key=phone.session.session_key)
    assert stranger.post(f"/account/sessions/{row.pk}/end/").status_code == 404
    as_alice.post(f"/account/sessions/{row.pk}/end/")
    assert [is_in(each) for each in (phone, tablet)] == [False, True]
    as_alice.post("/account/sessions/end/")
    assert [is_in(each) for each in (tablet, as_alice, stranger)] == [False, True, True]
    assert alice.user.sessions.count() == 1
    as_alice.post("/sign-out/")
    assert not Session.objects.filter(user=alice.user).exists()


def test_sessions_that_ended_by_their_age_are_forgotten(as_alice: Client, alice: Customer) -> None:
    as_alice.get("/account/")
    old = alice.user.sessions.create(key="old", seen_at=timezone.now() - timedelta(days=15))
    run_job("prune_sessions")
    assert old not in alice.user.sessions.all()
    assert is_in(as_alice)


def test_another_password_signs_other_devices_out(as_alice: Client, alice: Customer) -> None:
    phone = Client()
    phone.post(SIGN_IN, WHO)
    form = {"present": PASSWORD, "password": "another long enough one"}
    assert as_alice.post("/account/password/", {**form, "present": "wrong"}).status_code == 422
    assert as_alice.post("/account/password/", {**form, "password": "short"}).status_code == 422
    assert is_in(phone)
    as_alice.post("/account/password/", form)
    assert [is_in(each) for each in (phone, as_alice)] == [False, True]
    assert alice.user.sessions.count() == 1


def test_another_address_is_confirmed_there_and_told_here(as_alice: Client, alice: Customer) -> None:
    form = {"email": "New@example.com", "present": PASSWORD}
    assert as_alice.post("/account/address/", {**form, "present": "wrong"}).status_code == 422
    as_alice.post("/account/address/", form)
    letters = {letter.to[0]: letter for letter in posted()}
    assert set(letters) == {"alice@example.com", "new@example.com"}
    path = link_in(letters["new@example.com"])
    anywhere = Client()
    anywhere.get(path)
    assert User.objects.get(pk=alice.user_id).email == "alice@example.com"  # a mail scanner's visit changes nothing
    anywhere.post(path)
    assert User.objects.get(pk=alice.user_id).email == "new@example.com"
    assert [letter.to for letter in posted()] == [["alice@example.com"]]
    assert anywhere.post(path).status_code == 410


def test_an_address_of_another_account_is_neither_told_nor_taken(
    as_alice: Client, alice: Customer, charlie: Customer
) -> None:
    said = as_alice.post("/account/address/", {"email": charlie.user.email, "present": PASSWORD}, follow=True)
    assert "If charlie@example.com can be used" in said.content.decode()
    assert [letter.to for letter in posted()] == [["alice@example.com"]]


def test_times_are_in_his_own_zone_and_words_in_his_language(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice, created_at=datetime(2026, 1, 5, 23, 30, tzinfo=UTC))
    assert "5 Jan 2026, 23:30 UTC" in as_alice.get(f"/orders/{order.pk}/").content.decode()
    as_alice.post("/account/profile/", {"name": "Alice", "time_zone": "Asia/Tokyo", "language": "ru"})
    page = as_alice.get(f"/orders/{order.pk}/")
    assert "2026, 08:30 JST" in page.content.decode()
    assert page.headers["Content-Language"] == "ru"
    assert 'lang="ru"' in page.content.decode()
    assert as_alice.get("/services/", headers={"Accept-Language": "en"}).headers["Content-Language"] == "ru"
    assert as_alice.post("/account/profile/", {"time_zone": "Mars/Olympus"}).status_code == 422


def test_a_visitor_chooses_a_language_too(client: Client, db: None) -> None:
    assert client.get(SIGN_IN, headers={"Accept-Language": "ru"}).headers["Content-Language"] == "ru"
    back = client.post("/language/", {"language": "ru", "next": SIGN_IN})
    assert back.headers["Location"] == SIGN_IN
    assert client.get(SIGN_IN).headers["Content-Language"] == "ru"
    assert client.post("/language/", {"language": "tlh"}).status_code == 400


def test_letters_are_chosen(as_alice: Client, alice: Customer) -> None:
    as_alice.post("/account/letters/", {"letters": ["low_balance"], "low_balance": "12,5"})
    alice.refresh_from_db()
    assert set(alice.unwanted_letters) == set(CHOICES) - {"low_balance"}
    assert str(alice.low_balance) == "12.500000"
    for bad in ("-1", "x", "1e999", "0.0000001", "NaN"):
        assert as_alice.post("/account/letters/", {"low_balance": bad}).status_code == 422, bad


@pytest.mark.parametrize(
    ("says", "is_called"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/129.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5", "An unknown browser"),
    ],
)
def test_a_device_has_a_name(says: str, is_called: str) -> None:
    assert device(says) == is_called
