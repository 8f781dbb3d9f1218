"""Funds: the balance and the statement."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.deposits import correct, deposit
from accounts.models import Customer
from orders.cancelling import request_cancel
from orders.placing import Line, place_orders
from records.audit import SYSTEM
from tests.portal.builders import LINK, a_customer, a_service

pytestmark = pytest.mark.django_db


def _words(client: Client, address: str = "/funds/") -> str:
    page = client.get(address).content.decode()
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_each_movement_with_the_balance_after_it_newest_first(as_alice: Client, alice: Customer) -> None:
    line = Line(service_id=a_service().pk, fields={"link": LINK, "quantity": "1000"})
    (order,) = place_orders(customer=alice, lines=[line])
    request_cancel(order=order, actor=SYSTEM)
    words = _words(as_alice)
    rows = [
        f"Refund · order {order.pk} + 0.90 100.00",
        f"Charge · order {order.pk} −0.90 99.10",
        "Deposit + 100.00 100.00",
    ]
    assert [words.index(row) for row in rows] == sorted(words.index(row) for row in rows)
    assert f'href="/orders/{order.pk}/"' in as_alice.get("/funds/").content.decode()


def test_a_deposit_shows_what_was_noted_with_it(as_alice: Client, alice: Customer) -> None:
    deposit(customer=alice, amount=Decimal(5), reference="bank-1", actor=SYSTEM, note="Bank transfer 1")
    assert "Bank transfer 1" in _words(as_alice)


def test_the_smallest_balance_is_not_a_zero(client: Client) -> None:
    poor = a_customer("poor@example.com", balance="0.000001")
    client.force_login(poor.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "$0.000001" in _words(client)


def test_an_empty_statement_says_what_will_be_there(client: Client) -> None:
    new = a_customer("new@example.com", balance="0")
    client.force_login(new.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Nothing has moved yet" in _words(client)


def test_older_lines_follow(as_alice: Client, alice: Customer, settings: pytest.FixtureRequest) -> None:
    settings.PORTAL_STATEMENT_PAGE = 2  # type: ignore[attr-defined]
    for number in range(3):
        deposit(customer=alice, amount=Decimal(number + 1), reference=f"bank-{number}", actor=SYSTEM)
    page = as_alice.get("/funds/").content.decode()
    older = re.search(r'href="\?(before=\d+)"', page)
    assert older is not None
    words = _words(as_alice, f"/funds/?{older[1]}")
    assert "+ 1.00 101.00" in words
    assert "+ 100.00 100.00" in words
    assert "Newest" in words


def test_nobody_elses_money_is_there(as_alice: Client, charlie: Customer) -> None:
    deposit(customer=charlie, amount=Decimal("77.77"), reference="bank-c", actor=SYSTEM)
    assert "77.77" not in _words(as_alice)


def test_the_statement_as_a_file_has_every_movement_and_no_note_that_is_the_operators(
    as_alice: Client, alice: Customer, charlie: Customer
) -> None:
    line = Line(service_id=a_service().pk, fields={"link": LINK, "quantity": "1000"})
    (order,) = place_orders(customer=alice, lines=[line])
    deposit(customer=alice, amount=Decimal(5), reference="bank-1", actor=SYSTEM, note="=Bank transfer 1")
    answer: Any = as_alice.get("/funds/statement.csv")
    head, *rows = csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    assert head[2:] == ["What", "Order", "Note", "Amount, USD", "Balance after, USD"]
    assert [row[2:] for row in rows] == [
        ["Deposit", "", "'=Bank transfer 1", "5.00", "104.10"],
        ["Charge", str(order.pk), "", "-0.90", "99.10"],
        ["Deposit", "", "", "100.00", "100.00"],
    ]


def test_how_to_deposit_is_said_in_the_operators_words(as_alice: Client, settings: Settings) -> None:
    settings.DEPOSIT_INSTRUCTIONS = "Write to https://pay.example/me\n<script>alert(1)</script>"
    page = as_alice.get("/funds/").content.decode()
    assert 'href="https://pay.example/me"' in page
    assert "<br>&lt;script&gt;" in page
    settings.DEPOSIT_INSTRUCTIONS = ""
    assert "ask the operator" in as_alice.get("/funds/").content.decode()


def _moved(customer: Customer) -> int:
    """A deposit of a month ago, a charge and its refund of now, and a correction; the order's id."""
    line = Line(service_id=a_service().pk, fields={"link": LINK, "quantity": "1000"})
    (order,) = place_orders(customer=customer, lines=[line])
    request_cancel(order=order, actor=SYSTEM)
    correct(customer=customer, amount=Decimal("-1.5"), reference="slip", actor=SYSTEM, reason="A slip")
    return order.pk


