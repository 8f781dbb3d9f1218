"""The documentation at /docs/api/: the page for everybody, the OpenAPI document, and a form that really calls."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Customer
from api import examples, parameters
from api.by_hand import call_by_hand
from api.door import Bucket
from api.errors import TABLE
from api.examples import LANGUAGES, Example
from api.openapi import document
from api.parameters import Parameter
from api.reference import Answer, Described, Form, actions, described, limits
from api.telling import HEADERS, events, rules, verifying
from catalog.offers import services_on_sale
from catalog.service_types import SERVICE_TYPES, Kind, service_type

FRAME, OPEN = "frame.html", "open.html"
LINES = tuple(field.name for kind in SERVICE_TYPES.values() for field in kind.fields if field.kind is Kind.LINES)
ID_DIGITS = 18


@dataclass(frozen=True, slots=True)
class ShownForm:
    """A form of an action with its code and its answers as text; `id` is its own on the page."""

    id: str
    form: Form
    code: Sequence[Example]
    answers: Sequence[tuple[str, str]]


@require_safe
@never_cache
def docs(request: HttpRequest) -> HttpResponse:
    """Everything about the API, on one page."""
    address = f"{settings.PUBLIC_URL}/api/v2"
    context = {
        "layout": FRAME if _customer(request) is not None else OPEN,
        "section": "portal:api",
        "address": address,
        "languages": [(key, name) for key, name, _code in LANGUAGES],
        "actions": [(action, _shown(action, address)) for action in actions()],
        "types": [(kind, *parameters.names_of(kind), parameters.quantity_of(kind), _(parameters.CHARGES[kind.charged]))
                  for kind in SERVICE_TYPES.values()],
        "errors": TABLE,
        "limits": limits(),
        "hours": settings.ORDER_TOKEN_HOURS,
        "events": [(event, json.dumps(event.message, indent=2)) for event in events()],
        "headers": HEADERS,
        "rules": rules(),
        "verifying": verifying(),
        "orders": Bucket.ORDERS,
    }  # fmt: skip
    return render(request, "api/docs.html", context)


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The document, for programs; anybody may read it, from anywhere."""
    with translation.override("en"):  # a program's: the same for everybody
        whole = document()
    response = HttpResponse(json.dumps(whole, ensure_ascii=False, indent=1), content_type="application/json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def attempt(request: HttpRequest) -> HttpResponse:
    """The form that calls: `?action=` chooses what, and of an order `service=` whose fields are asked for."""
    customer = _customer(request)
    if customer is None:
        return redirect("admin:index")  # staff without a wallet have nothing to order with
    sent = request.POST if request.method == "POST" else request.GET
    action = described(sent.get("action", "balance"))
    if action is None:
        raise Http404
    fields = {each.name: sent[each.name] for each in _all_parameters(action) if sent.get(each.name)}
    if "show" in request.POST:  # another service's fields, with what was typed; nothing is called
        return redirect(f"{request.path}?{urlencode({'action': action.name, **fields})}")
    tried = call_by_hand(customer, action.name, fields) if request.method == "POST" else None
    if tried is not None:
        customer.wallet.refresh_from_db()
    context = {
        "section": "portal:api",
        "actions": actions(),
        "action": action,
        "inputs": _inputs(action, fields),
        "once": fields.get("request_id") or secrets.token_urlsafe(18),
        "tried": tried,
    }
    return render(request, "api/try.html", context)


def _customer(request: HttpRequest) -> Customer | None:
    """Who is signed in, also for the page's frame; None for a visitor, and for staff without a wallet."""
    if not request.user.is_authenticated:
        return None
    found = Customer.objects.select_related("user", "wallet").filter(user_id=request.user.pk).first()
    request.customer = found  # type: ignore[attr-defined]
    return found


def _shown(action: Described, address: str) -> list[ShownForm]:
    return [
        ShownForm(
            f"{action.name}-{number}",
            form,
            examples.examples(address, action.name, form.asked),
            [_answer(each) for each in form.answers],
        )
        for number, form in enumerate(action.forms, start=1)
    ]


def _answer(answer: Answer) -> tuple[str, str]:
    return answer.title, json.dumps(answer.value, ensure_ascii=False, indent=2)


def _all_parameters(action: Described) -> list[Parameter]:
    return [each for form in action.forms for each in form.parameters]


def _inputs(action: Described, fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """The fields to be typed in; of an order those that its service takes."""
    asked = [each for each in _all_parameters(action) if each.name != "request_id"]
    if action.name == "add":
        names = _fields_of(fields.get("service", ""))
        asked = [each for each in asked if each.name == "service" or each.name in names]
    return [{"parameter": each, "value": fields.get(each.name, ""), "lines": each.name in LINES} for each in asked]


def _fields_of(text: str) -> Sequence[str]:
    """What a service takes; of one that is not on sale, what most take."""
    known = text.isascii() and text.isdigit() and len(text) <= ID_DIGITS
    service = services_on_sale().filter(pk=int(text)).first() if known else None
    kind = service_type(service.type) if service is not None else None
    fields = (kind or SERVICE_TYPES["default"]).fields
    return [field.name for field in fields if not field.drip_feed or (service is not None and service.dripfeed)]
