"""The pages in a real browser: what a customer sees and presses. A word on the console fails a test (`new_page`)."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Customer
from callbacks.models import CallbackAddress
from callbacks.outbox import send_test
from conversations.models import Thread
from conversations.talking import answer
from orders.models import Order, State, Status
from records.audit import SYSTEM
from tests.browser import WAIT_MS, NewPage
from tests.portal.builders import LINK, PASSWORD, a_customer, a_service, an_order, ended, under_way

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def buyer(transactional_db: None) -> Customer:
    return a_customer("alice@example.com", balance="10")


def _sign_in(page: Page, site: LiveServer, path: str = "/") -> None:
    page.goto(site.url + path)
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(re.compile("sign-in"))
    page.wait_for_load_state()


def _offers(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Services").get_by_role("option")


def test_signing_in_leads_on_and_signing_out_ends_it(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    _sign_in(page, live_server, "/funds/")
    expect(page.get_by_role("heading", name="Funds")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("$10.00")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_password_is_said(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    page.goto(live_server.url)
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill("nonsense")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")


def test_an_order_from_the_search_to_its_page_with_the_price_following(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    a_service("Real followers", rate=Decimal("0.90"))
    a_service("Views", category="TikTok")
    _sign_in(page, live_server)
    page.keyboard.press("/")
    page.keyboard.type("foll real")
    expect(page.locator(".offer")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=foll%20real"))
    page.get_by_role("option", name="Real followers").click()
    page.get_by_label("Quantity").press_sequentially("2500")
    expect(page.get_by_role("button", name="Order for $2.25")).to_be_visible()
    expect(page.locator("#summary")).to_contain_text("$7.75")
    page.get_by_label("Link").fill(LINK)
    page.get_by_role("button", name="Order for $2.25").click()
    expect(page.get_by_role("status")).to_contain_text("$2.25 was charged")
    expect(page.get_by_role("banner")).to_contain_text("$7.75")
    assert Order.objects.get().quantity == 2500


def test_a_service_is_chosen_by_keyboard_alone(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    for name, category in (("Real followers", "Instagram"), ("Slow followers", "Instagram"), ("Views", "TikTok views")):
        a_service(name, category=category)
    _sign_in(page, live_server)
    field = page.get_by_role("combobox", name="Search services")
    expect(field).to_be_focused()
    page.keyboard.type("/followers")  # the key that leads to a search does no harm where one is already
    expect(_offers(page)).to_have_count(2)
    expect(page.locator(".offer[aria-selected=true]")).to_contain_text("Real followers")
    page.keyboard.press("ArrowDown")
    chosen = page.locator(".offer[aria-selected=true]")
    expect(chosen).to_contain_text("Slow followers")
    expect(field).to_have_attribute("aria-activedescendant", str(chosen.get_attribute("id")))
    page.keyboard.press("Escape")
    expect(_offers(page)).to_have_count(3)
    page.keyboard.type("slow")
    expect(_offers(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Slow followers")).to_be_visible()
    expect(page.get_by_label("Link")).to_be_focused()


def test_chips_narrow_by_platform_and_a_star_is_found_again(
    live_server: LiveServer, new_page: NewPage, buyer: Customer
) -> None:
    for name, category in (("Real followers", "Instagram followers"), ("Views", "TikTok views")):
        a_service(name, category=category)
    page = new_page(width=390, height=844)
    _sign_in(page, live_server)
    page.goto(f"{live_server.url}/services/")
    page.get_by_role("radio", name="TikTok").check()
    expect(page.locator("tr:has(.cell-rate)")).to_have_count(1)
    expect(page.get_by_label("Category").locator("option")).to_have_text(["All categories", "TikTok views"])
    expect(page).to_have_url(re.compile(r"platform=TikTok"))
    page.get_by_role("button", name=re.compile("^Make service")).click()
    expect(page.get_by_role("button", name=re.compile("^Take service"))).to_be_focused()
    page.goto(f"{live_server.url}/order/new/?link={LINK}")
    page.get_by_role("checkbox", name="Favourites").check()
    expect(_offers(page)).to_have_count(1)
    _offers(page).filter(has_text="Views").click()
    expect(page.get_by_role("button", name="A favourite")).to_be_visible()
    expect(page.get_by_label("Link")).to_have_value(LINK)


def test_a_visitor_searches_the_price_list(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    for name in ("Real followers", "Views"):
        a_service(name)
    page.goto(f"{live_server.url}/services/")
    page.get_by_label("Search services").fill("vie")
    expect(page.locator("tr:has(.cell-rate)")).to_have_count(1)
    page.get_by_role("link", name="Updates").click()
    expect(page.get_by_role("row")).to_have_count(3)


def test_enter_in_a_field_orders(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    service = a_service()
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}")
    page.get_by_label("Quantity").fill("100")
    page.get_by_label("Quantity").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is placed")
    assert Order.objects.count() == 1


def test_a_press_that_lasts_longer_than_the_price_takes_orders(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    service = a_service()
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}")
    page.get_by_label("Quantity").fill("1000")
    expect(page.get_by_role("button", name="Order for $0.90")).to_be_visible()
    page.get_by_label("Quantity").press_sequentially("0")  # the new price arrives while the button is held
    page.locator("#summary").get_by_role("button").click(delay=400)
    expect(page.get_by_role("status")).to_contain_text("$9.00 was charged")
    assert Order.objects.get().quantity == 10_000


def test_by_keyboard_the_button_keeps_the_focus_when_the_price_arrives(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    service = a_service()
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}")
    page.get_by_label("Quantity").press_sequentially("1000")
    page.keyboard.press("Tab")
    expect(page.locator("#order-button")).to_be_focused()
    expect(page.get_by_role("button", name="Order for $0.90")).to_be_focused()
    page.wait_for_timeout(400)  # longer than what leaving a field might still set off
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("$0.90 was charged")


def test_without_the_money_there_is_no_button_until_there_is_enough(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    service = a_service(rate=Decimal(10))
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}&quantity=5000")
    expect(page.locator("#order-button")).to_be_hidden()
    page.get_by_label("Quantity").fill("1000")
    expect(page.get_by_role("button", name="Order for $10.00")).to_be_visible()
    expect(page.get_by_role("link", name="add funds")).to_have_count(0)


def test_a_wrong_quantity_is_said_while_typing_and_at_the_field(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    service = a_service()
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}")
    page.get_by_label("Quantity").fill("7")
    expect(page.locator("#summary")).to_contain_text("Quantity must be between 50 and 10,000.")
    page.get_by_role("button", name="Order", exact=True).click()
    expect(page.locator("#about-quantity")).to_contain_text("Quantity must be between 50 and 10,000.")
    expect(page.get_by_label("Quantity")).to_have_value("7")
    expect(page.get_by_label("Link")).to_have_value(LINK)
    assert not Order.objects.exists()


def test_two_presses_and_the_back_button_make_one_order(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    service = a_service()
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}&quantity=1000")
    page.get_by_role("button", name="Order for $0.90").dblclick()
    expect(page.get_by_role("status")).to_contain_text("is placed")
    assert Order.objects.count() == 1
    page.go_back()
    expect(page.get_by_role("heading", name="New order")).to_be_visible()
    assert Order.objects.count() == 1


def test_too_little_money_leads_to_funds(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    service = a_service(rate=Decimal(10))
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}")
    page.get_by_label("Quantity").fill("5000")
    page.get_by_role("link", name="$40.00 short: add funds").click()
    expect(page.get_by_role("heading", name="Funds")).to_be_visible()


def test_canceling_names_the_order_and_pays_back(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    service = a_service()
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}&quantity=1000")
    page.get_by_role("button", name="Order for $0.90").click()
    order = Order.objects.get()
    page.get_by_role("link", name=f"Cancel order {order.pk}").click()
    expect(page.get_by_role("heading", name=f"Cancel order {order.pk}?")).to_be_visible()
    page.get_by_role("button", name=f"Cancel order {order.pk}").click()
    expect(page.get_by_role("banner")).to_contain_text("$10.00")
    expect(page.locator("#order .status").first).to_have_text("Canceled")


def test_rows_follow_their_orders_without_a_reload(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    order, other = under_way(buyer, remains=900), under_way(buyer)
    _sign_in(page, live_server, "/orders/")
    row = page.locator(f"#order-{order.pk}")
    expect(row).to_contain_text("100 of 1,000")
    page.evaluate("window.sameDocument = true")
    Order.objects.filter(pk=order.pk).update(remains=400)
    _tick(page)
    expect(row).to_contain_text("600 of 1,000", timeout=WAIT_MS)
    Order.objects.filter(pk__in=[order.pk, other.pk]).update(state=State.ENDED, status=Status.COMPLETED)
    _tick(page)
    expect(row).to_contain_text("Completed", timeout=WAIT_MS)  # at the latest by the page's own clock
    expect(page.locator("[data-live]")).to_have_count(0)
    assert page.evaluate("window.sameDocument") is True


def test_several_orders_are_found_chosen_by_keyboard_and_canceled_together(
    live_server: LiveServer, new_page: NewPage, buyer: Customer
) -> None:
    service = a_service(cancel=True)
    first, second, other = an_order(buyer, service), an_order(buyer, service, remains=900), an_order(buyer, service)
    page = new_page(width=390, height=844)
    _sign_in(page, live_server, "/orders/")
    page.keyboard.press("/")
    page.keyboard.type(f"{first.pk}, {second.pk}")
    expect(page.locator(f"#order-{other.pk}")).to_have_count(0)
    expect(page).to_have_url(re.compile(rf"q={first.pk}%2C%20{second.pk}"))
    page.wait_for_function("!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")
    page.wait_for_timeout(100)  # the address changes a moment before the list does
    for order in (first, second):
        page.get_by_label(f"Select order {order.pk}").focus()
        page.keyboard.press("Space")
    bar = page.locator("#selected")
    expect(bar).to_contain_text("2 selected")
    Order.objects.filter(pk=second.pk).update(remains=400)
    _tick(page)
    expect(page.locator(f"#order-{second.pk}")).to_contain_text("600 of 1,000", timeout=WAIT_MS)
    expect(page.get_by_label(f"Select order {second.pk}")).to_be_checked()
    bar.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel 2 orders").click()
    expect(page.get_by_role("status")).to_contain_text("2 orders were canceled")
    other.refresh_from_db()
    assert other.state == State.WAITING


def test_a_problem_is_told_by_keyboard_on_a_phone_and_its_answer_found(
    live_server: LiveServer, new_page: NewPage, buyer: Customer
) -> None:
    order = ended(buyer)
    page = new_page(width=390, height=844)
    _sign_in(page, live_server, f"/orders/{order.pk}/")
    page.get_by_role("link", name="Problem with this order").press("Enter")
    page.get_by_label("The count has dropped").press("Space")
    page.get_by_label("What should we know?").fill("It fell by half.")
    page.get_by_role("button", name="Send").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is sent.")
    answer(thread=Thread.objects.get(), text="We look into it.", actor=SYSTEM)
    page.get_by_role("link", name="Orders", exact=True).last.click()
    page.get_by_role("status").get_by_role("link", name=f"order {order.pk}").click()
    expect(page.get_by_text("We look into it.")).to_be_visible()
    page.goto(f"{live_server.url}/orders/")
    expect(page.get_by_text("You have an answer")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_rows_menu_opens_in_place_and_closes_again(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    order = ended(buyer, service=a_service(refill=True))
    _sign_in(page, live_server, "/orders/")
    menu = page.get_by_label(f"What you can do with order {order.pk}")
    menu.click()
    expect(page.get_by_text("The order has ended.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("The order has ended.")).to_be_hidden()
    menu.click()
    page.get_by_role("button", name=f"Refill order {order.pk}").click()
    expect(page.get_by_role("status")).to_contain_text("is asked for")


def test_an_orders_page_follows_it(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    order = under_way(buyer, remains=900)
    _sign_in(page, live_server, f"/orders/{order.pk}/")
    Order.objects.filter(pk=order.pk).update(state=State.ENDED, status=Status.COMPLETED)
    _tick(page)
    expect(page.locator("#order .status").first).to_have_text("Completed", timeout=WAIT_MS)


def test_a_session_that_ended_takes_a_live_page_to_sign_in_and_back(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    under_way(buyer)
    _sign_in(page, live_server, "/orders/")
    page.context.clear_cookies()
    _tick(page)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.url.endswith("?next=/orders/")


def test_a_theme_is_pinned(live_server: LiveServer, page: Page, buyer: Customer) -> None:
    _sign_in(page, live_server, "/orders/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("banner").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_everything_works_without_script(live_server: LiveServer, new_page: NewPage, buyer: Customer) -> None:
    a_service("Real followers")
    page = new_page(scripts=False)
    _sign_in(page, live_server)
    page.get_by_label("Search services").fill("followers")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Real followers").click()
    page.get_by_label("Link").fill(LINK)
    page.get_by_label("Quantity").fill("1000")
    page.get_by_role("button", name="Order", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("$0.90 was charged")


def test_a_key_is_made_and_the_documentation_follows_the_language(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    _sign_in(page, live_server, "/account/api/")
    page.get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="Make key").click()
    expect(page.get_by_label("Shop")).to_have_value(re.compile(r"smm_\w{8}_\w{32}"))
    page.get_by_role("link", name="How to call").click()
    page.get_by_role("radio", name="PHP", exact=True).check()
    expect(page.locator("#add .docs-code-php").first).to_be_visible()
    expect(page.locator("#add .docs-code-curl").first).to_be_hidden()
    page.locator("#status").get_by_text("Python", exact=True).first.click()
    expect(page.locator("#add .docs-code-python").first).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#balance .docs-code-python").get_by_role("button", name="Copy").click()
    assert "requests.post" in page.evaluate("navigator.clipboard.readText()")


def test_where_a_browser_gives_no_clipboard_the_ids_are_shown_to_be_copied_by_hand(
    live_server: LiveServer, page: Page, buyer: Customer
) -> None:
    """As over http, on any machine but one's own."""
    first, second = under_way(buyer), under_way(buyer)
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    _sign_in(page, live_server, "/orders/")
    page.get_by_label("Select all on this page").check()
    shown: list[str] = []

    def read(dialog: Dialog) -> None:
        shown.append(dialog.default_value)
        dialog.dismiss()

    page.on("dialog", read)
    page.get_by_role("button", name="Copy IDs").click()
    assert shown == [f"{second.pk},{first.pk}"]


