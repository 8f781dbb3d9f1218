"""Callbacks: where a customer's own server is told what happens, and what has been sent there.

A secret is shown in the answer to the request that made it, and never again: it is kept in no session and no address.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from callbacks.addresses import add_address, addresses_of, remove_address, rotate_secret, switch_on
from callbacks.checking import AddressNotTaken
from callbacks.models import CallbackAddress, CallbackMessage
from callbacks.outbox import CannotSend, send_again, send_test
from portal.customers import CustomerRequest, customer_page
from portal.paging import newest_first
from records.audit import Actor, actor_of

LARGEST_ID = 2**63 - 1
METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(METHODS)
@customer_page
def callbacks(request: CustomerRequest) -> HttpResponse:
    """The addresses and what was sent to them; a POST adds an address."""
    if request.method != "POST":
        return _page(request)
    typed = request.POST.get("url", "")
    try:
        address, secret = add_address(customer=request.customer, url=typed, actor=_actor(request))
    except AddressNotTaken as refused:
        return _page(request, typed=typed, error=str(refused))
    return _page(request, secret=secret, secret_of=address)


@require_http_methods(METHODS)
@customer_page
def callback(request: CustomerRequest, address_id: int) -> HttpResponse:
    """What `do` asks for with one address; a visit (a session that ended in between) leads back to the list."""
    address = _own_address(request, address_id)
    if request.method == "POST":
        do = request.POST.get("do", "")
        if do == "rotate":
            return _page(request, secret=rotate_secret(address=address, actor=_actor(request)), secret_of=address)
        _do(request, address, do)
    return redirect("portal:callbacks")


@require_http_methods(METHODS)
@customer_page
def callback_again(request: CustomerRequest, message_id: int) -> HttpResponse:
    """Sends one message again; only a POST does."""
    if message_id > LARGEST_ID:
        raise Http404
    message = CallbackMessage.objects.filter(customer=request.customer, pk=message_id).first()
    if message is None:
        raise Http404
    if request.method == "POST":
        try:
            send_again(message=message, actor=_actor(request))
            messages.success(request, _("The message is sent again."))
        except CannotSend as refused:
            messages.error(request, str(refused))
    return redirect("portal:callbacks")


def _do(request: CustomerRequest, address: CallbackAddress, do: str) -> None:
    actor = _actor(request)
    try:
        if do == "test":
            send_test(address=address, actor=actor)
            messages.success(request, _("A test is on its way: its result is in the list below in a moment."))
        elif do == "on" and switch_on(address=address, actor=actor):
            messages.success(request, _("The address is switched on again."))
        elif do == "remove" and remove_address(address=address, actor=actor):
            messages.success(request, _("The address is removed. Nothing is sent there any more."))
    except CannotSend as refused:
        messages.error(request, str(refused))


def _page(request: CustomerRequest, **more: Any) -> HttpResponse:
    sent = CallbackMessage.objects.filter(customer=request.customer).select_related("address").defer("body")
    kept = list(addresses_of(request.customer))
    context = {
        "addresses": kept,
        "full": len(kept) >= settings.CALLBACK_ADDRESSES_PER_CUSTOMER,
        "page": newest_first(sent, request.GET, size=settings.PORTAL_CALLBACKS_PAGE),
        "retry_hours": settings.CALLBACK_RETRY_HOURS,
        "overlap_hours": settings.CALLBACK_SECRET_OVERLAP_HOURS,
        **more,
    }
    return render(request, "portal/callbacks.html", context)


def _own_address(request: CustomerRequest, address_id: int) -> CallbackAddress:
    found = addresses_of(request.customer).filter(pk=address_id).first() if address_id <= LARGEST_ID else None
    if found is None:
        raise Http404
    return found


def _actor(request: CustomerRequest) -> Actor:
    return actor_of(request.customer.user)
