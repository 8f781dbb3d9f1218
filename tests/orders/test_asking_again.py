"""Ended orders are asked for again: a late refund reaches our books and the operator, anything else only alerts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.models import Order
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    booked,
    books_are_right,
    followed,
    saying,
    sent,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


def an_ended_order(sandbox: Sandbox, words: str = "fast") -> Order:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider), link=saying(words))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert order.state == "ended"
    return order


def asked_again(order: Order) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Order.objects.filter(pk=order.pk).update(ask_again_at=past, ended_at=past - timedelta(days=1))
    assert order.provider is not None
    turn("ask_again", order.provider)
    order.refresh_from_db()


def test_it_is_asked_after_1_3_7_and_30_days_and_then_no_more(sandbox: Sandbox) -> None:
    order = an_ended_order(sandbox)
    assert order.ask_again_at is not None
    assert order.ended_at is not None
    assert order.ask_again_at - order.ended_at == timedelta(days=1)
    asked_again(order)
    assert order.ask_again_at - order.ended_at == timedelta(days=3)
    Order.objects.filter(pk=order.pk).update(
        ended_at=timezone.now() - timedelta(days=31), ask_again_at=timezone.now() - timedelta(days=1)
    )
    assert order.provider is not None
    turn("ask_again", order.provider)
    order.refresh_from_db()
    assert order.ask_again_at is None


def test_a_later_refund_is_credited_and_offered(sandbox: Sandbox) -> None:
    order = an_ended_order(sandbox)
    assert order.provider is not None
    sandbox.set_order(int(str(order.upstream_id)), status="Partial", remains=400, charge="0.54")
    asked_again(order)
    assert booked(order.provider) == sandbox.balance
    assert balance(order.customer) == Decimal("98.875"), "the customer's share is offered, not moved"
    item = AttentionItem.objects.get(cause="later_refund")
    assert Decimal(item.evidence["customer's share"]) == Decimal("0.45")
    books_are_right()


def test_completed_after_canceled_only_alerts(sandbox: Sandbox) -> None:
    order = an_ended_order(sandbox, "cancel")
    before = balance(order.customer)
    sandbox.set_order(int(str(order.upstream_id)), status="Completed", remains=0, charge="0.90")
    asked_again(order)
    assert order.status == "Canceled"
    assert balance(order.customer) == before
    assert AttentionItem.objects.get(cause="contradiction").order_id == order.pk


def test_an_order_that_the_provider_forgot_says_nothing(sandbox: Sandbox) -> None:
    order = an_ended_order(sandbox)
    sandbox.faults.add("status", "answer", '{"error": "Incorrect order ID"}')
    asked_again(order)
    assert order.status == "Completed"
    assert not AttentionItem.objects.exists()
