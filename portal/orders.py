"""A customer's orders: the list, one order's page, and what keeps both current while somebody looks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import Customer
from conversations.models import Thread
from ledger.amounts import MONEY_PLACES
from orders.cancelling import can_cancel, has_open_cancel
from orders.models import FINAL, CancelRequest, Order, RefillRequest, Status
from orders.refilling import can_refill
from orders.runs import look_at_runs
from orders.same_link import own_order_ahead
from portal import parts
from portal.customers import CustomerRequest, customer_page
from portal.money import places_for
from portal.order_form import label_of_field
from portal.order_search import Wanted, bought_lately, counts_by_status
from portal.paging import ID_DIGITS, newest_first
from portal.runs import runs_of
from portal.story import beside_status, story_of

NO_CONTENT = 204
SECTION = "portal:orders"
OF_SUBSCRIPTIONS = (Status.ACTIVE, Status.PAUSED, Status.EXPIRED)


@require_safe
@customer_page
def orders(request: CustomerRequest) -> HttpResponse:
    """The newest orders, or those that the address asks for; pages by id."""
    wanted, rows = Wanted.of(request.GET), of_customer(request.customer)
    page = newest_first(wanted.among(rows), request.GET, size=settings.PORTAL_ORDERS_PAGE)
    look_at_runs(page.rows)
    context = {
        "page": page,
        "wanted": wanted,
        "query": _filters(request.GET),
        "statuses": _statuses(request, wanted.status),
        "places": places_for(order.charge - order.refunded for order in page.rows),
        "answered": answered_for(request.customer),
        "missing": wanted.missing(request.customer.orders.filter(parent__isnull=True)),
        **_live(page.rows),
    }
    if request.htmx.target == "found":
        return render(request, "portal/parts/orders_found.html", context)
    services = bought_lately(request.customer.orders.filter(parent__isnull=True))
    return render(request, "portal/orders.html", {**context, "services": services})


def answered_for(customer: Customer) -> list[int]:
    """The orders about which the customer has an answer to read, the newest of them."""
    unread = Thread.objects.filter(customer=customer, unread=True).order_by("-pk")
    return list(unread.values_list("order_id", flat=True)[: settings.PORTAL_ANSWERS_SHOWN])


def _filters(query: QueryDict) -> str:
    """What the address is narrowed to beside the status, to go along with a change of that; empty or "&q=…"."""
    kept = QueryDict(mutable=True)
    for name in ("q", "service", "since", "until"):
        if query.get(name):
            kept[name] = str(query[name])
    return f"&{kept.urlencode()}" if kept else ""


def _statuses(request: CustomerRequest, chosen: str) -> list[tuple[str, str]]:
    """What the list can be narrowed to, each with how many there are; the words of subscriptions only for whoever has
    one.
    """
    counts, most = counts_by_status(request.customer), settings.PORTAL_COUNTED
    shown = chosen in OF_SUBSCRIPTIONS or any(word in counts for word in OF_SUBSCRIPTIONS)
    words = [word for word in Status.values if shown or word not in OF_SUBSCRIPTIONS]
    return [(word, f"{most}+" if counts.get(word, 0) > most else str(counts.get(word, ""))) for word in words]


@require_safe
@customer_page
def live(request: CustomerRequest) -> HttpResponse:
    """Those rows of a list that were not final, if any of them changed since; else nothing at all."""
    texts = request.GET.get("ids", "").split(",")
    asked = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS]
    if len(asked) > settings.PORTAL_ORDERS_PAGE:
        raise Http404
    rows = list(of_customer(request.customer).filter(pk__in=asked).order_by("-pk"))
    if _digest(rows) == request.GET.get("seen"):
        return HttpResponse(status=NO_CONTENT)
    look_at_runs(rows)
    places = max(places_for(order.charge - order.refunded for order in rows), _places_shown(request.GET))
    return render(request, "portal/parts/live_rows.html", {"rows": rows, "places": places, **_live(rows)})


@require_safe
@customer_page
def order(request: CustomerRequest, order_id: int) -> HttpResponse:
    return render(request, "portal/order.html", _page(owned(request, order_id), request.customer))


@require_safe
@customer_page
def order_live(request: CustomerRequest, order_id: int) -> HttpResponse:
    """The order's page without its frame, if the order changed since it was shown."""
    found = owned(request, order_id)
    context = _page(found, request.customer)
    if context["seen"] == request.GET.get("seen"):
        return HttpResponse(status=NO_CONTENT)
    return render(request, "portal/parts/order_live.html", context)


def owned(request: CustomerRequest, order_id: int) -> Order:
    """This customer's order, or 404: another's order does not exist for him."""
    if order_id >= 2**63:
        raise Http404
    return get_object_or_404(of_customer(request.customer), pk=order_id)


def of_customer(customer: Customer) -> QuerySet[Order]:
    """Hers alone and no runs, with what the verdicts on cancelling and refilling look at: two queries more, however
    many rows.
    """
    open_cancels = CancelRequest.objects.filter(ended_at__isnull=True)
    open_refills = RefillRequest.objects.filter(ended_at__isnull=True)
    return customer.orders.filter(parent__isnull=True).prefetch_related(
        Prefetch("cancels", queryset=open_cancels, to_attr="open_cancels"),
        Prefetch("refills", queryset=open_refills, to_attr="open_refills"),
    )


def _places_shown(query: QueryDict) -> int:
    """How many places the rows that stay have, so that the new ones align with them."""
    text = query.get("places", "")
    return min(int(text), MONEY_PLACES) if text.isascii() and text.isdigit() and len(text) == 1 else 0


def _page(found: Order, customer: Customer) -> dict[str, Any]:
    story, runs, ahead = story_of(found), runs_of(found), own_order_ahead(found)
    beside = beside_status(found, ahead)
    made = parts.parts_of(found)
    answered = customer.answers_wait and customer.threads.filter(order=found, unread=True).exists()  # type: ignore[attr-defined]
    facts = parts.facts_of(found)
    left_out = parts.SHOWN_AS_FACTS if facts else ()
    details = {name: value for name, value in found.details.items() if name not in left_out}
    live = found.status not in FINAL or bool(found.open_refills) or (runs is not None and runs.refilling)  # type: ignore[attr-defined]
    return {
        "runs": runs,
        "beside": beside,
        "ahead": ahead,
        "order": found,
        "answered": answered,
        "story": story,
        "details": [(label_of_field(found.service_type, name), value) for name, value in details.items()],
        "in_parts": parts.in_parts(found),
        "parts": made,
        "asked_for": facts,
        "hold": parts.hold_of(found),
        "refill": can_refill(found),
        "cancel": can_cancel(found),
        "final": found.status in FINAL,
        "live": live,
        "seen": _digest([found], repr(runs), repr(made), beside, repr(answered), *(entry.words for entry in story)),
        "section": SECTION,
    }


def _live(rows: Sequence[Order]) -> dict[str, str]:
    """What the list asks for next time: the rows that can still change, and what they looked like."""
    open_rows = [order for order in rows if order.status not in FINAL]
    return {"live_ids": ",".join(str(order.pk) for order in open_rows), "seen": _digest(open_rows)}


def _digest(rows: Iterable[Order], *more: str) -> str:
    looks = [
        (
            row.pk,
            row.status,
            row.start_count,
            row.remains,
            str(row.refunded),
            row.parts_done,
            bool(row.cancel_wished_at),
            has_open_cancel(row),
            row.runs_left,
        )
        for row in rows
    ]
    return hashlib.sha256(repr((looks, more)).encode()).hexdigest()[:16]