def _what(client: Client, query: str) -> list[str]:
    page = client.get(f"/funds/?{query}").content.decode()
    return re.findall(r'<td class="table-name"><span class="font-medium">([^<]*)<', page)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("", ["Correction", "Refund", "Charge", "Deposit"]),
        ("deposits", ["Deposit"]),
        ("orders", ["Charge"]),
        ("refunds", ["Refund"]),
        ("corrections", ["Correction"]),
        ("nonsense", ["Correction", "Refund", "Charge", "Deposit"]),
    ],
)
def test_by_kind_on_the_page_and_in_the_file(as_alice: Client, alice: Customer, kind: str, what: list[str]) -> None:
    _moved(alice)
    assert _what(as_alice, f"kind={kind}") == what
    narrowed = kind not in ("", "nonsense")
    page = as_alice.get(f"/funds/?kind={kind}").content.decode()
    assert ("Balance after" in page) != narrowed  # what lies between two lines is not told
    answer: Any = as_alice.get(f"/funds/statement.csv?kind={kind}")
    head, *rows = csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    assert [row[2] for row in rows] == what
    assert ("Balance after, USD" in head) != narrowed
    assert {len(row) for row in rows} == {len(head)}


def test_by_day_in_the_customers_own_time(as_alice: Client, alice: Customer) -> None:
    alice.user.time_zone = "Asia/Tokyo"
    alice.user.save()
    here = timezone.now().astimezone(ZoneInfo("Asia/Tokyo")).date()
    day, before, after = here.isoformat(), here - timedelta(days=1), here + timedelta(days=1)
    for query in (f"since={day}", f"until={day}", f"since={day}&until={day}", f"since={before}&until={after}"):
        assert _what(as_alice, query) == ["Deposit"], query
    for query in (f"since={after}", f"until={before}", f"since={after}&until={before}"):
        page = as_alice.get(f"/funds/?{query}").content.decode()
        assert "Nothing in these days" in page, query
        assert "Show the whole statement" in page
    for query in ("since=2026-02-30", "until=yesterday", "since=99999-01-01", "since=0001-01-01", "since=%00"):
        assert _what(as_alice, query) == ["Deposit"], query  # an impossible day is none


def test_filters_go_along_to_the_next_page_and_into_the_file(
    as_alice: Client, alice: Customer, settings: Settings
) -> None:
    settings.PORTAL_STATEMENT_PAGE = 2
    for number in range(3):
        deposit(customer=alice, amount=Decimal(number + 1), reference=f"bank-{number}", actor=SYSTEM)
    _moved(alice)
    query = f"kind=deposits&since={timezone.now() - timedelta(days=2):%Y-%m-%d}"
    page = as_alice.get(f"/funds/?{query}").content.decode()
    assert f'href="/funds/statement.csv?{query.replace("&", "&amp;")}"' in page
    older = re.search(r'href="\?([^"]*before=\d+)"', page)
    assert older is not None
    page = as_alice.get(f"/funds/?{older[1].replace('&amp;', '&')}").content.decode()
    assert len(re.findall(r">Deposit</span>", page)) == 2
    assert not re.search(r'href="[^"]*before=', page)
    assert f'href="/funds/?{query.replace("&", "&amp;")}"' in page  # the newest, narrowed alike


def test_a_changed_day_fetches_the_statement_alone(as_alice: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "statement"}
    part = as_alice.get("/funds/?since=2026-01-01", headers=headers).content.decode()
    assert "<html" not in part
    assert "Deposit" in part
