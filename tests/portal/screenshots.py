"""Pictures of every page, in both sizes and themes, with little, much and awkward data; to be looked at by a person.

    python -m pytest tests/portal/screenshots.py

They land in screenshots/ (PANEL_SCREENSHOTS names another folder), which git ignores.
"""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from accounts.calls import Logged, keep_call
from accounts.deposits import deposit
from accounts.keys import issue_key
from accounts.models import Customer
from catalog.models import Service
from orders.models import Order, Status
from records.audit import SYSTEM
from tests.browser import NewPage
from tests.portal.builders import PASSWORD, a_customer, a_service, an_order, ended, it_happened, under_way

FOLDER = Path(os.environ.get("PANEL_SCREENSHOTS", "screenshots"))
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
LONG = (
    "🔥 Подписчики Instagram | Максимальное качество 💎 | Живые аккаунты с аватарками и публикациями | "
    "Скорость до 50 000 в сутки ⚡ | Гарантия восстановления 365 дней ♻️ | Без списаний | Старт 0–15 минут 🚀"
)
LONG_LINK = "https://www.example.com/a/very/long/path/" + "segment-" * 30 + "?utm_source=newsletter&id=1234567890"

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pictures(live_server: LiveServer, new_page: NewPage, size: str, dark: bool) -> None:
    little, much = a_customer("new@example.com", balance="0.000001"), a_customer("much@example.com", balance="1234.5")
    services = _services()
    orders = _orders(much, services)
    width, height = SIZES[size]
    page = new_page(width=width, height=height, dark=dark, ratio=1)
    shoot = _Shots(page, live_server.url, f"{size}-{'dark' if dark else 'light'}")
    shoot.page("sign-in", "/sign-in/")
    _sign_in(page, live_server.url, little)
    shoot.page("little-orders", "/orders/")
    shoot.page("little-funds", "/funds/")
    shoot.page("little-new-order", f"/order/new/?service={services[0].pk}&link=https://example.com/me&quantity=1000")
    page.context.clear_cookies()
    _sign_in(page, live_server.url, much)
    shoot.page("services", "/services/")
    shoot.page("services-nothing", "/services/?q=zzz")
    shoot.page("choose", "/order/new/?link=https://example.com/me")
    shoot.page("new-order", f"/order/new/?service={services[0].pk}&link=https://example.com/me&quantity=2500")
    shoot.page("new-order-awkward", f"/order/new/?service={services[1].pk}")
    page.fill("[name=quantity]", "7")
    page.fill("[name=link]", "not a link")
    page.click("#summary button")
    page.wait_for_selector("#about-quantity .field-error")
    shoot.shot("new-order-refused")
    shoot.page("orders", "/orders/")
    page.locator(".menu summary").nth(2).click()
    shoot.shot("orders-menu")
    for name, order in orders.items():
        shoot.page(f"order-{name}", f"/orders/{order.pk}/")
    shoot.page("cancel", f"/orders/{orders['waiting'].pk}/cancel/")
    shoot.page("funds", "/funds/")
    _api(shoot, much, services[0])
    shoot.page("not-found", "/nowhere/")


def _api(shoot: _Shots, customer: Customer, service: Service) -> None:
    issue_key(customer, "Shop, live", addresses=["203.0.113.7/32", "198.51.100.0/24"])
    issue_key(customer, LONG[:60])
    for action, asked, answer in (
        ("add", "service=1, link=https://example.com/me, quantity=1000", '{"order": 23501}'),
        ("status", f"orders={','.join(map(str, range(23400, 23460)))}", '{"error": "Incorrect order ID"}'),
        ("balance", "", '{"balance": "100.84292", "currency": "USD"}'),
    ):
        now = int(timezone.now().timestamp())
        keep_call(customer.pk, Logged(now - 90, "smm_Ab12Cd34", action, asked, answer, 4))
    shoot.page("api", "/account/api/", full=True)
    shoot.page("api-revoke", f"/account/api/keys/{customer.api_keys.latest('pk').pk}/revoke/")
    shoot.page("api-rotate", f"/account/api/keys/{customer.api_keys.latest('pk').pk}/rotate/")
    shoot.page("api-docs", "/docs/api/", full=True)
    shoot.page("api-try", f"/docs/api/try/?action=add&service={service.pk}&link=https://example.com/me&quantity=100")
    shoot.tab.click("button:has-text('Place this order')")
    shoot.tab.wait_for_selector("#tried-answer")
    shoot.shot("api-tried")
    shoot.tab.goto(f"{shoot.url}/account/api/")
    shoot.tab.fill("[name=name]", "Shop")
    shoot.tab.click("button:has-text('Make key')")
    shoot.shot("api-key")


