"""One order a link at a time, where a service asks for that: who waits behind whom, and whose turn it is.

A provider sees one account for all our customers, and many refuse a second active order on a link, or count both
together. Orders are the same when they are at one provider's service and their links have one key (`catalog.links`),
whoever bought them. An order of a service that queues is sent only while no other order of its link is under way
there; until then it is QUEUED: Pending to its customer, who may cancel it for free and is told of nobody else.

What holds the rule is the database (`one_order_a_link_at_a_time`); what looks before is only cheaper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Customer
from catalog.links import link_key
from catalog.models import Route, SameLink, Service
from orders.models import UNDER_WAY, Order, State
from orders.story import line, tell
from providers.models import Provider
from records.jobs import Turn, hint

IN_LINE = (State.WAITING, State.QUEUED)  # in the order of their ids; what is held lets others go before it
KEYS_A_QUERY = 500  # less than any database's limit of parameters

_CONSTRAINT = "one_order_a_link_at_a_time"
_COLUMN = "orders_order.link_key"  # SQLite names the columns of a constraint instead


def is_taken(error: IntegrityError) -> bool:
    """Whether this is the database's word that another such order of the link is under way."""
    first, *_ = str(error).splitlines() or [""]  # what follows quotes values, which may be anybody's words
    return _CONSTRAINT in first or _COLUMN in first


def in_its_way(order: Order) -> int | None:
    """The id of an order that this one must wait for; None when it may be sent."""
    others = Order.objects.filter(
        provider_service_id=order.provider_service_id, link_key=order.link_key, ended_at__isnull=True
    ).exclude(pk=order.pk)
    return others.filter(_goes_before(order.pk)).values_list("pk", flat=True).first()


def _goes_before(pk: object) -> Q:
    return Q(state__in=UNDER_WAY) | Q(state__in=IN_LINE, id__lt=pk)


def queue_up(order: Order, *, behind: int | None = None) -> bool:
    """WAITING → QUEUED for a claimed order, in a commit of its own; False where the claim was lost."""
    with transaction.atomic():
        queued = Order.objects.filter(pk=order.pk, state=State.WAITING, attempt=order.attempt).update(
            state=State.QUEUED, lease_until=None
        )
        if queued != 1:
            return False
        order.state, order.lease_until = State.QUEUED, None
        tell([line(order, "queued", note=_behind(behind))])
    return True


def _behind(pk: int | None) -> str:
    return f"behind order {pk}" if pk is not None else "behind another order of its link"


def queue_new(orders: Sequence[Order]) -> None:
    """Makes QUEUED, on the instances, what is about to be placed for a link that is busy; `tell_queued` tells it.

    Of several new orders for one link the first goes, unless it must wait itself.
    """
    places = {_place(order) for order in orders if order.one_at_a_time and order.provider_service_id is not None}
    if not places:
        return
    busy = _busy(places)
    for order in orders:
        if order.state != State.WAITING or _place(order) not in places:
            continue
        if order.one_at_a_time and _place(order) in busy:
            order.state = State.QUEUED
        busy.add(_place(order))


def tell_queued(orders: Iterable[Order]) -> None:
    """The story of new orders that were queued, once they have ids."""
    tell([line(order, "queued", note=_behind(None)) for order in orders if order.state == State.QUEUED])


def _place(order: Order) -> tuple[int | None, str]:
    return order.provider_service_id, order.link_key


def _busy(places: set[tuple[int | None, str]]) -> set[tuple[int | None, str]]:
    services = {service for service, _ in places}
    keys = sorted({key for _, key in places})
    busy: set[tuple[int | None, str]] = set()
    for start in range(0, len(keys), KEYS_A_QUERY):
        some = keys[start : start + KEYS_A_QUERY]
        live = Order.objects.filter(provider_service_id__in=services, link_key__in=some, ended_at__isnull=True)
        busy.update(live.filter(state__in=(*UNDER_WAY, *IN_LINE)).values_list("provider_service_id", "link_key"))
    return busy


def send_queued(turn: Turn) -> Mapping[str, int]:
    """QUEUED → WAITING for the orders whose turn it is: one a link, the oldest first."""
    sent_on = 0
    while not turn.should_stop():
        ids = list(next_in_line().values_list("pk", flat=True)[: settings.ORDER_SWEEP_ROWS])
        if not ids:
            break
        sent_on += _release(ids)
    return {"sent_on": sent_on}


