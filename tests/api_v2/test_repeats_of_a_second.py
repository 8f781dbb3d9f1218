"""The shortest time within which an identical order is the first one: a second, on either side of its end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F

from accounts.repeats import set_repeat_seconds
from orders.models import Order, Placement
from records.audit import actor_of
from tests.api_v2.builders import Reseller
from tests.orders.builders import LINK, a_service, balance

pytestmark = pytest.mark.django_db


def _one_second(rita: Reseller) -> dict[str, object]:
    set_repeat_seconds(customer=rita.customer, seconds=1, actor=actor_of(rita.customer.user))
    return {"service": a_service(None, rate="1").pk, "link": LINK, "quantity": 1000}


def _ago(seconds: float) -> None:
    Placement.objects.update(at=F("at") - timedelta(seconds=seconds))


def test_within_a_second_it_is_the_first_and_after_it_another(rita: Reseller) -> None:
    asked = _one_second(rita)
    first = rita.call("add", **asked)
    assert rita.call("add", **asked) == first
    _ago(1)
    second = rita.call("add", **asked)
    assert second != first
    assert rita.call("add", **asked) == second, "the second begins anew with each order that was made"
    assert (Order.objects.count(), balance(rita.customer)) == (2, Decimal(98))


def test_what_differs_is_another_order_at_once(rita: Reseller) -> None:
    asked = _one_second(rita)
    answers = [rita.call("add", **{**asked, "quantity": quantity}) for quantity in (1000, 1001, 1002)]
    assert len({answer["order"] for answer in answers}) == 3


def test_a_token_of_a_second_ago_is_kept_no_longer_than_it_is_asked_for(rita: Reseller) -> None:
    asked = _one_second(rita)
    for _ in range(3):
        rita.call("add", **asked)
        _ago(1.5)
    assert (Order.objects.count(), Placement.objects.count()) == (3, 1)


def test_an_idempotency_key_is_not_bound_to_the_second(rita: Reseller) -> None:
    asked = _one_second(rita)
    first = rita.call("add", **asked, request_id="abc")
    _ago(60)
    assert rita.call("add", **asked, request_id="abc") == first