def test_the_documentation_is_read_without_script_and_without_signing_in(
    live_server: LiveServer, new_page: NewPage
) -> None:
    page = new_page(scripts=False, width=360, height=740)
    page.goto(f"{live_server.url}/docs/api/")
    page.get_by_role("radio", name="JavaScript", exact=True).check()
    expect(page.locator("#add .docs-code-js").first).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_on_a_phone_what_has_the_focus_is_never_under_a_bar(
    live_server: LiveServer, new_page: NewPage, buyer: Customer
) -> None:
    service = a_service(description="More words\n" * 40, dripfeed=True)
    page = new_page(width=390, height=844)
    _sign_in(page, live_server, f"/order/new/?service={service.pk}&link={LINK}&quantity=100")
    page.get_by_label("Quantity").focus()
    under = "([top, bottom]) => { const box = document.activeElement.getBoundingClientRect();"
    under += " return document.activeElement.id + (box.top >= top && box.bottom <= bottom ? '' : ' is covered'); }"
    tabs = page.locator(".tabs").bounding_box()
    assert tabs is not None
    way = (("Tab", "runs"), ("Tab", "interval"), ("Tab", "button"), ("Shift+Tab", "interval"), ("Shift+Tab", "runs"))
    for key, name in way:
        page.keyboard.press(key)
        assert page.evaluate(under, [56, tabs["y"]]) in (f"field-{name}", f"order-{name}")


