"""News: what the operator announced, past and present; and what a customer puts away from the top of his pages."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from news.models import Announcement
from news.showing import begun, dismiss
from portal.customers import CustomerRequest, customer_page
from portal.paging import asked_id
from portal.returning import back


@require_safe
@customer_page
def news(request: CustomerRequest) -> HttpResponse:
    """A page of it, by when each began; `?before=` names the last one that was seen."""
    size, before = settings.PORTAL_NEWS_PAGE, asked_id(request.GET, "before")
    found = list(_earlier(begun(), before)[: size + 1])
    context = {
        "news": found[:size],
        "now": timezone.now(),
        "older": f"before={found[size - 1].pk}" if len(found) > size else "",
        "earlier_page": before is not None,
    }
    return render(request, "portal/news.html", context)


def _earlier(rows: QuerySet[Announcement], before: int | None) -> QuerySet[Announcement]:
    """What began before the one with this id; all of it where there is none."""
    last = None if before is None else rows.filter(pk=before).values_list("starts_at", "pk").first()
    if last is None:
        return rows
    return rows.filter(Q(starts_at__lt=last[0]) | Q(starts_at=last[0], pk__lt=last[1]))


@require_POST
@customer_page
def put_away(request: CustomerRequest) -> HttpResponse:
    """From the top of this customer's pages, on every device; back to where he was."""
    number = asked_id(request.POST, "announcement")
    announcement = None if number is None else begun().filter(pk=number).first()
    if announcement is None:
        raise Http404
    dismiss(announcement=announcement, customer=request.customer)
    return HttpResponse() if request.htmx else redirect(back(request))
