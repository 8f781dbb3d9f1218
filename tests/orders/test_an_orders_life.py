"""An order from the sale to its end, against the sandbox: what the customer reads, what he pays, what the books say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.models import Attempt, Order, State, Status
from providers.sandbox.server import Sandbox
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
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_order_is_placed_sent_followed_and_completed(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), 1000)
    assert (order.state, order.status, order.charge) == (State.WAITING, Status.PENDING, Decimal("1.125"))
    assert balance(alice) == Decimal("98.875")

    sent(provider, order)
    assert order.state == State.ACCEPTED
    assert [int(str(order.upstream_id))] == list(sandbox.orders)
    assert order.cost == Decimal("0.9")
    assert booked(provider) == sandbox.balance

    sandbox.advance(15)
    followed(provider, order)
    assert order.status == Status.IN_PROGRESS
    assert order.remains is not None

    sandbox.finish_all()
    followed(provider, order)
    assert (order.state, order.status, order.remains) == (State.ENDED, Status.COMPLETED, 0)
    assert balance(alice) == Decimal("98.875")
    assert booked(provider) == sandbox.balance
    books_are_right()


def test_what_was_sent_is_exactly_what_was_sold(sandbox: Sandbox) -> None:
    alice, provider = a_customer(), a_provider(sandbox)
    order = an_order(alice, a_service(provider), 1000)
    sent(provider, order)
    [request] = sandbox.journal.requests("add")
    assert request["fields"] == {"service": "1", "link": "https://example.com/post/1", "quantity": "1000"}
    attempt = Attempt.objects.get(order=order)
    assert attempt.asked == {"service": "1", "link": "https://example.com/post/1", "quantity": "1000"}
    assert (attempt.outcome, attempt.upstream_id) == ("accepted", order.upstream_id)
    assert sandbox.options.key not in attempt.answer


def test_a_partial_order_keeps_what_was_delivered_rounded_up(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), 1000, saying("partial:30"))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert (order.status, order.remains) == (Status.PARTIAL, 700)
    assert order.refunded == Decimal("0.7875")
    assert balance(alice) == Decimal("99.6625")
    assert booked(provider) == sandbox.balance
    books_are_right()


def test_a_canceled_order_gives_everything_back(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), 1000, saying("cancel"))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert (order.status, order.refunded) == (Status.CANCELED, order.charge)
    assert balance(alice) == Decimal(100)
    assert booked(provider) == sandbox.balance
    books_are_right()


def test_a_cancel_of_which_the_provider_kept_a_part_is_the_operators(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), 1000, saying("cancel_keep:20"))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert order.state == State.REVIEW
    assert balance(alice) == Decimal("98.875"), "no money moves before the operator has decided"
    books_are_right()


def test_a_word_that_nobody_knows_changes_nothing(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), 1000, saying("fail"))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert order.state == State.ACCEPTED
    assert order.refunded == 0


def test_a_second_sweep_over_unchanged_orders_writes_nothing(
    sandbox: Sandbox, django_assert_max_num_queries: object
) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), 1000)
    sent(provider, order)
    sandbox.advance(15)
    followed(provider, order)
    before = Order.objects.values().get()
    story = order.events.count()
    followed(provider, order)
    assert Order.objects.values().get() == before
    assert order.events.count() == story
