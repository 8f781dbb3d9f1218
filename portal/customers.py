"""The loader that every page of a customer begins with: whose page this is, or where the visitor belongs instead."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from accounts.models import Customer, User
from conversations.models import Thread
from portal.returning import ours

P = ParamSpec("P")
LONGEST_QUERY = 1500  # quoted once more in ?next it must fit into one line of a request, 4094 bytes


class CustomerRequest(HttpRequest):
    """A request whose customer is known: the second thing that a page reads, after its address."""

    customer: Customer
    htmx: HtmxDetails


class OpenRequest(HttpRequest):
    """A request of a page for everybody; the customer is there where one is signed in."""

    customer: Customer | None
    htmx: HtmxDetails


FRAME, OPEN = "frame.html", "open.html"
CustomerView = Callable[Concatenate[CustomerRequest, P], HttpResponseBase]


def customer_page(view: CustomerView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Gives the view its customer with the wallet, and whether answers wait for him, in one query. A visitor is asked
    to sign in and brought back after.

    Nothing of a customer stays in a browser's or a proxy's cache: after signing out, "back" shows no balance.
    """

    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        customer = customer_of(request.user)
        if customer is None:
            return redirect("admin:index")  # staff without a wallet have nothing to buy with
        request.customer = customer  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return never_cache(vary_on_headers("HX-Request")(page))


def customer_of(user: User) -> Customer | None:
    """With all that the frame of a page shows of him; None for staff who buy nothing. One query."""
    unread = Thread.objects.filter(customer=OuterRef("pk"), unread=True)
    found = Customer.objects.select_related("user", "wallet").annotate(answers_wait=Exists(unread))
    return found.filter(user_id=user.pk).first()


def open_page(
    view: Callable[Concatenate[OpenRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A page about prices: its customer where one is signed in, and for visitors too unless PUBLIC_PRICES is off."""

    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not (request.user.is_authenticated or settings.PUBLIC_PRICES):
            return to_sign_in(request)
        request.customer = None  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            request.customer = customer_of(request.user)  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return never_cache(vary_on_headers("HX-Request")(page))


def layout_of(request: OpenRequest) -> str:
    """The frame of a page for everybody: a customer's own, or the one without rail and balance."""
    return OPEN if request.customer is None else FRAME


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """A fragment asked for by a page whose session ended takes the whole page to sign in, not the form into a table."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    if htmx:
        response = HttpResponse(status=204)
        page = _page_of(htmx) or reverse("portal:home")
        response["HX-Redirect"] = redirect_to_login(_typed_order(request) or page, reverse("portal:sign_in")).url
        return response
    back = request.get_full_path() if request.method == "GET" else _typed_order(request) or _came_from(request)
    return HttpResponseRedirect(redirect_to_login(back, reverse("portal:sign_in")).url)


def _page_of(htmx: HtmxDetails) -> str | None:
    """The page that asks; None where it is not one of ours, or no address at all."""
    try:
        return htmx.current_url_abs_path
    except ValueError:
        return None


def _came_from(request: HttpRequest) -> str:
    """The page whose form was sent after the session had ended, with a word that nothing came of it."""
    messages.error(request, _("You were not signed in any more, so nothing was done. Sign in and send it again."))
    page = urlsplit(ours(request, request.headers.get("Referer", "")))
    return f"{page.path}?{page.query}" if page.query else page.path


def _typed_order(request: HttpRequest) -> str:
    """The order form's address with what was typed in it, so that it is there again after signing in; else nothing.

    What is too long for an address (a list of comments) is left out.
    """
    if request.method != "POST" or "service" not in request.POST:
        return ""
    typed = request.POST.copy()
    for name in ("csrfmiddlewaretoken", "once", "rate", "change"):
        typed.pop(name, None)
    for name in sorted(typed, key=lambda name: len(typed[name]), reverse=True):
        if len(typed.urlencode()) > LONGEST_QUERY:
            del typed[name]
    return f"{reverse('portal:new_order')}?{typed.urlencode()}"
