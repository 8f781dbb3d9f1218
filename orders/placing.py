"""Selling: from what a customer asks for to orders that stand and are paid, all of them or none.

One verb takes one line or ten thousand: validate, price, insert the orders, move the money, commit. Only then is a
worker hinted; with no broker the orders stand all the same and the sweep finds them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone

from accounts.models import ApiKey, Customer
from catalog.links import link_key
from catalog.measuring import Limits, Problem, measuring_fields
from catalog.models import Route, SameLink, Service
from catalog.offers import why_not_orderable
from catalog.pricing import PriceOutOfRange, charge
from catalog.reading import Read, read_line
from catalog.sentences import Sentence, number, say
from catalog.service_types import service_type
from ledger.accounts import house_account
from ledger.amounts import plain
from ledger.models import Account, Transfer
from ledger.posting import InsufficientFunds, Posting, post
from orders.holding import holds
from orders.letters import write_of_low_balance
from orders.models import Order, Origin, State
from orders.overdue import expiry_of
from orders.routing import BelowCost, ExchangeRates, NoRoute, Promise, Purchase, choose, routes_in_order
from orders.same_link import queue_new, tell_queued
from orders.tokens import AlreadyPlaced, Once, TokenOfAnother, claim_token, placed_before
from records.attention import raise_attention
from records.jobs import hint

__all__ = ["Line", "LineProblem", "Once", "Quote", "Refused", "Source", "TokenOfAnother", "place_orders", "quote_all"]

log = logging.getLogger(__name__)
LOGGED = 50  # ids of one placing; what is left out lies between them


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a customer asks for: a service and the raw fields of its type, as typed or sent.

    `expected`, where given, is the charge the customer was shown: a higher one is refused instead of taken.
    """

    service_id: int
    fields: Mapping[str, object]
    expected: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where orders come from: how they were placed, and over the API with which key."""

    origin: Origin
    api_key: ApiKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProblem:
    """What is wrong with one line; `field` is "" where no field is to blame. `code` is for programs."""

    line: int
    field: str
    message: str
    code: str
    limits: Limits | None = None  # the service's, where the fields were read by them


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A line that can be sold, with everything the sale needs."""

    service: Service
    read: Read
    charge: Decimal
    purchase: Purchase | None  # None: fulfilled by hand


