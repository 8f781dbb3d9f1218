"""The README's pictures: a panel on an ordinary day. `make screenshots PICTURES=1` takes them into docs/pictures/."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import Customer
from catalog.models import Service
from orders.models import Status
from tests.browser import NewPage
from tests.portal.builders import a_customer, a_service, ended, it_happened, under_way
from tests.portal.scenes import Stage
from tests.portal.world import World

FOLDER = Path("docs/pictures")
WIDE, PHONE = (1280, 740), (390, 740)
HANDLE = "https://www.instagram.com/riverside.coffee"
MINUTE = timedelta(minutes=1)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("name", "path", "size", "dark"),
    [
        ("new-order", "/order/new/?service={followers}&link=" + HANDLE + "&quantity=2500", WIDE, False),
        ("orders-dark", "/orders/", WIDE, True),
        ("orders-phone", "/orders/", PHONE, False),
        ("order-phone-dark", "/orders/{running}/", PHONE, True),
    ],
)
def test_picture(
    live_server: LiveServer, new_page: NewPage, name: str, path: str, size: tuple[int, int], dark: bool
) -> None:
    width, height = size
    buyer = a_customer("nina@riverside.example", balance="184.6")
    services = _services()
    names = {"followers": str(services[0].pk), "running": str(_orders(buyer, services))}
    page = new_page(width=width, height=height, dark=dark)
    stage = Stage(page, live_server.url, World({"buyer": buyer}, "", names))
    stage.sign_in("buyer")
    page.goto(live_server.url + path.format(**names))
    page.evaluate("document.fonts.ready")
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.png")


def _services() -> list[Service]:
    text = "Starts within an hour.\nReal accounts with pictures and posts.\nThe profile must be public."
    refill: dict[str, Any] = {"refill": True, "refill_days": 30, "cancel": True}
    made = [a_service("Instagram followers, real, 30 days refill", category="Instagram followers",
                      rate=Decimal("0.85"), max=100_000, description=text, **refill)]  # fmt: skip
    for network, what, more, rate, most in (
        ("Instagram", "followers", "mixed, no refill", "0.42", 50_000),
        ("Instagram", "likes", "fast start", "0.18", 20_000),
        ("Instagram", "likes", "from Germany", "1.60", 5_000),
        ("TikTok", "views", "up to a million a day", "0.02", 10_000_000),
        ("TikTok", "followers", "30 days refill", "1.95", 50_000),
        ("YouTube", "views", "60 seconds and longer", "1.40", 500_000),
        ("YouTube", "likes", "slow and steady", "0.75", 20_000),
        ("Telegram", "members", "no drop", "0.60", 30_000),
        ("Telegram", "post views", "last five posts", "0.09", 100_000),
    ):
        named: dict[str, Any] = {"category": f"{network} {what}", "rate": Decimal(rate), "max": most}
        also: dict[str, Any] = refill if "refill" in more and "no refill" not in more else {"cancel": "likes" in what}
        made.append(a_service(f"{network} {what}, {more}", **named, **also))
    return made


def _orders(buyer: Customer, services: list[Service]) -> int:
    """Twelve, the newest of them on their way; the id of one that is."""
    now, running = timezone.now(), 0
    days = [(services[n % len(services)], n) for n in range(12, 3, -1)]
    for service, n in days:
        status = Status.PARTIAL if n == 5 else Status.CANCELED if n == 8 else Status.COMPLETED
        quantity = 500 * (n % 4 + 1)
        rest = {Status.PARTIAL: quantity // 4, Status.CANCELED: quantity}.get(status, 0)
        charge = service.rate * quantity / 1000
        ended(buyer, status, service, quantity=quantity, remains=rest, charge=charge, link=HANDLE,
              refunded=charge * rest / quantity, created_at=now - n * 190 * MINUTE)  # fmt: skip
    for service, quantity, remains, minutes in (
        (services[4], 250_000, 91_000, 95), (services[0], 5000, 1840, 70), (services[6], 20_000, 18_300, 31),
    ):  # fmt: skip
        at = now - minutes * MINUTE
        order = under_way(buyer, service, quantity=quantity, remains=remains, start_count=3572, link=HANDLE,
                          charge=service.rate * quantity / 1000, created_at=at)  # fmt: skip
        it_happened(order, "accepted", at=at + MINUTE)
        if service == services[0]:
            running = order.pk
    return running
