"""The fence of the attempt number: a claim that ran out and was taken over may not send any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.claiming import claim, mark, release
from orders.models import Order, State
from tests.orders.builders import a_customer, a_provider, a_service, an_order

pytestmark = pytest.mark.django_db
LEASE = timedelta(minutes=1)


def test_only_the_newest_claim_can_mark() -> None:
    provider = a_provider()
    order = an_order(a_customer(), a_service(provider))
    [slow] = claim(provider, 1)
    Order.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    [quick] = claim(provider, 1)
    assert not mark(slow, {}, lease=LEASE)
    assert mark(quick, {}, lease=LEASE)
    order.refresh_from_db()
    assert (order.state, order.attempt) == (State.SENDING, 2)
    assert [attempt.number for attempt in order.attempts.all()] == [2]


def test_an_old_claim_does_not_give_back_the_newer_one() -> None:
    provider = a_provider()
    order = an_order(a_customer(), a_service(provider))
    [slow] = claim(provider, 1)
    Order.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    claim(provider, 1)
    release(slow)
    order.refresh_from_db()
    assert order.lease_until is not None
    assert claim(provider, 1) == []
