"""Asking to cancel an order: a page that names it and says what will happen, then the wish itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from orders.cancelling import can_cancel, request_cancel
from portal.customers import CustomerRequest, customer_page
from portal.orders import owned
from records.audit import actor_of


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def cancel(request: CustomerRequest, order_id: int) -> HttpResponse:
    order = owned(request, order_id)
    verdict = can_cancel(order)
    if request.method != "POST" and verdict.allowed:
        return render(request, "portal/cancel.html", {"order": order, "section": "portal:orders"})
    if not verdict.allowed:
        messages.error(request, verdict.why)
        return redirect("portal:order", order_id=order.pk)
    result = request_cancel(order=order, actor=actor_of(request.customer.user))
    messages.success(request, result.message)
    return redirect("portal:order", order_id=order.pk)
