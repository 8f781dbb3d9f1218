"""The services that a customer marked, to have them first."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Customer
from catalog.models import Service
from catalog.offers import services_on_sale
from portal.customers import CustomerRequest, customer_page
from portal.models import Favourite
from portal.returning import ours


def favourites_of(customer: Customer) -> set[int]:
    """Their ids, PORTAL_FAVOURITES at most."""
    newest = Favourite.objects.filter(customer=customer, service__in=services_on_sale()).order_by("-pk")
    return set(newest.values_list("service_id", flat=True)[: settings.PORTAL_FAVOURITES])


@require_POST
@customer_page
def mark(request: CustomerRequest, service_id: int) -> HttpResponse:
    """Make it a favourite with `on=1`, none without; however often it is sent."""
    service = services_on_sale().filter(pk=service_id).first() if service_id < 2**63 else None
    if service is None:
        raise Http404
    wanted = request.POST.get("on") == "1"
    refused = "" if not wanted or _add(request.customer, service) else _too_many()
    if not wanted:
        Favourite.objects.filter(customer=request.customer, service=service).delete()
    if request.htmx:
        context = {
            "service": service,
            "marked": wanted and not refused,
            "refused": refused,
            "worded": request.POST.get("worded") == "1",
            "here": request.POST.get("back", ""),
        }
        return render(request, "portal/parts/star.html", context)
    if refused:
        messages.error(request, refused)
    return HttpResponseRedirect(ours(request, request.POST.get("back", ""), otherwise="portal:services"))


def _add(customer: Customer, service: Service) -> bool:
    """Whether there is room among those on sale: what went off sale can be taken away by nobody, so it counts not."""
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)  # six tabs at once are not six more than there may be
        own = Favourite.objects.filter(customer=customer)
        if own.filter(service=service).exists():
            return True
        if own.filter(service__in=services_on_sale()).count() >= settings.PORTAL_FAVOURITES:
            return False
        Favourite.objects.create(customer=customer, service=service)
    return True


def _too_many() -> str:
    return _("You have %(most)s favourites, which is the most there can be: take one away first.") % {
        "most": settings.PORTAL_FAVOURITES
    }
