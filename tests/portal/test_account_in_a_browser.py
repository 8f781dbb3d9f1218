"""An account from its beginning, in a real browser: by mouse, by keyboard alone, and with a session that ends."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import second_factor
from accounts.models import User
from tests.browser import NewPage
from tests.portal.builders import PASSWORD, a_customer
from tests.portal.letters import link_in, posted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


def _code(secret: str, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def _sign_in(page: Page, site: LiveServer) -> None:
    page.goto(f"{site.url}/sign-in/?next=/funds/")
    page.get_by_label("E-mail").fill("new@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_from_sign_up_to_a_recovery_code(live_server: LiveServer, page: Page) -> None:
    page.goto(live_server.url)
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("E-mail").fill("new@example.com")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    page.goto(live_server.url + link_in(posted()[0]))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("status")).to_contain_text("Your account is ready")

    page.goto(f"{live_server.url}/account/")
    page.get_by_role("link", name="Switch on Two-factor sign-in").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_text("Type this key").click()
    secret = re.sub(r"\s", "", page.locator("details code").inner_text())
    page.get_by_label("The code your app shows now").fill(_code(secret, -1))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Switch on").click()
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()

    page.get_by_role("button", name="Sign out", exact=True).click()
    _sign_in(page, live_server)
    page.get_by_label("Code").fill(_code(secret))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/funds/$"))

    page.get_by_role("button", name="Sign out", exact=True).click()
    _sign_in(page, live_server)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/funds/$"))


def test_signing_in_with_a_code_by_keyboard_alone(live_server: LiveServer, page: Page) -> None:
    user = a_customer("new@example.com").user
    secret = second_factor.new_secret()
    second_factor.switch_on(user=user, secret=secret, code=_code(secret, -1))
    page.goto(f"{live_server.url}/sign-in/?next=/account/")
    expect(page.get_by_label("E-mail")).to_be_focused()
    for typed in ("new@example.com", PASSWORD):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type(_code(secret))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Account")).to_be_visible()


def test_a_session_that_was_ended_from_elsewhere_leads_back_after_signing_in(
    live_server: LiveServer, page: Page, new_page: NewPage
) -> None:
    a_customer("new@example.com")
    _sign_in(page, live_server)
    expect(page).to_have_url(re.compile("/funds/$"))
    page.goto(f"{live_server.url}/account/")
    page.get_by_label("Name").fill("Nina")
    other = new_page(width=390, height=844)
    _sign_in(other, live_server)
    expect(other).to_have_url(re.compile("/funds/$"))
    other.goto(f"{live_server.url}/account/")
    other.get_by_role("button", name="Sign out every other device").click()
    expect(other.get_by_role("status")).to_contain_text("Every other device is signed out")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert User.objects.get().name == ""
    page.get_by_label("E-mail").fill("new@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(re.compile("sign-in"))
    page.wait_for_load_state()
