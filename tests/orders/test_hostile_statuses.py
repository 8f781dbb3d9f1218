"""What a provider says at an order's end, and what must not follow from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orders.models import State, Status
from orders.placing import Refused
from providers.models import ExchangeRate
from providers.sandbox.server import Sandbox
from tests.orders.builders import (
    a_customer,
    a_provider,
    a_route,
    a_service,
    an_order,
    balance,
    books_are_right,
    followed,
    sent,
)
from tests.orders.subscribed import a_subscription, a_subscription_service, made_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("said", [{"hide": ("remains",)}, {"show": {"remains": "Unknown"}}])
def test_a_partial_that_leaves_out_what_remains_is_not_settled_by_an_older_number(
    sandbox: Sandbox, said: dict[str, Any]
) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider))
    sent(provider, order)
    sandbox.set_order(int(str(order.upstream_id)), status="In progress", remains=900)
    followed(provider, order)
    assert order.remains == 900
    sandbox.set_order(int(str(order.upstream_id)), status="Partial", remains=10, **said)
    followed(provider, order)
    assert (order.state, order.refunded) == (State.REVIEW, Decimal(0))
    assert balance(alice) == Decimal("98.875")


def test_a_charge_that_no_account_can_hold_stops_no_other_order(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    service = a_service(provider)
    orders = [an_order(alice, service, link=f"https://example.com/{number}") for number in range(3)]
    sent(provider, *orders)
    sandbox.finish_all()
    sandbox.set_order(int(str(orders[1].upstream_id)), show={"charge": "999999999999", "currency": "USD"})
    followed(provider, *orders)
    assert [order.status for order in orders] == [Status.COMPLETED] * 3
    assert orders[1].cost == Decimal("0.90")
    books_are_right()


def test_a_part_with_a_charge_that_no_account_can_hold_stops_no_other_order(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    subscription = a_subscription(alice, a_subscription_service(provider))
    other = an_order(alice, a_service(provider))
    sent(provider, subscription, other)
    sandbox.finish_all()
    for part in made_for(sandbox, subscription):
        sandbox.set_order(part.id, show={"charge": "9" * 40, "currency": "USD"})
    followed(provider, subscription, other)
    assert (subscription.state, subscription.refunded) == (State.REVIEW, Decimal(0))  # the hold stays, a person decides
    assert other.status == Status.COMPLETED
    books_are_right()


def test_what_would_cost_more_than_the_books_hold_is_not_sold() -> None:
    provider = a_provider(currency="IDR")
    ExchangeRate.objects.create(provider=provider, rate=Decimal("0.00006"))
    service = a_service(None, rate="120000", max=1_000_000)
    a_route(service, provider, "1", rate="1000000000")
    with pytest.raises(Refused, match="cannot be ordered at the moment"):
        an_order(a_customer("50000000"), service, 200_000)


def test_an_order_of_a_provider_without_an_exchange_rate_is_held_and_blocks_none(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox, currency="EUR")
    rate = ExchangeRate.objects.create(provider=provider, rate=Decimal("1.1"))
    order = an_order(a_customer(), a_service(provider))
    rate.delete()
    sent(provider, order)
    assert order.state == State.HELD
