"""Where an order is bought: the first of its service's routes that keeps every promise made to the customer.

A route keeps the promises when its provider is active, it is still listed, its type is the one sold, the quantity
lies in its limits, and it can refill and cancel where that was sold. Whether it would lose money is asked apart,
since an order that would is held while one that cannot be kept is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.costs import cost_of, would_lose
from catalog.models import ProviderService, Route
from catalog.service_types import service_type
from ledger.amounts import plain
from orders.costing import can_be_booked
from orders.models import Order
from providers.books import NoExchangeRate, exchange_rate_of, value_in_panel_currency
from providers.models import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What was, or is about to be, sold."""

    type: str
    quantity: int | None  # in all
    span: tuple[int, int] | None  # the least and the most that is delivered at a time
    rate: Decimal
    refill: bool
    cancel: bool
    dripfeed: bool = False  # the provider is to divide it into runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Where and for how much: `cost` in the provider's currency, `cost_value` in the panel's, both rounded up."""

    provider_service: ProviderService
    cost: Decimal
    exchange_rate: Decimal
    cost_value: Decimal


def promise_of(order: Order) -> Promise:
    """What this order's customer was promised."""
    return Promise(
        type=order.service_type,
        quantity=order.quantity,
        span=_span_of(order),
        rate=order.rate,
        refill=order.refill,
        cancel=order.cancel,
        dripfeed=order.runs is not None,
    )


def _span_of(order: Order) -> tuple[int, int] | None:
    """What is delivered at a time: a run, a post, or all at once."""
    kind = service_type(order.service_type)
    if kind is not None and kind.by_post:
        return int(order.details["min"]), int(order.details["max"])
    if order.quantity is None:
        return None
    each = order.quantity // (order.runs or 1)
    return each, each


class NoRoute(Exception):
    """No route keeps the promises; the sentence says why the last one does not."""


class BelowCost(Exception):
    """Every route that keeps the promises costs more than the charge."""


class ExchangeRates:
    """The rates in force, each provider's looked up once."""

    def __init__(self) -> None:
        self._rates: dict[int, Decimal] = {}

    def of(self, provider: Provider) -> Decimal:
        if provider.pk not in self._rates:
            try:
                self._rates[provider.pk] = exchange_rate_of(provider)
            except NoExchangeRate as error:
                raise NoRoute(str(error)) from error
        return self._rates[provider.pk]


def choose(routes: Iterable[Route], promise: Promise, rates: ExchangeRates, *, tried: Collection[int] = ()) -> Purchase:
    """The first route, by position, that keeps the promise without a loss.

    `tried` holds ids of provider services that have refused already. Raises NoRoute or BelowCost.
    """
    broken, losing = "It has no provider at the moment.", False
    for route in routes:
        if route.provider_service_id in tried:
            continue
        why = broken_promise(route.provider_service, promise)
        if why:
            broken = why
            continue
        try:
            if loses(route.provider_service, promise, rates):
                losing = True
                continue
            purchase = purchase_at(route.provider_service, promise, rates)
        except NoRoute as without_a_rate:  # it hides no route behind it
            broken = str(without_a_rate)
            continue
        why = too_dear(purchase)
        if not why:
            return purchase
        broken = why
    if losing:
        raise BelowCost("It would be sold below its cost.")
    raise NoRoute(broken)


def purchase_at(provider_service: ProviderService, promise: Promise, rates: ExchangeRates) -> Purchase:
    """What the promise costs at this provider, now."""
    rate = rates.of(provider_service.provider)
    cost = cost_of(provider_service, promise.quantity)
    return Purchase(
        provider_service=provider_service,
        cost=cost,
        exchange_rate=rate,
        cost_value=value_in_panel_currency(cost, rate),
    )


def too_dear(purchase: Purchase) -> str:
    """Why the purchase could not be booked once it was made; empty where it can."""
    if can_be_booked(purchase.cost, purchase.exchange_rate):
        return ""
    return f"One order there would cost {plain(purchase.cost)}: more than the books hold at once."


def loses(provider_service: ProviderService, promise: Promise, rates: ExchangeRates) -> bool:
    """Whether this order would bring less than it costs there, now."""
    return would_lose(promise.rate, promise.quantity, provider_service, rates.of(provider_service.provider))


def broken_promise(provider_service: ProviderService, promise: Promise) -> str:
    """Why this provider's service cannot keep the promise; empty where it can. For the operator's eyes."""
    if not provider_service.provider.active:
        return f"{provider_service.provider} is switched off."
    if provider_service.gone_at is not None:
        return f"{provider_service.provider} no longer lists it."
    theirs, sold = service_type(provider_service.type), service_type(promise.type)
    if theirs is None or sold is None or theirs.key != sold.key:
        return f"Its type at {provider_service.provider} is {provider_service.type}, but {promise.type} was sold."
    least, most = promise.span or (provider_service.min, provider_service.max)
    if promise.span is not None and not provider_service.min <= least <= most <= provider_service.max:
        return f"{provider_service.provider} takes {provider_service.min} to {provider_service.max}."
    if promise.refill and not provider_service.refill:
        return f"{provider_service.provider} gives no refill on it."
    if promise.cancel and not provider_service.cancel:
        return f"{provider_service.provider} does not cancel it."
    if promise.dripfeed and not provider_service.dripfeed:
        return f"{provider_service.provider} has no drip-feed on it."
    return ""


def routes_in_order(routes: Sequence[Route]) -> list[Route]:
    return sorted(routes, key=lambda route: (route.position, route.pk))
