"""Ordering: choose a service, fill in its type's fields, see the price follow, order once.

Every form carries a token: however often it is sent, it makes one order. What the server refuses comes back with what
was typed, the reason at its field, and nothing charged.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Customer
from catalog.models import SameLink, Service
from catalog.offers import services_on_sale
from catalog.pricing import PriceOutOfRange, charge
from catalog.service_types import service_type
from ledger.amounts import InexactAmount
from ledger.balances import balance_of
from orders.holding import holds
from orders.models import Order, Origin
from orders.paces import paces_of
from orders.placing import Line, LineProblem, Refused, Source, place_orders
from orders.same_link import own_order_under_way
from orders.tokens import TokenOfAnother
from portal.again import kept_of, typed_of
from portal.customers import CustomerRequest, customer_page
from portal.models import Favourite
from portal.money import with_currency
from portal.order_form import form_fields, price_of, problems_of, read_whole, typed_fields
from portal.paging import asked_id
from portal.services import Search, listed

TOKEN_BYTES = 18
TOKEN_LENGTH = 80
UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Errors:
    """Why nothing was ordered: sentences for the whole form, and sentences by field."""

    form: list[str] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def new_order(request: CustomerRequest) -> HttpResponse:
    if request.method == "POST":
        return _post(request)
    if "service" not in request.GET:
        return _choice(request)
    service = _on_sale(request.GET)
    if service is None:
        gone = _("That service is not on sale any more. Choose another one; nothing was charged.")
        messages.error(request, gone)
        return _choice(request)
    return _form(request, service, typed_fields(service, request.GET.dict()))


@require_POST
@customer_page
def price(request: CustomerRequest) -> HttpResponse:
    """The summary for what is typed so far."""
    if asked_id(request.POST, "service") is None:
        return HttpResponseBadRequest()
    service = _on_sale(request.POST)
    if service is None:
        return render(request, "portal/parts/price_live.html", {"gone": True, "kept": kept_of(request.POST)})
    typed = typed_fields(service, request.POST.dict())
    return render(request, "portal/parts/price_live.html", _summary(request, service, typed))


def _choice(request: CustomerRequest) -> HttpResponse:
    search = Search.of(request.GET, request.customer)
    rows = list(search.found()[: settings.PORTAL_OFFERS_SHOWN + 1])
    offers = rows[: settings.PORTAL_OFFERS_SHOWN]
    context = {
        **listed(search, offers),
        "offers": offers,
        "more": len(rows) > len(offers),
        "kept": kept_of(request.GET),
        "kept_fields": typed_of(request.GET),
        "search_page": "portal:new_order",
        "found_id": "offers",
    }
    if request.htmx.target == "offers":
        return render(request, "portal/parts/offers_found.html", context)
    return render(request, "portal/choose_service.html", context)


def _post(request: CustomerRequest) -> HttpResponse:
    service = _known(request.POST)
    if "change" in request.POST or service is None:
        return _choose_another(request)
    typed, once = typed_fields(service, request.POST.dict()), request.POST.get("once", "")
    if not once or len(once) > TOKEN_LENGTH or not once.isprintable():
        return HttpResponseBadRequest()
    line = Line(service_id=service.pk, fields=typed, expected=_expected(request.POST, service, typed))
    try:
        _refuse_what_is_no_order(service, typed)
        (order,) = place_orders(
            customer=request.customer, lines=[line], once=once, source=Source(Origin.PORTAL)
        )
    except TokenOfAnother:  # a key that a script used: no form of ours was given it
        return HttpResponseBadRequest()
    except Refused as refused:
        return _refused(request, service, typed, refused, once)
    if not _is_of(order, service, typed):
        if not service.visible:  # what an operator hides is not shown to whoever knows its number
            messages.error(request, _ordered_before(order))
            return _choose_another(request)
        return _form(request, service, typed, Errors(form=[_ordered_before(order)]))
    messages.success(request, _placed(order))
    return redirect("portal:order", order_id=order.pk)


def _refuse_what_is_no_order(service: Service, typed: Mapping[str, str]) -> None:
    """Raises Refused where the form says what an order would not: runs are meant, and none would be made."""
    problems = problems_of(service, typed)
    if problems:
        raise Refused(
            [LineProblem(line=0, field=each.field, message=each.message, code=each.code) for each in problems]
        )


def _choose_another(request: CustomerRequest) -> HttpResponse:
    """Back to the choice, with what was typed."""
    return HttpResponseRedirect(f"{reverse('portal:new_order')}?{kept_of(request.POST)}")


def _refused(
    request: CustomerRequest, service: Service, typed: Mapping[str, str], refused: Refused, once: str
) -> HttpResponse:
    """The form again, with the reasons; but what an operator hid since is not shown, not even in a form."""
    errors = _errors(refused)
    if not service.visible:
        messages.error(request, _("That service is not on sale any more. Nothing was charged; choose another one."))
        return _choose_another(request)
    return _form(request, service, typed, errors, once=once)


def _form(
    request: CustomerRequest,
    service: Service,
    typed: Mapping[str, str],
    errors: Errors | None = None,
    *,
    once: str = "",
) -> HttpResponse:
    context = {
        **_summary(request, service, typed),
        "fields": form_fields(service, typed, errors.fields if errors else {}),
        "errors": errors,
        "once": once or secrets.token_urlsafe(TOKEN_BYTES),
        "links": _last_links(request.customer),
        "marked": Favourite.objects.filter(customer=request.customer, service=service).exists(),
        "here": f"{reverse('portal:new_order')}?service={service.pk}",
    }
    return render(request, "portal/new_order.html", context, status=UNPROCESSABLE if errors else 200)


def _summary(request: CustomerRequest, service: Service, typed: Mapping[str, str]) -> dict[str, Any]:
    price = price_of(service, typed)
    balance = balance_of(request.customer.wallet)
    after = None if price.amount is None else balance - price.amount
    return {
        "service": service,
        "price": price,
        "balance": balance,
        "after": after,
        "missing": -after if after is not None and after < 0 else None,
        "same_link": _own_order(request, service, typed),
        "pace": paces_of([service]).get(service.pk),
    }


def _last_links(customer: Customer) -> list[str]:
    """The last links that were ordered for, offered where one is typed."""
    newest = customer.orders.filter(parent__isnull=True).order_by("-pk")
    lately = newest.values_list("link", flat=True)[: settings.PORTAL_ORDERS_PAGE]
    return list(dict.fromkeys(filter(None, lately)))[: settings.PORTAL_LINKS_OFFERED]


def _own_order(request: CustomerRequest, service: Service, typed: Mapping[str, str]) -> Order | None:
    """The customer's own order of this link that is still under way, where the service makes a difference of it."""
    kind = service_type(service.type)
    if service.same_link == SameLink.ALLOW or kind is None:
        return None
    link = typed.get("link" if kind.has_link else "username", "").strip()
    if not link or len(link) > settings.MAX_LINK_LENGTH:
        return None
    return own_order_under_way(customer=request.customer, service=service, link=link)


