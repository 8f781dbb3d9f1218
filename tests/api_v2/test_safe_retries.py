"""The same order sent again: with a key it is made once, whatever happened in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as panel
from django.db import connections
from django.utils import timezone

from orders.models import Order, Placement
from orders.tidying import forget_tokens
from tests.api_v2.builders import Reseller, a_reseller, answer
from tests.orders.builders import LINK, a_service, balance, books_are_right

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"}


def test_the_same_key_and_order_get_the_same_answer_byte_for_byte(rita: Reseller) -> None:
    service = a_service(None)
    first = rita.raw("add", service=service.pk, link=LINK, quantity=1000, headers=KEY)
    again = rita.raw("add", quantity=1000, link=LINK, service=service.pk, headers=KEY)  # fields in another order
    assert first.content == again.content
    assert Order.objects.count() == 1
    assert balance(rita.customer) == Decimal("98.875")


def test_a_field_does_what_the_header_does(rita: Reseller) -> None:
    service = a_service(None)
    asked = {"service": service.pk, "link": LINK, "quantity": 1000, "request_id": "abc"}
    assert rita.call("add", **asked) == rita.call("add", **asked)
    assert rita.call("add", **{**asked, "request_id": "abd"}) != rita.call("add", **asked)
    assert Order.objects.count() == 2


def test_the_same_key_with_another_order_is_refused(rita: Reseller) -> None:
    service = a_service(None)
    rita.raw("add", service=service.pk, link=LINK, quantity=1000, headers=KEY)
    other = rita.raw("add", service=service.pk, link=LINK, quantity=2000, headers=KEY)
    assert answer(other) == {"error": "This Idempotency-Key was used with another order"}
    assert Order.objects.count() == 1


def test_what_was_refused_may_be_tried_again_with_the_same_key(rita: Reseller) -> None:
    dear = a_service(None, rate="150")
    asked: dict[str, Any] = {"service": dear.pk, "link": LINK, "quantity": 1000}
    assert answer(rita.raw("add", headers=KEY, **asked)) == {"error": "Not enough funds on balance"}
    dear.rate = Decimal("50")
    dear.save()
    assert "order" in answer(rita.raw("add", headers=KEY, **asked))


def test_a_key_is_its_customers_own(rita: Reseller) -> None:
    service, otto = a_service(None), a_reseller(email="otto@example.com")
    hers = answer(rita.raw("add", service=service.pk, link=LINK, quantity=1000, headers=KEY))
    his = answer(otto.raw("add", service=service.pk, link=LINK, quantity=1000, headers=KEY))
    assert hers != his


@pytest.mark.parametrize("key", ["", "x" * 201, "caf\u00e9\u200b"])
def test_a_key_that_is_none_is_refused(rita: Reseller, key: str) -> None:
    service = a_service(None)
    found = rita.call("add", service=service.pk, link=LINK, quantity=1000, request_id=key or " " * 3 + "\t")
    assert found == {"error": "Idempotency-Key must be 1 to 200 printable characters"}
    assert not Order.objects.exists()


def test_a_key_holds_for_three_days(rita: Reseller) -> None:
    service = a_service(None)
    rita.raw("add", service=service.pk, link=LINK, quantity=1000, headers=KEY)
    assert panel.ORDER_TOKEN_HOURS == 72
    Placement.objects.update(at=timezone.now() - timedelta(hours=71))
    forget_tokens()
    rita.raw("add", service=service.pk, link=LINK, quantity=1000, headers=KEY)
    assert Order.objects.count() == 1


def test_without_a_key_a_second_identical_order_is_another_order(rita: Reseller) -> None:
    service = a_service(None)
    asked = {"service": service.pk, "link": LINK, "quantity": 1000}
    assert rita.call("add", **asked) != rita.call("add", **asked)


def test_or_by_the_customers_choice_it_is_answered_with_the_first(rita: Reseller) -> None:
    service = a_service(None)
    rita.customer.repeat_seconds = 60
    rita.customer.save()
    asked = {"service": service.pk, "link": LINK, "quantity": 1000}
    first = rita.call("add", **asked)
    assert rita.call("add", **asked) == first
    assert rita.call("add", **{**asked, "quantity": 1001}) != first
    Placement.objects.update(at=timezone.now() - timedelta(seconds=61))
    assert rita.call("add", **asked) != first
    books_are_right()


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_are_one_order(rita: Reseller) -> None:
    service = a_service(None)

    def add(_: int) -> Any:
        try:
            return rita.raw("add", service=service.pk, link=LINK, quantity=1000, headers=KEY).content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = set(pool.map(add, range(50)))
    assert len(answers) == 1
    assert Order.objects.count() == 1
    assert balance(rita.customer) == Decimal("98.875")