class Refused(Exception):
    """Nothing was placed and nothing was charged; the problems say why, line by line."""

    def __init__(self, problems: list[LineProblem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


def place_orders(
    *, customer: Customer, lines: Sequence[Line], once: Once | str | None = None, source: Source | None = None
) -> list[Order]:
    """Places all lines for `customer` and charges his wallet once, or raises Refused and changes nothing.

    `once` is a token of the customer's choice: placing with a token that was used returns the orders it made then, or
    raises TokenOfAnother where it names other content. At most ORDER_MAX_LINES lines a call.
    """
    if isinstance(once, str):
        once = Once(token=once)
    if once is not None and (earlier := placed_before(customer, once)) is not None:
        return earlier
    quotes = quote_all(lines)
    problems = [problem for quote in quotes if isinstance(quote, list) for problem in quote]
    if problems:
        raise Refused(problems)
    sales = [quote for quote in quotes if isinstance(quote, Quote)]
    try:
        with transaction.atomic():
            return _sell(customer, sales, once, source)
    except InsufficientFunds as short:
        raise Refused([_no_funds(short.needed, short.balance)]) from short
    except AlreadyPlaced:
        assert once is not None
        earlier = placed_before(customer, once)
        if earlier is None:  # its time ran out while we waited for it: now the token is free
            return place_orders(customer=customer, lines=lines, once=once, source=source)
        return earlier


def quote_all(lines: Sequence[Line]) -> list[Quote | list[LineProblem]]:
    """For each line what it would be sold for, or what is wrong with it. Reads, and writes nothing."""
    if len(lines) > settings.ORDER_MAX_LINES:
        most = number(settings.ORDER_MAX_LINES)
        words = say("At most %(most)s orders can be placed at once. Nothing was charged.", most=most)
        raise Refused([LineProblem(line=0, field="", message=words, code="too_many")])
    services = _load({line.service_id for line in lines})
    rates = ExchangeRates()
    return [_quote(place, line, services.get(line.service_id), rates) for place, line in enumerate(lines)]


def _load(ids: set[int]) -> dict[int, Service]:
    routes = Route.objects.select_related("provider_service__provider").order_by("position", "id")
    found: dict[int, Service] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        some = Service.objects.filter(pk__in=wanted[start : start + 500])
        for service in some.select_related("category").prefetch_related(Prefetch("routes", queryset=routes)):
            found[service.pk] = service
    return found


def _quote(place: int, line: Line, service: Service | None, rates: ExchangeRates) -> Quote | list[LineProblem]:
    def problem(message: Sentence, code: str, at: str = "") -> list[LineProblem]:
        return [LineProblem(line=place, field=at, message=message, code=code)]

    if service is None:
        return problem(say("This service does not exist. Nothing was charged."), "service", "service")
    closed = why_not_orderable(service)
    if closed:
        return problem(closed, "service", "service")
    kind = service_type(service.type)
    assert kind is not None
    limits = Limits.of(service)
    read = read_line(kind, line.fields, limits=limits)
    if not isinstance(read, Read):
        return _at_fields(place, read, limits)
    try:
        price = charge(service.rate, read.quantity)
        purchase = _purchase(service, read, rates)
    except PriceOutOfRange as error:
        return problem(error.sentence, "quantity", next(iter(measuring_fields(kind)), "service"))
    except (NoRoute, BelowCost):
        words = say("This service cannot be ordered at the moment. Nothing was charged.")
        return problem(words, "service", "service")
    if line.expected is not None and price > line.expected:
        return problem(say("The price has changed since you saw it. Nothing was charged: look at it again."), "price")
    return Quote(service=service, read=read, charge=price, purchase=purchase)


def _at_fields(place: int, problems: Iterable[Problem], limits: Limits) -> list[LineProblem]:
    return [
        LineProblem(line=place, field=each.field, message=each.message, code=each.code, limits=limits)
        for each in problems
    ]


def _purchase(service: Service, read: Read, rates: ExchangeRates) -> Purchase | None:
    """Where to buy it; None where the service is fulfilled by hand. A loss is put on the operator's list."""
    routes = routes_in_order(list(service.routes.all()))
    if not routes:
        return None
    promise = Promise(
        type=service.type,
        quantity=read.quantity,
        span=read.measured.span,
        rate=service.rate,
        refill=service.refill,
        cancel=service.cancel,
    )
    try:
        return choose(routes, promise, rates)
    except BelowCost:
        raise_attention(
            cause="below_cost",
            key=f"below_cost:service:{service.pk}",
            summary=f"Service {service} would sell below its cost and was refused to a customer.",
            evidence={"rate": service.rate, "quantity": read.quantity},
            provider_id=routes[0].provider_service.provider_id,
        )
        raise


def _sell(customer: Customer, quotes: Sequence[Quote], once: Once | None, source: Source | None) -> list[Order]:
    placement = claim_token(customer, once) if once is not None else None
    unsaved = [_order(customer, quote, source) for quote in quotes]
    queue_new(unsaved)
    orders = Order.objects.bulk_create(unsaved, batch_size=1000)
    tell_queued(orders)
    if placement is not None:
        placement.order_ids = [order.pk for order in orders]
        placement.save(update_fields=["order_ids"])
    post(_payments(customer, [order for order in orders if order.charge > 0]))
    write_of_low_balance(customer, sum((order.charge for order in orders), Decimal()))
    for provider_id in {order.provider_id for order in orders if order.provider_id is not None}:
        hint("submit_orders", str(provider_id))
    if any(order.state == State.SERIES for order in orders):
        hint("run_series")
    transaction.on_commit(partial(_log, [order.pk for order in orders]))
    return orders


def _log(placed: Sequence[int]) -> None:
    ids = {"orders": list(placed[:LOGGED])}  # under the request's or the job's number, by which they are found again
    log.info("Placed %s %s", len(placed), "order" if len(placed) == 1 else "orders", extra=ids)


def _payments(customer: Customer, orders: Sequence[Order]) -> list[Posting]:
    """What leaves the wallet: the charge, or what is held until it is known how much was delivered."""
    sales = house_account(Account.Kind.SALES, settings.PANEL_CURRENCY)
    held = house_account(Account.Kind.HELD, settings.PANEL_CURRENCY) if any(map(holds, orders)) else None
    return [
        Posting(
            debit=customer.wallet,
            credit=held if held is not None and holds(order) else sales,
            amount=order.charge,
            kind=Transfer.Kind.HOLD if holds(order) else Transfer.Kind.CHARGE,
            reference=f"order:{order.pk}:{'hold' if holds(order) else 'charge'}",
            order_id=order.pk,
        )
        for order in orders
    ]


def _order(customer: Customer, quote: Quote, source: Source | None) -> Order:
    service, purchase, measured = quote.service, quote.purchase, quote.read.measured
    bought = purchase.provider_service if purchase else None
    state = State.WAITING if bought else State.BY_HAND
    if bought is not None and measured.runs is not None and not bought.dripfeed:
        state, bought = State.SERIES, None  # the panel runs it: each run finds its own route
    return Order(
        customer=customer,
        origin=source.origin if source is not None else "",
        api_key=source.api_key if source is not None else None,
        service=service,
        service_name=service.name,
        service_type=service.type,
        rate=service.rate,
        refill=service.refill,
        refill_days=service.refill_days,
        cancel=service.cancel,
        link=quote.read.link,
        quantity=quote.read.quantity,
        runs=measured.runs,
        interval=measured.interval,
        details=dict(quote.read.details),
        charge=quote.charge,
        refunded=Decimal(0),
        state=state,
        provider=bought.provider if bought else None,
        provider_service=bought,
        runs_left=measured.runs if state == State.SERIES else None,
        next_run_at=timezone.now() if state == State.SERIES else None,
        link_key=link_key(quote.read.link),
        one_at_a_time=service.same_link == SameLink.QUEUE,
        should_end_at=expiry_of(quote.read.details),
    )


def _no_funds(needed: Decimal, balance: Decimal) -> LineProblem:
    missing = max(needed - balance, Decimal(0))
    whole, _, fraction = plain(missing).partition(".")
    short = f"{number(int(whole))}.{fraction} {settings.PANEL_CURRENCY}"
    message = say("Your balance is %(amount)s short of this order. Nothing was charged.", amount=short)
    return LineProblem(line=0, field="", message=message, code="funds")