class _Shots:
    def __init__(self, page: Page, url: str, folder: str) -> None:
        self.tab, self.url, self.folder = page, url, FOLDER / folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def page(self, name: str, path: str, *, full: bool = False) -> None:
        self.tab.goto(self.url + path)
        self.shot(name, full=full)

    def shot(self, name: str, *, full: bool = False) -> None:
        self.tab.wait_for_load_state("networkidle")
        self.tab.screenshot(path=self.folder / f"{name}.png", full_page=full)
        wide = self.tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} pixels too wide"


def _sign_in(page: Page, url: str, customer: Customer) -> None:
    page.goto(f"{url}/sign-in/")
    page.fill("[name=username]", customer.user.email)
    page.fill("[name=password]", PASSWORD)
    page.click("button:has-text('Sign in')")
    page.wait_for_url("**/order/new/")


def _services() -> list[Service]:
    text = "Starts within an hour.\nUp to 5,000 a day.\nThe account must be public."
    plain = a_service(
        "Instagram followers, real, 30 days refill", description=text, refill=True, refill_days=30, cancel=True
    )
    awkward = a_service(
        LONG[:200],
        category="📸 Instagram · Подписчики " + "и всё остальное " * 8,
        rate=Decimal("0.000123"),
        min=10,
        max=2_147_483_647,
    )
    others = [
        a_service(
            f"{network} {what}, {speed}",
            category=f"{network} {what}",
            rate=Decimal(n * 37 % 91 + 1) / 100,
            refill=n % 2 == 0,
            cancel=n % 3 == 0,
        )
        for n, (network, what, speed) in enumerate(
            (network, what, speed)
            for network in ("TikTok", "YouTube", "Telegram")
            for what in ("views", "likes")
            for speed in ("slow and steady", "fast", "from Germany")
        )
    ]
    package = a_service(
        "Launch package: 500 followers, 200 likes", type="package", rate=Decimal("49.99"), category="Packages"
    )
    comments = a_service(
        "Custom comments", type="custom_comments", rate=Decimal(8), min=10, max=1500, category="Comments"
    )
    return [plain, awkward, package, comments, *others]


def _orders(customer: Customer, services: list[Service]) -> dict[str, Order]:
    plain, awkward = services[0], services[1]
    now = timezone.now()
    deposit(
        customer=customer, amount=Decimal("0.000001"), reference="screens", actor=SYSTEM, note="Bank transfer 23501"
    )
    old = [ended(customer, service=each, created_at=now - timedelta(days=n)) for n, each in enumerate(services * 2)]
    old[3].refresh_from_db()
    partial = ended(
        customer, Status.PARTIAL, plain, quantity=5000, remains=1234, charge=Decimal("4.5"), refunded=Decimal("1.1106")
    )
    canceled = ended(customer, Status.CANCELED, plain, refunded=Decimal("0.90"))
    running = under_way(
        customer,
        plain,
        quantity=10_000,
        remains=6_400,
        start_count=3572,
        charge=Decimal(9),
        created_at=now - timedelta(hours=3),
    )
    it_happened(running, "accepted", at=now - timedelta(hours=2))
    it_happened(running, "cancel_asked", at=now - timedelta(minutes=4))
    strange = under_way(
        customer, awkward, quantity=2_147_483_647, remains=2_000_000_000, link=LONG_LINK, charge=Decimal("264.140469")
    )
    waiting = an_order(customer, plain)
    return {
        "waiting": waiting,
        "running": running,
        "awkward": strange,
        "partial": partial,
        "canceled": canceled,
        "completed": old[0],
    }
