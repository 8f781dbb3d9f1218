"""Ordering: choose a service, fill in its type's fields, see the price follow, order once.

Every form carries a token: however often it is sent, it makes one order. What the server refuses comes back with what
was typed, the reason at its field, and nothing charged.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
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

from catalog.models import Service
from catalog.offers import services_on_sale
from catalog.pricing import PriceOutOfRange, charge
from ledger.amounts import MONEY_PLACES
from ledger.balances import balance_of
from orders.models import Order
from orders.placing import Line, Quote, Refused, place_orders, quote_all
from portal.customers import CustomerRequest, customer_page
from portal.money import places_for, with_currency
from portal.order_form import Price, form_fields, price_of, typed_fields
from portal.services import Search, shelves

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
    service = _on_sale(request.POST)
    if service is None:
        return HttpResponseBadRequest()
    typed = typed_fields(service, request.POST.dict())
    return render(request, "portal/parts/summary.html", _summary(request, service, price_of(service, typed)))


def _choice(request: CustomerRequest) -> HttpResponse:
    search = Search.of(request.GET)
    rows = list(search.found()[: settings.PORTAL_OFFERS_SHOWN + 1])
    offers = rows[: settings.PORTAL_OFFERS_SHOWN]
    context = {
        "search": search,
        "offers": offers,
        "more": len(rows) > len(offers),
        "places": places_for((offer.rate for offer in offers), most=MONEY_PLACES),
        "link": request.GET.get("link", ""),
    }
    if request.htmx.target == "offers":
        return render(request, "portal/parts/offers.html", context)
    return render(request, "portal/choose_service.html", {**context, "categories": shelves()})


def _post(request: CustomerRequest) -> HttpResponse:
    if "change" in request.POST:  # another service, the same link
        kept = QueryDict(mutable=True)
        kept["link"] = request.POST.get("link", "")[: settings.MAX_LINK_LENGTH]
        return HttpResponseRedirect(f"{reverse('portal:new_order')}?{kept.urlencode()}")
    service = _on_sale(request.POST)
    if service is None:
        messages.error(request, _("That service is not on sale any more. Nothing was charged; choose another one."))
        return redirect("portal:new_order")
    return _order(request, service)


def _order(request: CustomerRequest, service: Service) -> HttpResponse:
    """Places it and goes to its page; or shows the form again."""
    typed, once = typed_fields(service, request.POST.dict()), request.POST.get("once", "")
    if not once or len(once) > TOKEN_LENGTH:
        return HttpResponseBadRequest()
    line = Line(service_id=service.pk, fields=typed, expected=_expected(request.POST, service, typed))
    try:
        (order,) = place_orders(customer=request.customer, lines=[line], once=once)
    except Refused as refused:
        return _form(request, service, typed, _errors(refused), once=once)
    if not _is_of(order, line):
        return _form(request, service, typed, Errors(form=[_ordered_before(order)]))
    messages.success(request, _placed(order))
    return redirect("portal:order", order_id=order.pk)


def _form(
    request: CustomerRequest,
    service: Service,
    typed: Mapping[str, str],
    errors: Errors | None = None,
    *,
    once: str = "",
) -> HttpResponse:
    context = {
        **_summary(request, service, price_of(service, typed)),
        "fields": form_fields(service, typed, errors.fields if errors else {}),
        "errors": errors,
        "once": once or secrets.token_urlsafe(TOKEN_BYTES),
    }
    return render(request, "portal/new_order.html", context, status=UNPROCESSABLE if errors else 200)


def _summary(request: CustomerRequest, service: Service, price: Price) -> dict[str, Any]:
    balance = balance_of(request.customer.wallet)
    after = None if price.amount is None else balance - price.amount
    return {
        "service": service,
        "price": price,
        "balance": balance,
        "after": after,
        "missing": -after if after is not None and after < 0 else None,
    }


def _on_sale(query: QueryDict) -> Service | None:
    text = query.get("service", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return services_on_sale().filter(pk=int(text)).first()


def _expected(query: QueryDict, service: Service, typed: Mapping[str, str]) -> Decimal | None:
    """What this quantity cost at the rate that was on the page: the customer agreed to that, not to a later one."""
    try:
        shown = Decimal(query.get("rate", ""))
        (quote,) = quote_all([Line(service_id=service.pk, fields=typed)])
        return charge(shown, quote.read.quantity) if isinstance(quote, Quote) else None
    except (InvalidOperation, PriceOutOfRange):
        return None


def _errors(refused: Refused) -> Errors:
    errors = Errors()
    for problem in refused.problems:
        if problem.field in ("", "service"):
            errors.form.append(problem.message)
        else:
            errors.fields.setdefault(problem.field, []).append(problem.message)
    return errors


def _is_of(order: Order, line: Line) -> bool:
    """Whether the order is of this form as it stands, and not of the form before somebody went back and changed it."""
    (quote,) = quote_all([Line(service_id=line.service_id, fields=line.fields)])
    if not isinstance(quote, Quote) or order.service_id != line.service_id:
        return order.service_id == line.service_id and not _differs(order, line.fields)
    read = quote.read
    return (order.link, order.quantity, order.details) == (read.link, read.quantity, read.details)


def _differs(order: Order, fields: Mapping[str, object]) -> bool:
    sent: Sequence[object] = (fields.get("link"), fields.get("quantity"))
    return sent != (order.link, str(order.quantity))


def _placed(order: Order) -> str:
    charged = with_currency(order.charge, settings.PANEL_CURRENCY)
    return _("Order %(id)s is placed. %(amount)s was charged.") % {"id": order.pk, "amount": charged}


def _ordered_before(order: Order) -> str:
    return _(
        "This form already made order %(id)s, and what you changed since was not ordered. Nothing more was charged. "
        "To make another order with what is typed here, press the button once more."
    ) % {"id": order.pk}
