"""Several orders of a list at once: a page that says what can be done with each and why not, then the wishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from orders.cancelling import CannotCancel, Verdict, can_cancel, request_cancel
from orders.models import Order
from orders.refilling import CannotRefill, can_refill, request_refill
from orders.runs import look_at_runs
from portal.customers import CustomerRequest, customer_page
from portal.orders import SECTION, of_customer
from portal.paging import ID_DIGITS
from records.audit import Actor, actor_of


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be done with many orders."""

    name: str
    verdict: Callable[[Order], Verdict]
    ask: Callable[[Order, Actor], object]
    cannot: type[Exception]


DEEDS = {
    "cancel": Deed(
        "cancel", can_cancel, lambda order, actor: request_cancel(order=order, actor=actor), CannotCancel
    ),
    "refill": Deed(
        "refill", can_refill, lambda order, actor: request_refill(order=order, actor=actor), CannotRefill
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def selected(request: CustomerRequest) -> HttpResponse:
    """Chosen orders (`id`, at most a page of them) and what to do with them (`do`); with `sure` it is done.

    A visit to the address (a session that ended in between) leads back to the list.
    """
    deed = DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        return redirect("portal:orders")
    orders = _chosen(request)
    if not orders:
        messages.error(request, _("Choose at least one order first. Nothing was changed."))
        return redirect("portal:orders")
    if "sure" in request.POST:
        return _do(request, deed, orders)
    look_at_runs(orders)
    judged = [(order, deed.verdict(order)) for order in orders]
    context = {
        "deed": deed.name,
        "able": [order for order, verdict in judged if verdict.allowed],
        "unable": [(order, verdict.why) for order, verdict in judged if not verdict.allowed],
        "section": SECTION,
    }
    return render(request, "portal/selected.html", context)


def _chosen(request: CustomerRequest) -> Sequence[Order]:
    texts = request.POST.getlist("id")[: settings.PORTAL_ORDERS_PAGE]
    ids = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS]
    return list(of_customer(request.customer).filter(pk__in=ids).order_by("-pk"))


def _do(request: CustomerRequest, deed: Deed, orders: Sequence[Order]) -> HttpResponse:
    """Each by itself: one that cannot holds up no other."""
    actor, done, refused = actor_of(request.customer.user), 0, []
    for order in orders:
        try:
            deed.ask(order, actor)
            done += 1
        except deed.cannot as cannot:
            refused.append(_("Order %(id)s: %(why)s") % {"id": order.pk, "why": cannot})
    if done:
        messages.success(request, _done(deed, done))
    if refused:
        messages.error(request, " ".join(refused))
    return redirect("portal:orders")


def _done(deed: Deed, number: int) -> str:
    if deed.name == "cancel":
        words = ngettext(
            "%(number)s order was canceled or is asked to stop: its page says which.",
            "%(number)s orders were canceled or are asked to stop: their pages say which.",
            number,
        )
    else:
        words = ngettext(
            "A refill of %(number)s order is asked for.", "Refills of %(number)s orders are asked for.", number
        )
    return words % {"number": number}
