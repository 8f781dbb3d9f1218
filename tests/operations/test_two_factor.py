"""Staff see their side with a second factor alone: led to set it up, in no circle, and shut out nowhere else."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from pytest_django import Settings

from accounts import second_factor
from accounts.keys import issue_key
from accounts.models import User
from accounts.people import create_operator
from accounts.roles import Role
from accounts.staff import set_role
from records.audit import SYSTEM
from records.models import AuditEntry
from tests.operations.addresses import every_address, filled
from tests.operations.conftest import PASSWORD
from tests.orders.builders import a_customer, a_service, an_order

pytestmark = pytest.mark.django_db
SET_UP = "/account/two-factor/"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def _compulsory(settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True


def code_of(secret: str, *, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def stan(role: Role = Role.SUPPORT) -> User:
    return create_operator(email="stan@example.com", password=PASSWORD, role=role)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, BACKEND)
    return client


def set_up(client: Client) -> str:
    """Fills in the page that the person was led to; the page of recovery codes."""
    page = client.get(SET_UP).content.decode()
    secret = re.sub(r"\s", "", re.search(r'<code class="wrap-anywhere">([A-Z2-7 ]+)</code>', page)[1])  # type: ignore[index]
    signed = re.search(r'name="secret" value="([^"]+)"', page)[1]  # type: ignore[index]
    answer = client.post(SET_UP, {"secret": signed, "code": code_of(secret), "present": PASSWORD})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_staff_without_a_factor_are_led_from_the_door_to_where_it_is_set_up(client: Client, role: Role) -> None:
    stan(role)
    asked = client.get("/admin/orders/order/", follow=True)
    page = client.post(
        asked.redirect_chain[-1][0], {"username": "stan@example.com", "password": PASSWORD}, follow=True
    )
    assert [url for url, _ in page.redirect_chain] == ["/admin/orders/order/", SET_UP]
    assert page.status_code == 200
    assert "Staff need two-factor sign-in. Switch it on here: the operator" in page.content.decode()
    assert "Not now" not in page.content.decode()
    codes = set_up(client)
    assert 'href="/admin/"' in codes
    assert client.get("/admin/").status_code == 200


def test_no_address_of_the_admin_but_in_and_out_answers_without_it() -> None:
    client = signed_in(stan(Role.OWNER))
    order = an_order(a_customer(), a_service(None))
    for route, _ in every_address():
        if route in ("login/", "logout/"):
            continue
        for ask in (client.get, client.post):
            answer = ask(filled(route))
            assert (answer.status_code, answer.headers.get("Location")) == (302, SET_UP), route
    answer = client.post(f"/admin/orders/order/{order.pk}/refund/", {"reason": "x"})
    assert answer.headers["Location"] == SET_UP
    order.refresh_from_db()
    assert order.refunded == 0
    assert client.get("/admin/login/", follow=True).redirect_chain[-1][0] == SET_UP
    assert client.post("/admin/logout/").status_code == 200
    assert "_auth_user_id" not in client.session


def test_somebody_who_waits_signed_in_does_not_come_in_with_anothers_factor() -> None:
    user = stan()
    waiting, his = signed_in(user), signed_in(user)
    set_up(his)
    assert his.get("/admin/").status_code == 200
    answer = waiting.get("/admin/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_switched_off_again_the_side_closes_and_the_page_says_so_before() -> None:
    client = signed_in(stan())
    set_up(client)
    assert "stays closed to you" in client.get(SET_UP).content.decode()
    client.post(SET_UP, {"do": "off", "present": PASSWORD})
    assert client.get("/admin/").headers["Location"] == SET_UP
    off = AuditEntry.objects.get(action="second_factor_off")
    assert (off.before, off.after) == ({"second_factor": True}, {"second_factor": False})


def test_customers_and_their_keys_are_not_asked(customers_client: Client) -> None:
    user = User.objects.get(email="charlie@example.com")
    _, key = issue_key(user.customer)
    assert customers_client.get("/funds/").status_code == 200
    assert "Not now" in customers_client.get(SET_UP).content.decode()
    assert customers_client.get("/admin/").headers["Location"].startswith("/admin/login/")
    set_role(user=user, role=Role.SUPPORT, actor=SYSTEM, reason="helps out")
    answer = Client().post("/api/v2", {"key": key, "action": "balance"})
    assert answer.json()["balance"] == "0.00"
    client = signed_in(User.objects.get(pk=user.pk))
    assert client.get("/funds/").status_code == 200
    assert client.get("/admin/").headers["Location"] == SET_UP


def test_the_demo_asks_nobody(settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = False
    client = signed_in(stan())
    assert client.get("/admin/").status_code == 200
    assert "Staff need" not in client.get(SET_UP).content.decode()


def test_the_admins_own_change_of_password_is_the_portals() -> None:
    client = signed_in(stan())
    set_up(client)
    for ask in (client.get, client.post):
        assert ask("/admin/password_change/").headers["Location"] == "/account/password/"
    client.post("/account/password/", {"present": PASSWORD, "password": "another long one"})
    assert second_factor.is_on(User.objects.get())
    entry = AuditEntry.objects.get(action="change_password")
    assert entry.actor_name == "stan@example.com"
    assert (entry.before, entry.after) == ({"password": "(hidden)"}, {"password": "(hidden)"})
