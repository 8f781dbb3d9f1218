"""What may go wrong between browser and panel: a slow or broken line, two tabs, a session that ends; and no mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Customer
from orders.models import Order, Status
from tests.browser import NewPage
from tests.portal.builders import LINK, PASSWORD, a_customer, a_service

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PRICE = "**/order/new/price/"
#: what Chromium and htmx say on the console of an answer that did not come
NOTED = ("/order/new/price/", "htmx:sendError", "htmx:timeout", "htmx:afterRequest")


@pytest.fixture
def buyer(transactional_db: None) -> Customer:
    return a_customer("alice@example.com", balance="10")


def _sign_in(page: Page, site: LiveServer, path: str) -> None:
    page.goto(site.url + path)
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(re.compile("sign-in"))
    page.wait_for_load_state()


def _form(page: Page, site: LiveServer, quantity: str = "2000") -> None:
    _sign_in(page, site, f"/order/new/?service={a_service().pk}&link={LINK}&quantity={quantity}")
    expect(page.get_by_role("button", name="Order for")).to_be_visible()


def test_while_a_price_is_late_the_summary_says_so_and_the_button_names_none(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    _form(page, live_server)
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 1200, "downloadThroughput": 20_000, "uploadThroughput": 20_000}
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", slow)
    page.get_by_label("Quantity").fill("1000")
    summary = page.locator("#summary")
    expect(summary.get_by_role("status")).to_have_text("Counting…")
    expect(page.get_by_role("button", name="Order", exact=True)).to_be_visible()
    expect(summary.get_by_text("$1.80")).to_be_hidden()
    page.get_by_label("Quantity").press_sequentially("0", delay=20)  # once more, while the first is on its way
    expect(page.get_by_role("button", name="Order for $9.00")).to_be_visible()
    expect(summary.get_by_role("status")).to_have_text("")
    page.locator("#order-button").click()
    expect(page.get_by_role("status")).to_contain_text("$9.00 was charged")


def _never(route: Route) -> None:
    """No answer, as from a server that hangs."""


@pytest.mark.parametrize(
    ("meets", "words"),
    [
        (lambda route: route.abort("connectionrefused"), "cannot be reached"),
        (lambda route: route.fulfill(status=502, body="Bad gateway"), "could not answer"),
        (_never, "takes too long"),
    ],
)
def test_a_price_that_does_not_come_is_said_and_asked_for_again(
    live_server: LiveServer, new_page: NewPage, buyer: Customer, meets: Callable[[Route], None], words: str
) -> None:
    page = new_page(noted=NOTED)
    _form(page, live_server)
    page.evaluate("window.htmx.config.timeout = 400")
    page.route(PRICE, meets)
    page.get_by_label("Quantity").fill("1000")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text(words)
    expect(page.locator("#price-wait")).to_have_text("Not known")
    expect(page.get_by_role("button", name="Order", exact=True)).to_be_visible()
    page.unroute(PRICE)
    notice.get_by_role("button", name="Try again").press("Enter")
    expect(page.get_by_role("button", name="Order for $0.90")).to_be_visible()
    expect(notice).to_be_hidden()
    assert not Order.objects.exists()


def test_of_two_tabs_the_same_form_orders_once_and_the_other_sees_the_balance(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    _form(page, live_server)
    other = page.context.new_page()
    other.goto(page.url)
    token = page.locator("[name=once]").input_value()
    other.locator("[name=once]").evaluate("(field, token) => field.value = token", token)  # a tab that was duplicated
    page.get_by_role("button", name="Order for $1.80").click()
    expect(page.get_by_role("status")).to_contain_text("$1.80 was charged")
    other.get_by_label("Quantity").press("End")
    other.get_by_label("Quantity").press_sequentially("0")
    expect(other.get_by_role("banner")).to_contain_text("$8.20")
    expect(other.locator("#price")).to_contain_text("$8.20")
    other.get_by_label("Quantity").fill("2000")
    other.get_by_role("button", name="Order for $1.80").click()
    expect(other.get_by_role("heading", name=f"Order {Order.objects.get().pk}")).to_be_visible()
    expect(other.get_by_role("banner")).to_contain_text("$8.20")


def test_a_session_that_ends_while_typing_leads_back_to_what_was_typed(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    _sign_in(page, live_server, f"/order/new/?service={a_service().pk}")
    page.get_by_label("Link").fill(LINK)
    Session.objects.all().delete()
    page.get_by_label("Quantity").fill("1000")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Link")).to_have_value(LINK)
    expect(page.get_by_label("Quantity")).to_have_value("1000")
    expect(page.get_by_role("button", name="Order for $0.90")).to_be_visible()


def _tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(60):
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_an_order_is_placed_found_and_canceled_by_keyboard_alone(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    a_service("Real followers")
    a_service("Views", category="TikTok")
    _sign_in(page, live_server, "/order/new/")
    page.keyboard.type("real")
    expect(page.locator(".offer")).to_have_count(1)
    page.wait_for_function("!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")
    page.keyboard.press("Enter")
    _tab_to(page, page.get_by_label("Link"))
    page.keyboard.type(LINK)
    _tab_to(page, page.get_by_label("Quantity"))
    page.keyboard.type("1000")
    expect(page.get_by_role("button", name="Order for $0.90")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("$0.90 was charged")
    order = Order.objects.get()
    _tab_to(page, page.get_by_role("navigation").get_by_role("link", name="Orders", exact=True))
    page.keyboard.press("Enter")
    _tab_to(page, page.locator(f"#order-{order.pk} summary"))
    page.keyboard.press("Enter")
    _tab_to(page, page.get_by_role("link", name=f"Cancel order {order.pk}"))
    page.keyboard.press("Enter")
    _tab_to(page, page.get_by_role("button", name=f"Cancel order {order.pk}"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner")).to_contain_text("$10.00")
    order.refresh_from_db()
    assert order.status == Status.CANCELED
