"""What a page may cost: queries, bytes of its HTML, and the files it asks for. A page that is new needs a line here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from orders.mass import preview
from portal.urls import urlpatterns
from tests.portal.builders import a_service, ended, under_way

SCRIPT_BYTES = 100_000  # of all scripts together, uncompressed
STYLE_BYTES = 60_000
FILES = 6  # style sheets, scripts and icons that a page names

#: path → queries (session, user and customer are three of them) and kB of HTML, with thirty orders and services
PAGES: dict[str, tuple[int, int]] = {
    "/orders/": (9, 130),
    "/orders/live/?ids=ROWS": (8, 60),  # all of which changed
    "/orders/ORDER/": (14, 25),
    "/orders/ORDER/live/": (14, 14),
    "/orders/ORDER/cancel/": (8, 12),
    "/orders/ORDER/problem/": (8, 12),
    "/order/new/": (7, 60),
    "/order/new/?service=SERVICE": (11, 25),
    "/order/mass/": (6, 25),
    "/order/mass/LIST/": (5, 120),  # the first page of 2,000 lines
    "/order/mass/LIST/live/": (5, 2),
    "/services/": (7, 110),
    "/updates/": (6, 60),
    "/refills/": (5, 25),
    "/cancellations/": (5, 25),
    "/funds/": (6, 25),
    "/news/": (4, 25),
    "/account/": (9, 40),
    "/account/two-factor/": (7, 25),
    "/account/password/": (5, 15),
    "/account/address/": (5, 15),
    "/account/api/": (7, 40),
    "/account/callbacks/": (7, 25),
    "/docs/api/": (5, 160),
    "/docs/api/try/": (6, 25),
}
VISITORS: dict[str, tuple[int, int]] = {
    "/sign-in/": (0, 10),
    "/sign-up/": (0, 10),
    "/password/": (0, 10),
    "/docs/api/": (0, 160),
    "/services/": (3, 80),
    "/updates/": (2, 60),
}
NO_PAGES = {
    "home": "leads on", "second_step": "after a password alone: tests/portal/test_sign_in.py", "join": "of a letter",
    "choose_password": "of a letter", "confirm_address": "of a letter", "sign_out": "a form's end",
    "price": "a fragment: tests/portal/test_new_order.py counts it", "orders_export": "a file",
    "funds_export": "a file", "dismiss": "answers a form", "favourite": "answers a form",
    "orders_selected": "answers a form", "refill": "answers a form", "profile": "answers a form",
    "letters": "answers a form", "sign_out_others": "answers a form", "end_session": "answers a form",
    "api_key_create": "answers a form", "api_key_rotate": "a question before a form", "api_key_revoke": "the same",
    "api_repeats": "answers a form", "callback": "answers a form", "callback_again": "answers a form",
    "mass_place": "answers a form", "mass_errors": "a file",
    "language": "answers a form", "theme": "answers a form", "accent": "a style sheet", "logo": "an image",
}  # fmt: skip


def _fitting(path: str, pattern: re.Pattern[str]) -> bool:
    return bool(pattern.fullmatch(path.partition("?")[0].lstrip("/").replace("ORDER", "1").replace("LIST", "1")))


def test_every_page_has_its_budget() -> None:
    without = []
    for each in urlpatterns:
        address = re.compile(re.sub(r"<\w+:\w+>", "[^/]+", str(each.pattern)))
        if str(each.name) not in NO_PAGES and not any(_fitting(path, address) for path in (*PAGES, *VISITORS)):
            without.append(each.name)
    assert without == []


@pytest.fixture
def much(alice: Customer) -> dict[str, str]:
    service = a_service("Followers · " + "a name as long as they are " * 5, refill=True, cancel=True)
    for number in range(30):
        a_service(f"Service {number}")
    orders = [under_way(alice, service, remains=500) for _ in range(15)] + [ended(alice, service=service)] * 1
    line = f"{service.pk} | https://example.com/{'long' * 20}/%s | 1000\n"
    listed = preview(customer=alice, text="".join(line % number for number in range(2_000)))
    rows = ",".join(str(order.pk) for order in orders[:15])
    return {"ROWS": rows, "ORDER": str(orders[0].pk), "SERVICE": str(service.pk), "LIST": str(listed.pk)}


@pytest.mark.parametrize("path", sorted(PAGES))
def test_a_page_keeps_to_its_budget(as_alice: Client, much: dict[str, str], path: str) -> None:
    queries, kilobytes = PAGES[path]
    address = path
    for name, value in much.items():
        address = address.replace(name, value)
    _keeps(as_alice, address, queries, kilobytes)


@pytest.mark.parametrize("path", sorted(VISITORS))
def test_a_visitors_page_keeps_to_its_budget(client: Client, db: None, path: str) -> None:
    _keeps(client, path, *VISITORS[path])


def _keeps(client: Client, address: str, queries: int, kilobytes: int) -> None:
    client.get(address)  # templates are read once
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    assert answer.status_code in (200, 204)
    assert len(asked) <= queries, "\n".join(each["sql"][:200] for each in asked)
    assert len(answer.content) <= kilobytes * 1000, f"{len(answer.content):,} bytes"
    html = answer.content.decode()
    named = set(re.findall(r'<(?:link|script)[^>]+(?:href|src)="([^"]+)"', html))
    assert len(named) <= FILES, named
    assert all(each.startswith("/") for each in named), named


def test_scripts_and_styles_stay_small(as_alice: Client) -> None:
    html = as_alice.get("/orders/").content.decode()
    scripts = re.findall(r'<script[^>]+src="/static/([^"]+)"', html)
    assert scripts
    assert sum(_size(each) for each in scripts) <= SCRIPT_BYTES
    assert _size("css/panel.css") <= STYLE_BYTES


def _size(name: str) -> int:
    found = finders.find(name)
    assert found is not None, name
    return Path(found).stat().st_size
