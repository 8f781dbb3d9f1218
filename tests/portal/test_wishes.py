"""The lists of refills and cancellations: their states, why one was refused, and nobody else's."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer
from orders.models import CancelRequest, Order, RefillRequest
from tests.portal.builders import a_service, an_order, ended, under_way

pytestmark = pytest.mark.django_db


def _words(client: Client, address: str) -> str:
    page = client.get(address).content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def _refill(order: Order, status: str, reason: str = "") -> RefillRequest:
    ended_at = timezone.now() if status in ("Completed", "Rejected", "Canceled", "Error") else None
    customer = order.customer
    return RefillRequest.objects.create(
        order=order, customer=customer, status=status, reason=reason, ended_at=ended_at
    )


def test_refills_newest_first_with_their_states_and_why_in_our_words(
    as_alice: Client, alice: Customer, charlie: Customer
) -> None:
    service = a_service(refill=True)
    orders = [ended(alice, service=service) for _ in range(4)]
    _refill(orders[0], "unknown", "the provider XYZ did not answer")
    _refill(orders[1], "In progress")
    _refill(orders[2], "Completed")
    _refill(orders[3], "Rejected", "Order not eligible for refill. Contact XYZ")
    _refill(anothers := ended(charlie, service=service), "Completed")
    page = as_alice.get("/refills/").content.decode()
    states = re.findall(r'class="status[^"]*">([^<]*)<', page)
    assert states == ["Rejected", "Completed", "In progress", "Requested"]
    assert "Rejected Nothing is missing, or the guarantee does not cover it." in _words(as_alice, "/refills/")
    assert "XYZ" not in page
    assert f'href="/orders/{anothers.pk}/"' not in page


def test_a_refill_of_a_drip_feeds_run_leads_to_the_drip_feed(as_alice: Client, alice: Customer) -> None:
    parent = an_order(alice)
    run = ended(alice, parent=parent, run=1, charge=0)
    _refill(run, "Completed")
    page = as_alice.get("/refills/").content.decode()
    assert f'href="/orders/{parent.pk}/"' in page
    assert f'href="/orders/{run.pk}/"' not in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("waiting", "Requested The order goes on until it is confirmed."),
        ("asked", "Requested The order goes on until it is confirmed."),
        ("refused", "Refused It can no longer be stopped: the order goes on."),
        ("done", "Canceled What was not delivered is back on your balance."),
        ("too_late", "Too late The order ended before it could be stopped."),
    ],
)
def test_cancellations_say_what_became_of_them(as_alice: Client, alice: Customer, status: str, words: str) -> None:
    ended_at = None if status in ("waiting", "asked") else timezone.now()
    CancelRequest.objects.create(
        order=under_way(alice), customer=alice, status=status, reason="XYZ said so", ended_at=ended_at
    )
    assert words in _words(as_alice, "/cancellations/")
    assert "XYZ" not in _words(as_alice, "/cancellations/")


def test_empty_lists_say_what_would_be_there(as_alice: Client) -> None:
    assert "No refills yet" in _words(as_alice, "/refills/")
    assert "No cancellations yet" in _words(as_alice, "/cancellations/")


def test_older_ones_follow(as_alice: Client, alice: Customer, settings: Settings) -> None:
    settings.PORTAL_WISHES_PAGE = 1
    service = a_service(refill=True)
    first, second = ended(alice, service=service), ended(alice, service=service)
    for order in (first, second):
        _refill(order, "Completed")
    page = as_alice.get("/refills/").content.decode()
    assert f'href="/orders/{second.pk}/"' in page
    older = re.search(r'href="\?(before=\d+)"', page)
    assert older is not None
    assert f'href="/orders/{first.pk}/"' in as_alice.get(f"/refills/?{older[1]}").content.decode()
