"""Cancelling: free before submission, a kept wish while nobody knows, a request with the provider."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.cancelling import Cancelled, CannotCancel, can_cancel, request_cancel
from orders.deciding import it_exists
from orders.models import CancelRequest, Order, State, Status
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_route,
    a_service,
    an_order,
    balance,
    booked,
    books_are_right,
    due_now,
    followed,
    saying,
    sent,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_before_it_is_sent_a_cancel_is_free_and_immediate(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider, cancel=False))
    assert request_cancel(order=order, actor=OPERATOR) is Cancelled.DONE
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(alice) == 100
    sent(provider, order)
    assert len(sandbox.orders) == 0
    books_are_right()


def test_a_second_cancel_gives_nothing_more_back(sandbox: Sandbox) -> None:
    alice = a_customer("100")
    order = an_order(alice, a_service(a_provider(sandbox)))
    request_cancel(order=order, actor=OPERATOR)
    with pytest.raises(CannotCancel, match="has ended"):
        request_cancel(order=order, actor=OPERATOR)
    assert balance(alice) == 100


def test_a_claimed_order_can_still_be_cancelled_and_is_then_not_sent(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider))
    Order.objects.filter(pk=order.pk).update(attempt=1, lease_until=timezone.now() + timedelta(minutes=1))
    assert request_cancel(order=order, actor=OPERATOR) is Cancelled.DONE
    sent(provider, order)
    assert len(sandbox.orders) == 0


def test_with_the_provider_a_cancel_is_a_request_that_its_status_answers(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider))
    sent(provider, order)
    assert request_cancel(order=order, actor=OPERATOR) is Cancelled.ASKED
    assert can_cancel(order).why == "Cancellation has been requested."
    turn("send_cancels", provider)
    assert order.cancels.get().status == CancelRequest.Status.ASKED
    followed(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert order.status == Status.CANCELED
    assert order.cancels.get().status == CancelRequest.Status.DONE
    assert balance(alice) == 100
    assert booked(provider) == sandbox.balance
    books_are_right()


def test_a_service_that_cannot_be_cancelled_says_so(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider, cancel=False))
    sent(provider, order)
    with pytest.raises(CannotCancel, match="cannot be canceled once"):
        request_cancel(order=order, actor=OPERATOR)


def test_a_cancel_that_the_provider_refuses_ends_and_the_order_goes_on(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider), link=saying("cancel_refused"))
    sent(provider, order)
    request_cancel(order=order, actor=OPERATOR)
    turn("send_cancels", provider)
    assert order.cancels.get().status == CancelRequest.Status.REFUSED
    sandbox.finish_all()
    followed(provider, order)
    assert order.status == Status.COMPLETED


def test_a_cancel_that_came_to_nothing_is_too_late(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider), link=saying("cancel_ignored"))
    sent(provider, order)
    request_cancel(order=order, actor=OPERATOR)
    turn("send_cancels", provider)
    sandbox.finish_all()
    followed(provider, order)
    assert order.cancels.get().status == CancelRequest.Status.TOO_LATE


def test_a_lost_cancel_is_asked_again(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    sent(provider, order)
    request_cancel(order=order, actor=OPERATOR)
    sandbox.faults.add("cancel", "reset_after", times=1)
    turn("send_cancels", provider)
    assert order.cancels.get().status == CancelRequest.Status.WAITING
    CancelRequest.objects.update(not_before=timezone.now())
    turn("send_cancels", provider)
    assert order.cancels.get().status == CancelRequest.Status.ASKED


def test_an_unanswered_cancel_is_the_operators_after_two_days(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    sent(provider, order)
    request_cancel(order=order, actor=OPERATOR)
    CancelRequest.objects.update(asked_at=timezone.now() - timedelta(hours=49))
    turn("tidy_orders")
    assert AttentionItem.objects.get(cause="cancel_unanswered").order_id == order.pk


def unknown_order(sandbox: Sandbox, *, cancel: bool = True) -> Order:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider, cancel=cancel))
    sandbox.faults.add("add", "reset_after", times=1)
    sent(provider, order)
    assert order.state == State.UNKNOWN
    return order


def test_a_wish_for_an_unknown_order_is_kept_and_moves_no_money(sandbox: Sandbox) -> None:
    order = unknown_order(sandbox)
    assert request_cancel(order=order, actor=OPERATOR) is Cancelled.WISHED
    order.refresh_from_db()
    assert order.state == State.UNKNOWN
    assert balance(order.customer) == Decimal("98.875")
    with pytest.raises(CannotCancel, match="has been requested"):
        request_cancel(order=order, actor=OPERATOR)


def test_a_wish_is_forwarded_when_the_order_turns_out_to_exist(sandbox: Sandbox) -> None:
    order = unknown_order(sandbox)
    request_cancel(order=order, actor=OPERATOR)
    [upstream_id] = sandbox.orders
    it_exists(order=order, upstream_id=str(upstream_id), actor=OPERATOR, reason="seen in the provider's panel")
    assert order.provider is not None
    turn("send_cancels", order.provider)
    sandbox.finish_all()
    followed(order.provider, order)
    assert order.status == Status.CANCELED
    assert balance(order.customer) == 100


def test_a_wish_is_honoured_when_the_order_is_refused(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    second = a_provider(sandbox, name="Second")
    service = a_service(provider, "9999")
    a_route(service, second, "1", position=1)
    order = an_order(alice, service)
    Order.objects.filter(pk=order.pk).update(cancel_wished_at=timezone.now())
    due_now()
    sent(provider, order)
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED), (
        "no failover for an order nobody wants any more"
    )
    assert balance(alice) == 100
    books_are_right()
