"""Subscriptions and drip-feeds at a sandbox that lists the orders it makes for them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from accounts.models import Customer
from catalog.models import ProviderService, Service
from orders.models import Order
from orders.placing import Line, place_orders
from providers.models import Provider
from providers.sandbox.orders import Order as Upstream
from providers.sandbox.server import Sandbox
from tests.orders.builders import LINK, a_route, a_service, an_order, followed, sent

D = Decimal
RATE, COST_RATE = "0.40", "0.32"  # for 1000: the sandbox's service 13 costs 0.32
HELD, COST = D("0.12"), D("0.096")  # of 3 posts of at most 100


def a_subscription_service(provider: Provider | None, **changes: Any) -> Service:
    known: dict[str, Any] = {"type": "subscriptions", "min": 20, "max": 5000, "refill": False, "refill_days": None}
    service = a_service(None, "13", rate=RATE, **{**known, **changes})
    if provider is not None:
        a_route(service, provider, "13", rate=COST_RATE)
    return service


def a_subscription(customer: Customer, service: Service, **fields: str) -> Order:
    """Three posts of exactly 100, unless said otherwise."""
    raw: dict[str, object] = {"username": "alice", "min": "100", "max": "100", "posts": "3", "delay": "0", **fields}
    [order] = place_orders(customer=customer, lines=[Line(service_id=service.pk, fields=raw)])
    return order


def a_drip_feed_service(provider: Provider) -> Service:
    """The sandbox's service 1, in runs: sold for 1.125, bought for 0.90."""
    service = a_service(provider, dripfeed=True)
    ProviderService.objects.filter(provider=provider, external_id="1").update(dripfeed=True)
    return service


def a_drip_feed(customer: Customer, service: Service, runs: int = 3, link: str = LINK) -> Order:
    """Runs of 1000, ten minutes apart; the sandbox's minute is a second."""
    return an_order(customer, service, 1000, link, runs=str(runs), interval="10")


def made_for(sandbox: Sandbox, order: Order) -> Sequence[Upstream]:
    """The orders that the sandbox made for it."""
    return [each for each in sandbox.orders.values() if str(each.parent) == order.upstream_id]


def sent_and_followed(provider: Provider, order: Order) -> None:
    sent(provider, order)
    followed(provider, order)
