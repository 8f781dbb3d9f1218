"""Asking to cancel an order: a page that names it and says what will happen, then the wish itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from orders.cancelling import FREE, CannotCancel, can_cancel, request_cancel
from orders.models import Order
from orders.runs import due_if_stopped, is_series
from portal.customers import CustomerRequest, customer_page
from portal.orders import SECTION, owned
from records.audit import actor_of


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def cancel(request: CustomerRequest, order_id: int) -> HttpResponse:
    order = owned(request, order_id)
    if request.method != "POST":
        return _confirm(request, order)
    try:
        done = request_cancel(order=order, actor=actor_of(request.customer.user))
        messages.success(request, _(done.value))
    except CannotCancel as cannot:
        messages.error(request, str(cannot))
    return redirect("portal:order", order_id=order.pk)


def _confirm(request: CustomerRequest, order: Order) -> HttpResponse:
    verdict = can_cancel(order)
    if not verdict.allowed:
        messages.error(request, verdict.why)
        return redirect("portal:order", order_id=order.pk)
    context = {"order": order, "section": SECTION, "free": order.state in FREE}
    if is_series(order):
        context["stopped"] = due_if_stopped(order)
    return render(request, "portal/cancel.html", context)