def test_no_page_is_wider_than_a_phone(live_server: LiveServer, new_page: NewPage, buyer: Customer) -> None:
    service = a_service("Подписчики🔥" * 20, category="Очень длинная категория " * 12, max=2_147_483_647)
    order = an_order(buyer, service, link="https://example.com/" + "a" * 900, quantity=2_147_483_647)
    url = "https://example.com/" + "a" * 400
    address = CallbackAddress.objects.create(customer=buyer, url=url, secret="whsec_AA==")
    send_test(address=address, actor=SYSTEM)
    page = new_page(width=360, height=740)
    _sign_in(page, live_server)
    for path in (
        "/orders/",
        f"/orders/{order.pk}/",
        "/services/",
        "/order/new/",
        f"/order/new/?service={service.pk}",
        "/funds/",
        "/account/callbacks/",
        "/account/api/",
        "/docs/api/",
        "/docs/api/try/?action=add",
    ):
        page.goto(live_server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def _tick(page: Page) -> None:
    """What the page's own clock does every few seconds."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_list_by_keyboard_on_a_phone(live_server: LiveServer, new_page: NewPage, buyer: Customer) -> None:
    page = new_page(width=390, height=844)
    service = a_service()
    _sign_in(page, live_server, "/order/mass/")
    expect(page.get_by_label("One order a line")).to_be_focused()
    page.keyboard.insert_text(f"{service.pk} | {LINK} | 1000\n{service.pk} | {LINK} | 3")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Order the good lines (1) for $0.90")
    expect(button).to_be_visible()
    expect(page.get_by_text("Quantity must be between 50 and 10,000")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Orders placed: 1, for $0.90")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page.get_by_role("link", name=f"order {Order.objects.get().pk}")).to_be_visible()
