"""Asking for a refill of an order that dropped."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from orders.refilling import CannotRefill, request_refill
from portal.customers import CustomerRequest, customer_page
from portal.orders import owned
from records.audit import actor_of


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def refill(request: CustomerRequest, order_id: int) -> HttpResponse:
    """Only a POST asks; a visit to the address (a session that ended in between) leads back to the order."""
    order = owned(request, order_id)
    if request.method == "POST":
        try:
            request_refill(order=order, actor=actor_of(request.customer.user))
            messages.success(request, _("A refill of order %(id)s is asked for.") % {"id": order.pk})
        except CannotRefill as cannot:
            messages.error(request, str(cannot))
    return redirect("portal:order", order_id=order.pk)
