"""Asking to cancel and for a refill: what may be asked, why the rest may not, and that only a POST asks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Customer
from orders.models import Order, Status
from orders.placing import Line, place_orders
from tests.portal.builders import LINK, a_service, ended, under_way

pytestmark = pytest.mark.django_db


def _placed(customer: Customer, **fields: Any) -> Order:
    (order,) = place_orders(
        customer=customer, lines=[Line(service_id=a_service(**fields).pk, fields={"link": LINK, "quantity": "1000"})]
    )
    return order


def _text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_an_order_that_was_not_sent_is_canceled_at_once_and_paid_back(as_alice: Client, alice: Customer) -> None:
    order = _placed(alice)
    confirm = _text(as_alice, f"/orders/{order.pk}/cancel/")
    assert f"Cancel order {order.pk}?" in confirm
    assert "$0.90 goes back to your balance" in confirm
    order.refresh_from_db()
    assert order.status == Status.PENDING, "looking at the question cancels nothing"
    page = as_alice.post(f"/orders/{order.pk}/cancel/", follow=True).content.decode()
    assert "Canceled" in page
    assert "$0.90 came back to your balance." in page
    alice.wallet.refresh_from_db()
    assert alice.wallet.balance == Decimal(100)


def test_with_the_provider_it_is_asked_for(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice, a_service(cancel=True))
    assert "already under way" in _text(as_alice, f"/orders/{order.pk}/cancel/")
    page = as_alice.post(f"/orders/{order.pk}/cancel/", follow=True).content.decode()
    assert "Cancellation requested" in page
    assert "Cancellation was requested." in page
    assert order.cancels.count() == 1


def test_asking_twice_asks_once(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice, a_service(cancel=True))
    as_alice.post(f"/orders/{order.pk}/cancel/")
    again = as_alice.post(f"/orders/{order.pk}/cancel/", follow=True).content.decode()
    assert "Cancellation has been requested." in again
    assert order.cancels.count() == 1


def test_what_cannot_be_canceled_says_why_and_shows_no_button(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice, a_service(cancel=False))
    page = _text(as_alice, f"/orders/{order.pk}/")
    assert "cannot be canceled once" in page
    assert f"/orders/{order.pk}/cancel/" not in page
    for answer in (as_alice.get(f"/orders/{order.pk}/cancel/"), as_alice.post(f"/orders/{order.pk}/cancel/")):
        assert answer.headers["Location"] == f"/orders/{order.pk}/"
    assert not order.cancels.exists()


def test_a_refill_is_asked_for_with_a_post(as_alice: Client, alice: Customer) -> None:
    order = ended(alice, service=a_service(refill=True, refill_days=30))
    assert f"Refill order {order.pk}" in _text(as_alice, f"/orders/{order.pk}/")
    assert as_alice.get(f"/orders/{order.pk}/refill/").headers["Location"] == f"/orders/{order.pk}/"
    assert not order.refills.exists()
    page = as_alice.post(f"/orders/{order.pk}/refill/", follow=True).content.decode()
    assert f"A refill of order {order.pk} is asked for." in page
    assert "A refill was requested." in page
    assert "A refill has been requested." in page
    assert order.refills.count() == 1


def test_a_second_refill_waits_for_the_first(as_alice: Client, alice: Customer) -> None:
    order = ended(alice, service=a_service(refill=True))
    as_alice.post(f"/orders/{order.pk}/refill/")
    page = as_alice.post(f"/orders/{order.pk}/refill/", follow=True).content.decode()
    assert "Nothing was changed." in page
    assert order.refills.count() == 1


def test_why_there_is_no_refill(as_alice: Client, alice: Customer) -> None:
    refilled = a_service(refill=True, refill_days=30)
    late = ended(alice, service=refilled, ended_at=timezone.now() - timedelta(days=31))
    reasons = {
        under_way(alice, refilled).pk: "from Completed on, within 30 days",
        ended(alice, service=a_service(refill=False)).pk: "This service has no refill.",
        late.pk: "The 30 days of refill are over.",
    }
    for order_id, reason in reasons.items():
        page = _text(as_alice, f"/orders/{order_id}/")
        assert reason in page
        assert f"/orders/{order_id}/refill/" not in page


def test_the_list_offers_what_can_be_done_and_says_why_the_rest_cannot(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice, a_service(cancel=True, refill=False))
    page = _text(as_alice, "/orders/")
    assert f"Cancel order {order.pk}" in page
    assert "This service has no refill." in page
    assert f"?service={order.service_id}&amp;link=https%3A%2F%2Fexample.com%2Falice" in page