def next_in_line() -> QuerySet[Order]:
    """The queued orders that nothing stands before any more, along the index of queued orders."""
    others = Order.objects.filter(
        provider_service=OuterRef("provider_service"), link_key=OuterRef("link_key"), ended_at__isnull=True
    )
    queued = Order.objects.filter(~Exists(others.filter(_goes_before(OuterRef("pk")))), state=State.QUEUED)
    return queued.order_by("provider_service_id", "link_key", "id")


def queued_at(provider: Provider) -> QuerySet[Order]:
    """The provider's queued orders, along the same index."""
    return Order.objects.filter(state=State.QUEUED, provider=provider).order_by("provider_service_id", "link_key", "id")


def _release(ids: Sequence[int]) -> int:
    now = timezone.now()
    with transaction.atomic():
        still = Order.objects.select_for_update(of=("self",)).filter(pk__in=ids, state=State.QUEUED).order_by("pk")
        orders = list(still)
        moved = Order.objects.filter(pk__in=[order.pk for order in orders], state=State.QUEUED).update(
            state=State.WAITING, not_before=now, lease_until=None
        )
        assert moved == len(orders), "the rows are locked"
        tell([line(order, "next_in_line") for order in orders])
        for provider_id in {order.provider_id for order in orders}:
            hint("submit_orders", str(provider_id))
    return moved


def hint_of_end(orders: Iterable[Order]) -> None:
    """Called in the transaction that ends orders: somebody may wait for one of them. What this misses a sweep finds."""
    if any(order.one_at_a_time for order in orders):
        hint("send_queued")


def own_order_ahead(order: Order) -> Order | None:
    """The customer's own order that this queued one waits for, of several the newest; never another's.

    The one that was sold: for a run of a drip-feed its parent.
    """
    if order.state != State.QUEUED:
        return None
    others = Order.objects.filter(
        provider_service_id=order.provider_service_id, link_key=order.link_key, ended_at__isnull=True
    ).exclude(pk=order.pk)
    own = others.filter(_goes_before(order.pk), customer_id=order.customer_id)
    found = own.select_related("parent").order_by("-id").first()
    return found.parent or found if found is not None else None


def own_orders_under_way(*, customer: Customer, places: Sequence[tuple[Service, str]]) -> Mapping[tuple[int, str], int]:
    """The same for many new orders at once, each a service and a link's key: by service and key the order's number.

    Where a service makes no difference of it nothing is looked up. A query for each five hundred services or links.
    """
    asked = {service.pk for service, _ in places if service.same_link != SameLink.ALLOW}
    bought = _bought_at(sorted(asked))
    keys = sorted({key for service, key in places if service.pk in bought})
    found: dict[tuple[int, str], int] = {}
    for start in range(0, len(keys), KEYS_A_QUERY):
        live = Order.objects.filter(
            customer=customer, link_key__in=keys[start : start + KEYS_A_QUERY], ended_at__isnull=True
        )
        rows = live.exclude(provider_service=None).order_by("id")
        for at, key, pk, parent in rows.values_list("provider_service_id", "link_key", "id", "parent_id"):
            assert at is not None
            found[at, key] = parent or pk
    numbers = {(service.pk, key): found.get((bought.get(service.pk, 0), key)) for service, key in places}
    return {place: number for place, number in numbers.items() if number is not None}


def _bought_at(services: Sequence[int]) -> Mapping[int, int]:
    """Where each of our services is bought first, as its provider's service."""
    first: dict[int, int] = {}
    for start in range(0, len(services), KEYS_A_QUERY):
        routes = Route.objects.filter(
            service__in=services[start : start + KEYS_A_QUERY],
            provider_service__gone_at__isnull=True,
            provider_service__provider__active=True,
        )
        rows = routes.order_by("position", "id").values_list("service_id", "provider_service_id")
        for service, provider_service in rows:
            first.setdefault(service, provider_service)
    return first


def own_order_under_way(*, customer: Customer, service: Service, link: str) -> Order | None:
    """This customer's own order for the same link that has not ended, where a new one would be bought; never another's.

    The one that was sold: for a run of a drip-feed its parent. Of several the newest. Where a new order would queue
    it is one that the new one waits for.
    """
    routes = service.routes.filter(provider_service__gone_at__isnull=True, provider_service__provider__active=True)
    bought = routes.order_by("position", "id").values_list("provider_service_id", flat=True).first()
    if bought is None or not link:
        return None
    live = Order.objects.filter(provider_service_id=bought, link_key=link_key(link), ended_at__isnull=True)
    own = live.filter(customer=customer).select_related("parent").order_by("-id")
    if service.same_link == SameLink.QUEUE:
        own = own.filter(state__in=(*UNDER_WAY, *IN_LINE))
    found = own.first()
    return found.parent or found if found is not None else None
