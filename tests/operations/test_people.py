"""Customers and operators: made, paid, corrected; keys shown once; nobody climbs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings

from accounts.keys import issue_key
from accounts.models import ApiKey, Customer, User
from accounts.people import create_operator
from accounts.roles import Role, role_of
from accounts.staff import set_role
from records.audit import actor_of
from records.models import AuditEntry
from tests.accounts.builders import customer_for_key
from tests.operations.conftest import PASSWORD
from tests.operations.desk import Desk
from tests.orders.builders import a_customer, balance, books_are_right

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def at(customer: Customer, step: str = "change") -> str:
    return f"accounts/customer/{customer.pk}/{step}/"


def test_a_customer_is_made_and_a_made_up_password_is_shown_once(desk: Desk) -> None:
    page = desk.send("accounts/customer/add/", email="New@Example.com", name="Nell")
    customer = Customer.objects.get()
    assert customer.user.email == "new@example.com"
    password = page.response.context["secret"].text
    assert customer.user.check_password(password)
    assert "no-store" in page.response["Cache-Control"]
    assert password not in desk.open(at(customer)).source
    again = desk.send("accounts/customer/add/", email="new@example.com")
    assert again.response.context["form"].errors["email"]
    weak = desk.send("accounts/customer/add/", email="other@example.com", password="1234")
    assert weak.response.context["form"].errors["password"]
    assert weak.form()["fields"]["email"] == ["other@example.com"]
    assert "1234" not in weak.source.split("<form", 2)[2]
    assert Customer.objects.count() == 1


def test_a_deposit_counts_once(desk: Desk) -> None:
    customer = a_customer("0")
    page = desk.send(at(customer, "deposit"), amount="25.5", reference="BANK-7", note="Thank you")
    assert "25.50 USD are on alice@example.com's balance." in page.text
    again = desk.send(at(customer, "deposit"), amount="25.5", reference="BANK-7")
    assert "The reference BANK-7 was recorded before. No money moved." in again.text
    assert "more than 0" in desk.send(at(customer, "deposit"), amount="0", reference="B").text
    assert balance(customer) == Decimal("25.5")
    assert AuditEntry.objects.get(action="deposit").actor_name == "olga@example.com"
    books_are_right()


def test_a_correction_gives_or_takes_but_never_below_the_floor(desk: Desk) -> None:
    customer = a_customer("10")
    page = desk.send(at(customer, "correct"), amount="-4", reference="T-1", reason="paid twice by us")
    assert "4.00 USD were taken from alice@example.com." in page.text
    refused = desk.send(at(customer, "correct"), amount="-7", reference="T-2", reason="too much")
    assert "The wallet holds 6.00 USD, so 7.00 cannot be taken. No money moved." in refused.text
    assert balance(customer) == 6
    assert "paid twice by us" in desk.open(at(customer)).text


def test_a_key_is_shown_once_and_revoked(desk: Desk) -> None:
    customer = a_customer()
    page = desk.send(at(customer, "issue-key"), name="Her script")
    text = page.response.context["secret"].text
    assert "no-store" in page.response["Cache-Control"]
    assert customer_for_key(text) == customer
    shown = desk.open(at(customer))
    assert text not in shown.source
    assert ApiKey.objects.get().prefix in shown.source
    page = desk.send(at(customer, "revoke-key"), key=str(ApiKey.objects.get().pk))
    assert "opens nothing any more" in page.text
    assert customer_for_key(text) is None
    assert text not in str(list(AuditEntry.objects.values_list("before", "after")))


def test_only_the_customers_own_keys_can_be_revoked(desk: Desk) -> None:
    alice, bob = a_customer(), a_customer("1", "bob@example.com")
    issue_key(alice)
    key, text = issue_key(bob)
    desk.send(at(alice, "revoke-key"), key=str(key.pk))
    assert customer_for_key(text) == bob


def test_a_closed_account_opens_nothing_and_keeps_its_money(desk: Desk) -> None:
    customer = a_customer("10")
    _, text = issue_key(customer)
    page = desk.send(at(customer, "close"), reason="chargeback")
    assert "The account is closed" in page.text
    assert customer_for_key(text) is None
    assert balance(customer) == 10
    assert AuditEntry.objects.get(action="user.access").reason == "chargeback"
    desk.send(at(customer, "open"), reason="settled")
    assert customer_for_key(text) == customer


def test_the_statement_goes_on_by_pages(desk: Desk, settings: Settings) -> None:
    settings.OPERATIONS_STATEMENT_PAGE = 2
    customer = a_customer("10")
    for number in range(4):
        desk.send(at(customer, "deposit"), amount="1", reference=f"R{number}", note=f"number {number}")
    first = desk.open(at(customer))
    assert "number 3" in first.text
    assert "number 1" not in first.text
    lines = first.response.context["lines"]
    assert [line["after"] for line in lines] == ["14.00", "13.00"]
    second = desk.open(f"{at(customer)}?before={first.response.context['older']}")
    assert "number 1" in second.text
    assert "number 2" not in second.text


def test_an_operator_is_made_by_an_operator_alone(desk: Desk) -> None:
    page = desk.send("accounts/user/add/", email="otto@example.com", role="owner")
    assert page.response.context["secret"].text
    otto = User.objects.get(email="otto@example.com")
    assert (otto.is_staff, otto.is_superuser) == (True, True)
    assert AuditEntry.objects.filter(action="create_operator", actor_name="olga@example.com").exists()


def test_staff_with_the_right_to_change_users_cannot_climb(desk: Desk) -> None:
    stan = create_operator(email="stan@example.com", password="a long enough one")
    stan.is_superuser = False
    stan.save()
    stan.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user", "add_user"]))
    client = Client()
    client.force_login(stan, "django.contrib.auth.backends.ModelBackend")
    olga, alice = User.objects.get(email="olga@example.com"), a_customer().user
    assert client.get("/admin/accounts/user/add/").status_code == 403
    for who in (olga, stan):
        wish = {"email": who.email, "is_superuser": "on", "is_active": "on"}
        client.post(f"/admin/accounts/user/{who.pk}/change/", wish)
        new = {"password": "another long one", "reason": "mine"}
        assert client.post(f"/admin/accounts/user/{who.pk}/password/", new).status_code == 403
    page = client.get(f"/admin/accounts/user/{alice.pk}/change/")
    assert b'name="is_superuser"' not in page.content
    client.post(
        f"/admin/accounts/user/{alice.pk}/change/",
        {"email": alice.email, "name": "Alice", "is_active": "on", "is_staff": "on", "is_superuser": "on"},
    )
    alice.refresh_from_db()
    stan.refresh_from_db()
    assert (alice.name, alice.is_staff, alice.is_superuser, stan.is_superuser) == ("Alice", False, False, False)


def test_staff_are_made_in_a_role_that_is_chosen(desk: Desk) -> None:
    unchosen = desk.send("accounts/user/add/", email="stan@example.com")
    assert unchosen.response.context["form"].errors["role"]
    page = desk.send("accounts/user/add/", email="stan@example.com", role="support", password=PASSWORD)
    assert "stan@example.com was added." in page.text
    assert role_of(User.objects.get(email="stan@example.com")) is Role.SUPPORT
    assert "Support" in desk.open("accounts/user/").text
    assert "groups" not in page.source.partition("<main")[2]


def test_an_owner_gives_another_role_and_the_person_is_out_at_once(desk: Desk) -> None:
    stan = create_operator(email="stan@example.com", password=PASSWORD, role=Role.MANAGER)
    his = signed_in(stan)
    assert his.get("/admin/providers/provider/").status_code == 200
    page = desk.send(f"accounts/user/{stan.pk}/role/", role="catalogue", reason="moved")
    assert "stan@example.com is Catalogue now, and is signed out everywhere." in page.text
    assert his.get("/admin/").status_code == 302
    again = desk.send(f"accounts/user/{stan.pk}/role/", role="catalogue", reason="moved")
    assert "That is the role already. Nothing was changed." in again.text
    desk.send(f"accounts/user/{stan.pk}/role/", role="", reason="left")
    assert signed_in(User.objects.get(pk=stan.pk)).get("/admin/", follow=True).status_code == 403


def test_the_last_owner_is_told_why_nothing_happens(desk: Desk) -> None:
    olga = User.objects.get()
    for step, values in (("role", {"role": "manager"}), ("close", {})):
        page = desk.send(f"accounts/user/{olga.pk}/{step}/", reason="tired", **values)
        assert "This is the last owner who can sign in: make another one first. Nothing was changed." in page.text
    create_operator(email="otto@example.com", password=PASSWORD)
    page = desk.send(f"accounts/user/{olga.pk}/role/", role="manager", reason="tired")
    assert page.url.startswith("/sign-in/")
    assert role_of(User.objects.get(pk=olga.pk)) is Role.MANAGER


def test_a_manager_looks_at_staff_and_changes_customers_alone(desk: Desk) -> None:
    manager = signed_in(create_operator(email="mia@example.com", password=PASSWORD, role=Role.MANAGER))
    olga, alice = User.objects.get(email="olga@example.com"), a_customer().user
    seen = manager.get(f"/admin/accounts/user/{olga.pk}/change/")
    assert (seen.status_code, b'name="email"' in seen.content) == (200, False)
    assert b"/role/" not in seen.content
    form = {"email": "mia2@example.com", "name": "x", "reason": "x", "role": "owner", "password": "another long one"}
    for who in (olga, User.objects.get(email="mia@example.com")):
        for step in ("change", "role", "close", "password", "factor-off"):
            assert manager.post(f"/admin/accounts/user/{who.pk}/{step}/", form).status_code == 403, step
    page = manager.get(f"/admin/accounts/user/{alice.pk}/change/").content
    assert b"/password/" in page
    assert b"/role/" not in page
    manager.post(f"/admin/accounts/user/{alice.pk}/change/", {"email": "Alice2@example.com", "name": "Alice"})
    manager.post(f"/admin/accounts/user/{alice.pk}/close/", {"reason": "asked"})
    alice.refresh_from_db()
    assert (alice.email, alice.name, alice.is_active) == ("alice2@example.com", "Alice", False)


def test_support_has_no_way_to_the_login_of_a_customer_who_is_staff(desk: Desk) -> None:
    customer = a_customer()
    olga = User.objects.get(email="olga@example.com")
    set_role(user=customer.user, role=Role.MANAGER, actor=actor_of(olga), reason="helps")
    support = signed_in(create_operator(email="stan@example.com", password=PASSWORD, role=Role.SUPPORT))
    page = support.get(f"/admin/{at(customer)}").content
    assert b"/close/" not in page
    assert b"/issue-key/" in page
    assert support.post(f"/admin/{at(customer, 'close')}", {"reason": "x"}).status_code == 403
    assert User.objects.get(pk=customer.user_id).is_active
    assert "The account is closed" in desk.send(at(customer, "close"), reason="left").text


def test_a_users_password_is_changed_and_the_trail_says_so_without_it(desk: Desk) -> None:
    alice = a_customer().user
    page = desk.send(f"accounts/user/{alice.pk}/password/", password="another long one", reason="asked by phone")
    assert page.status == 200
    alice.refresh_from_db()
    assert alice.check_password("another long one")
    entry = AuditEntry.objects.get(action="user.password")
    assert entry.actor_name == "olga@example.com"
    assert "another" not in str((entry.before, entry.after))
