"""A paste beyond what a request may carry is answered with a page that says how much may be sent; nothing is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from orders.models import MassOrder, Order
from portal import errors
from tests.portal.builders import LINK, a_service

pytestmark = pytest.mark.django_db
MASS = "/order/mass/"
TOO_LARGE, UNPROCESSABLE = 413, 422


def _list(number_of_bytes: int) -> str:
    line = f"{a_service().pk} | {LINK} | 100\n"
    return line * (number_of_bytes // len(line) + 1)


@pytest.mark.parametrize("checked", [True, False])
def test_a_huge_paste_is_answered_in_words_and_keeps_nothing(as_alice: Client, checked: bool) -> None:
    as_alice.handler.enforce_csrf_checks = checked  # the token is in the form that cannot be read
    as_alice.get(MASS)
    answer = as_alice.post(MASS, {"list": _list(3_000_000)}, headers={"Accept-Language": "en"})
    assert answer.status_code == TOO_LARGE
    page = answer.content.decode()
    assert "at most 2,000,000 bytes" in page
    assert f'href="{MASS}"' in page
    assert not MassOrder.objects.exists()
    assert not Order.objects.exists()


def test_it_speaks_russian(as_alice: Client) -> None:
    page = as_alice.post(MASS, {"list": _list(3_000_000)}, headers={"Accept-Language": "ru"}).content.decode()
    assert "2\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000" in page
    assert "Ничего не заказано и не списано" in page


def test_between_the_lists_limit_and_the_requests_the_form_comes_back(as_alice: Client, settings: Any) -> None:
    answer = as_alice.post(MASS, {"list": _list(2_050_000)})
    assert answer.status_code == UNPROCESSABLE
    assert "A list has at most 2,000,000 bytes." in answer.content.decode()
    file = SimpleUploadedFile("list.csv", _list(3_000_000).encode())
    assert as_alice.post(MASS, {"file": file}).status_code == UNPROCESSABLE
    assert not MassOrder.objects.exists()


def test_any_other_form_says_it_too_and_a_script_gets_json(as_alice: Client) -> None:
    answer = as_alice.post("/order/new/", {"comments": "x" * 3_000_000})
    assert answer.status_code == TOO_LARGE
    assert "shorten what you typed" in answer.content.decode()
    assert as_alice.post("/api/v2", {"comments": "x" * 3_000_000}).json()["error"].startswith("Request is too large")


def test_the_whole_of_it_is_read_so_that_the_browser_sees_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory().post(MASS, b"x" * 1_000_000, content_type="text/plain")
    errors.too_large(request)
    assert request.read() == b""
    monkeypatch.setattr(errors, "DRAINED_BYTES", 10 * errors.PIECE_BYTES)
    request = RequestFactory().post(MASS, b"x" * 1_000_000, content_type="text/plain")
    errors.too_large(request)
    assert len(request.read()) == 1_000_000 - 10 * errors.PIECE_BYTES
