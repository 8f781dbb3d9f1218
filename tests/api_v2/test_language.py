"""The API speaks English to everybody: what a caller's browser, cookie or account speaks moves no byte of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from accounts.preferences import set_language
from orders.models import Order
from tests.api_v2.builders import ADDRESS, Reseller
from tests.portal.builders import LINK, a_service, ended

IN_RUSSIAN = {"Accept-Language": "ru"}
REFUSALS: dict[str, dict[str, Any]] = {
    "no quantity": {"link": LINK},
    "no link": {"quantity": 100},
    "a link that is none": {"link": "two words", "quantity": 100},
    "too few": {"link": LINK, "quantity": 1},
    "too many": {"link": LINK, "quantity": 99_999},
    "no number": {"link": LINK, "quantity": "many"},
    "far too large": {"link": LINK, "quantity": "9" * 18},
    "too long a link": {"link": f"{LINK}{'x' * 3000}", "quantity": 100},
    "control characters": {"link": "https://example.com/\x07", "quantity": 100},
    "no drip-feed": {"link": LINK, "quantity": 100, "runs": 2, "interval": 10},
    "no such service": {"service": 999_999, "link": LINK, "quantity": 100},
    "no service": {"service": ""},
}


def _answers(client: Client, key: str, calls: list[dict[str, Any]], headers: dict[str, str]) -> list[Any]:
    answered = [client.post(ADDRESS, {"key": key, **call}, headers=headers) for call in calls]
    kept = ("Content-Type", "Content-Language", "Cache-Control", "ETag")
    return [(each.status_code, each.content, {name: each.headers.get(name) for name in kept}) for each in answered]


@pytest.mark.django_db
def test_no_byte_of_an_answer_follows_a_language(rita: Reseller) -> None:
    service = a_service()
    dear = a_service("Dear", rate=Decimal(900_000))
    comments = a_service("Comments", type="custom_comments", min=5)
    traffic = a_service("Traffic", type="web_traffic")
    subscription = a_service("Subscription", type="subscriptions")
    done = ended(rita.customer, service=a_service("Refilled", refill=True, refill_days=0, cancel=True))
    calls: list[dict[str, Any]] = [{"action": "add", "service": service.pk, **fields} for fields in REFUSALS.values()]
    calls += [
        {"action": "add", "service": dear.pk, "link": LINK, "quantity": 1000},
        {"action": "add", "service": comments.pk, "link": LINK, "comments": "one\ntwo"},
        {"action": "add", "service": comments.pk, "link": LINK},
        {"action": "add", "service": traffic.pk, "link": LINK, "quantity": 100, "device": 9},
        {"action": "add", "service": subscription.pk, "username": "a b", "min": 60, "max": 50, "expiry": "soon"},
        {"action": "cancel", "order": done.pk},
        {"action": "cancel", "orders": done.pk},
        {"action": "refill", "order": done.pk},
        {"action": "refill", "orders": done.pk},
        {"action": "status", "order": done.pk},
        {"action": "status", "order": 1_000_000},
        {"action": "balance"},
        {"action": "services"},
        {"action": "dance"},
        {},
    ]
    english = _answers(Client(), rita.key, calls, {})
    asking = Client()
    asking.cookies["language"] = "ru"
    set_language(user=rita.customer.user, language="ru")
    asking.force_login(rita.customer.user, backend="django.contrib.auth.backends.ModelBackend")
    with translation.override("ru"):  # what a thread was left in must not matter either
        assert _answers(asking, rita.key, calls, IN_RUSSIAN) == english
    assert {each[2]["Content-Language"] for each in english} == {"en"}
    assert b"Incorrect request: Quantity is required." in b"".join(each[1] for each in english)
    assert list(Order.objects.values_list("pk", flat=True)) == [done.pk]
