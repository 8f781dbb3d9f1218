"""What strangers and customers try: each attempt ends in an answer, and changes nothing that is not theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override

from accounts.keys import issue_key, rotate_key
from accounts.models import Customer, Letter, User
from accounts.people import create_customer
from accounts.security import ask_to_move, change_password, move, sign_out_elsewhere
from accounts.tokens import Move
from catalog.models import Service
from conversations.models import Message
from news.models import Announcement
from news.showing import dismiss
from orders.models import Placement
from portal.favourites import favourites_of
from portal.money import grouped, in_column
from records.audit import COMMAND
from tests.portal.builders import a_service

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"  # noqa: S105 - of nobody


@pytest.fixture
def customer() -> Customer:
    return create_customer(email="ada@example.com", password=PASSWORD, actor=COMMAND)


@pytest.fixture
def signed_in(client: Client, customer: Customer) -> Client:
    client.force_login(customer.user)
    return client


def link_of(user: User) -> Move:
    return Move(user.pk, user.email, "thief@example.com", user.get_session_auth_hash())


def test_a_link_to_another_address_moves_the_account_once(customer: Customer) -> None:
    link = link_of(customer.user)
    assert move(link)
    assert not move(link)


def test_a_new_password_spends_the_link_to_another_address(customer: Customer) -> None:
    link = link_of(customer.user)
    change_password(user=customer.user, password="another long password of hers")  # noqa: S106 - of nobody
    assert not move(link)
    customer.user.refresh_from_db()
    assert customer.user.email == "ada@example.com"


def test_signing_out_elsewhere_spends_the_link_to_another_address(customer: Customer) -> None:
    link = link_of(customer.user)
    sign_out_elsewhere(user=customer.user, but="")
    assert not move(link)


def test_few_letters_go_to_one_stranger_and_by_one_customer(customer: Customer) -> None:
    for number in range(12):
        ask_to_move(user=customer.user, email="victim@example.org")
        ask_to_move(user=customer.user, email=f"victim{number}@example.org")
    assert Letter.objects.exclude(address=customer.user.email).count() == settings.LETTERS_ASKED_PER_HOUR


def test_a_file_larger_than_any_list_is_refused_wherever_it_is_sent(client: Client) -> None:
    file = SimpleUploadedFile("big.bin", b"x" * (settings.UPLOAD_MAX_BYTES + 1))
    assert client.post("/sign-in/", {"file": file}).status_code == 413


def test_no_answer_to_odd_addresses_is_a_crash(signed_in: Client) -> None:
    assert signed_in.get(f"/orders/live/?ids={'9' * 4301}").status_code < 500
    odd = {"HX-Request": "true", "HX-Current-URL": "http://["}
    assert Client().get("/orders/", headers=odd).status_code == 204


@pytest.mark.parametrize("name", ["\0", "ada@example.com\0"])
def test_a_name_that_no_database_takes_is_a_wrong_name(client: Client, settings: Any, name: str) -> None:
    settings.AXES_ENABLED = True
    assert client.post("/sign-in/", {"username": name, "password": "x"}).status_code == 200


def test_what_was_typed_into_a_failed_form_is_not_kept(signed_in: Client, settings: Any) -> None:
    settings.AXES_ENABLED = True
    signed_in.post("/account/password/", {"present": f"{PASSWORD}X", "password": "new secret words", "code": "123456"})
    kept = " ".join(f"{row.post_data} {row.get_data}" for row in AccessAttempt.objects.all())
    assert kept.strip()
    for secret in (PASSWORD, "new secret words", "123456"):
        assert secret not in kept


def test_a_key_that_ends_with_the_calendar_can_be_rotated(customer: Customer) -> None:
    end = datetime(9999, 12, 30, tzinfo=UTC)
    key, _ = issue_key(customer, "far", expires_at=end)
    type(key).objects.filter(pk=key.pk).update(created_at=key.created_at - timedelta(days=9))
    fresh, _ = rotate_key(key, actor=COMMAND, overlap=timedelta(0))
    assert fresh.expires_at == end


def test_a_used_form_shows_nothing_of_a_hidden_service(as_alice: Client) -> None:
    sold, hidden = a_service("Sold"), a_service("Secret plan", visible=False)
    form = {"service": sold.pk, "link": "https://example.com/a", "quantity": "100", "once": "a-key-of-this-form"}
    assert as_alice.post("/order/new/", form).status_code == 302
    answer = as_alice.post("/order/new/", {**form, "service": hidden.pk})
    assert answer.status_code == 302
    assert "Secret plan" not in as_alice.get(answer["Location"]).content.decode()


def test_favourites_off_sale_fill_nothing(signed_in: Client, customer: Customer, settings: Any) -> None:
    settings.PORTAL_FAVOURITES = 1
    gone, kept, more = (a_service(name) for name in ("gone", "kept", "more"))
    signed_in.post(f"/services/{gone.pk}/favourite/", {"on": "1"})
    Service.objects.filter(pk=gone.pk).update(visible=False)
    signed_in.post(f"/services/{kept.pk}/favourite/", {"on": "1"})
    assert favourites_of(customer) == {kept.pk}
    page = signed_in.post(f"/services/{more.pk}/favourite/", {"on": "1"}, follow=True)
    assert "take one away first" in page.content.decode()
    assert favourites_of(customer) == {kept.pk}


@pytest.mark.django_db(transaction=True)
def test_an_announcement_that_staff_deleted_is_away(customer: Customer) -> None:
    announcement = Announcement(pk=987_654)
    dismiss(announcement=announcement, customer=customer)


@pytest.mark.parametrize("key", [r'"\000\000\000\000\000\000\000\000\000\000"', "x" * 5000, "../../etc/passwd"])
def test_a_made_up_session_is_a_visitors(client: Client, key: str) -> None:
    client.cookies.load({settings.SESSION_COOKIE_NAME: "x"})
    client.cookies[settings.SESSION_COOKIE_NAME].set(settings.SESSION_COOKIE_NAME, key, key)
    assert client.get("/sign-in/").status_code == 200


def test_a_problem_that_is_sent_twice_stands_there_once(as_alice: Client, alice: Customer) -> None:
    form = {"service": a_service("Sold").pk, "link": "https://example.com/a", "quantity": "100", "once": "a-key"}
    as_alice.post("/order/new/", form)
    page = f"/orders/{alice.orders.get().pk}/problem/"
    for _ in range(2):
        assert as_alice.post(page, {"topic": "not_started", "text": "It does not move."}).status_code == 302
    assert Message.objects.count() == 1
    as_alice.post(page, {"text": "Is anybody there?"})
    assert Message.objects.count() == 2


@pytest.mark.parametrize(("language", "written"), [("en", "12,345.60"), ("ru", "12\N{NO-BREAK SPACE}345.60")])
def test_thousands_are_not_read_as_decimals(language: str, written: str) -> None:
    with override(language):
        assert grouped(Decimal("12345.6")) == written
        assert in_column(Decimal("-12345.6"), 2)[0] == f"−{written}"
        assert grouped(1000) == f"1{written[2]}000"


def test_a_scripts_key_is_no_forms(as_alice: Client, alice: Customer) -> None:
    Placement.objects.create(customer=alice, token="of-a-script", content="digest", order_ids=[])
    form = {"service": a_service("Sold").pk, "link": "https://example.com/a", "quantity": "100", "once": "of-a-script"}
    assert as_alice.post("/order/new/", form).status_code == 400
    assert not alice.orders.exists()
