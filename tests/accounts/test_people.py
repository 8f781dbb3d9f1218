"""Customers and operators: made whole or not at all, one an address, signing in by it."""

from __future__ import annotations

from unittest import mock

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.forms import NewUserForm, SignInForm, UserForm
from accounts.models import Customer, User
from accounts.people import PersonRefused, create_customer, create_operator
from ledger.balances import balance_of
from ledger.models import Account
from records.models import AuditEntry
from smmpanel import settings as panel
from tests.accounts.builders import PASSWORD, anna, boss

pytestmark = pytest.mark.django_db


def test_a_customer_has_an_empty_wallet_in_the_panels_currency() -> None:
    customer = create_customer(email=" Anna@Example.COM ", password=PASSWORD)
    assert customer.user.email == "anna@example.com"
    assert (customer.wallet.kind, customer.wallet.currency) == (Account.Kind.WALLET, "USD")
    assert balance_of(customer.wallet) == 0
    assert not customer.user.is_staff
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id) == ("create_customer", customer.pk)
    assert entry.after == {"email": "anna@example.com"}


def test_passwords_are_kept_as_argon2(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = panel.PASSWORD_HASHERS  # the tests' own are quicker
    assert anna().user.password.startswith("argon2$argon2id$")


def test_an_operator_is_staff_without_a_wallet() -> None:
    user = boss()
    assert (user.is_staff, user.is_superuser) == (True, True)
    assert not Customer.objects.exists()


NO_ADDRESSES = ["", "anna", "anna@", "a b@example.com", "a@b\udc80.com", "a\x00@b.com", "x" * 300 + "@b.com"]


@pytest.mark.parametrize("email", NO_ADDRESSES)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(PersonRefused) as refused:
        create_customer(email=email, password=PASSWORD)
    assert refused.value.field == "email"
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["", "short", "password123", "1234567890123", "anna@example.com"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(PersonRefused) as refused:
        create_customer(email="anna@example.com", password=password)
    assert refused.value.field == "password"
    assert not User.objects.exists()
    assert not Account.objects.exists()


def test_an_address_is_one_persons_in_any_spelling() -> None:
    anna()
    with pytest.raises(PersonRefused, match=r"anna@example\.com already"):
        create_operator(email="ANNA@example.com", password=PASSWORD)


def test_of_two_at_the_same_moment_the_later_is_told_so() -> None:
    """The rival's row appears after the look and before the insert."""
    anna()
    with mock.patch("accounts.people._check_free"), pytest.raises(PersonRefused, match="already"):
        create_customer(email="anna@example.com", password=PASSWORD)
    assert Account.objects.count() == 1


def test_the_database_itself_keeps_addresses_in_lower_case() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email="Anna@example.com")])


def test_one_signs_in_by_address_in_any_spelling(client: Client) -> None:
    anna()
    request = RequestFactory().post("/")
    assert authenticate(request, username=" ANNA@Example.com", password=PASSWORD) is not None
    form = SignInForm(request, {"username": " Anna@EXAMPLE.com ", "password": PASSWORD})
    assert form.is_valid()
    assert form.get_user().email == "anna@example.com"


def test_wrong_and_closed_read_the_same() -> None:
    customer = anna()
    request = RequestFactory().post("/")
    answers = []
    answers.append(SignInForm(request, {"username": "nobody@example.com", "password": PASSWORD}).errors)
    answers.append(SignInForm(request, {"username": "anna@example.com", "password": "wrong"}).errors)
    customer.user.is_active = False
    customer.user.save()
    answers.append(SignInForm(request, {"username": "anna@example.com", "password": PASSWORD}).errors)
    assert answers[0] == answers[1] == answers[2]
    assert "is not right" in str(answers[0])


def test_the_sign_in_field_is_for_an_address() -> None:
    html = str(SignInForm()["username"])
    assert 'type="email"' in html
    assert 'autocomplete="username"' in html


def test_the_admins_form_makes_one_person_an_address() -> None:
    anna()
    fields = {"password1": PASSWORD, "password2": PASSWORD}
    assert "email" in NewUserForm({"email": "ANNA@example.com", **fields}).errors
    form = NewUserForm({"email": "Bob@Example.com", **fields})
    assert form.is_valid()
    assert form.save().email == "bob@example.com"


def test_the_admins_form_changes_an_address_in_lower_case() -> None:
    user = boss()
    form = UserForm({"email": "Chief@example.com", "is_active": "on", "is_staff": "on"}, instance=user)
    assert form.is_valid()
    assert form.save().email == "chief@example.com"


def test_a_customer_cannot_reach_the_admin(client: Client) -> None:
    client.force_login(anna().user)
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]