def _on_sale(query: QueryDict) -> Service | None:
    number = asked_id(query, "service")
    return services_on_sale().filter(pk=number).first() if number is not None else None


def _known(query: QueryDict) -> Service | None:
    """The service, on sale or not: the form that is sent again after a sale ended must still find its own order."""
    number = asked_id(query, "service")
    service = Service.objects.select_related("category").filter(pk=number).first() if number is not None else None
    return service if service is not None and service_type(service.type) is not None else None


def _expected(query: QueryDict, service: Service, typed: Mapping[str, str]) -> Decimal | None:
    """What this quantity cost at the rate that was on the page: the customer agreed to that, not to a later one."""
    read = read_whole(service, typed)
    if read is None:
        return None
    try:
        return charge(Decimal(query.get("rate", "")), read.quantity)
    except (InvalidOperation, InexactAmount, PriceOutOfRange):
        return None


def _errors(refused: Refused) -> Errors:
    errors = Errors()
    for problem in refused.problems:
        if problem.field in ("", "service"):
            errors.form.append(problem.message)
        else:
            errors.fields.setdefault(problem.field, []).append(problem.message)
    return errors


def _is_of(order: Order, service: Service, typed: Mapping[str, str]) -> bool:
    """Whether the order is of this form as it stands, and not of the form before somebody went back and changed it."""
    read = read_whole(service, typed)
    if read is None or order.service_id != service.pk:
        return False
    sold = (order.link, order.quantity, order.runs, order.interval, order.details)
    return sold == (read.link, read.quantity, read.measured.runs, read.measured.interval, read.details)


def _placed(order: Order) -> str:
    charged = with_currency(order.charge, settings.PANEL_CURRENCY)
    if holds(order):
        held = _("Order %(id)s is placed. %(amount)s is held; you pay for what is delivered.")
        return held % {"id": order.pk, "amount": charged}
    return _("Order %(id)s is placed. %(amount)s was charged.") % {"id": order.pk, "amount": charged}


def _ordered_before(order: Order) -> str:
    return _(
        "This form already made order %(id)s, and what you changed since was not ordered. Nothing more was charged. "
        "To make another order with what is typed here, press the button once more."
    ) % {"id": order.pk}
