"""Funds: the balance and the statement."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.deposits import deposit
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
