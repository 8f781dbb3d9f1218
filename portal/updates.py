"""Updates: what came on sale, what went, and what costs another price, newest first; open as the price list is."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.models import Update
from catalog.offers import services_on_sale
from ledger.amounts import MONEY_PLACES
from portal.customers import OpenRequest, layout_of, open_page
from portal.money import places_for
from portal.paging import newest_first

Kind = Update.Kind
#: what the list is narrowed to → the kinds that it is of, and what it is called
NARROWED: dict[str, tuple[tuple[Kind, ...], Callable[[], str]]] = {
    "new": ((Kind.NEW, Kind.BACK), lambda: _("New")),
    "down": ((Kind.DOWN,), lambda: _("Cheaper")),
    "up": ((Kind.UP,), lambda: _("Dearer")),
    "gone": ((Kind.GONE,), lambda: _("Gone")),
}


@require_safe
@open_page
def updates(request: OpenRequest) -> HttpResponse:
    chosen = request.GET.get("kind", "")
    page = newest_first(_wanted(chosen), request.GET, size=settings.PORTAL_UPDATES_PAGE)
    numbers = {row.service_id for row in page.rows if row.service_id is not None}
    context = {
        "layout": layout_of(request),
        "page": page,
        "kinds": [(word, named()) for word, (_kinds, named) in NARROWED.items()],
        "chosen": chosen if chosen in NARROWED else "",
        "on_sale": set(services_on_sale().filter(pk__in=numbers).order_by().values_list("pk", flat=True)),
        "places": places_for(
            (rate for row in page.rows for rate in (row.rate_before, row.rate_after) if rate is not None),
            most=MONEY_PLACES,
        ),
        "days": settings.CATALOGUE_UPDATES_DAYS,
        "earlier": _is_later_page(request.GET),
    }
    return render(request, "portal/updates.html", context)


def _wanted(chosen: str) -> QuerySet[Update]:
    rows = Update.objects.all()
    if chosen not in NARROWED:
        return rows
    kinds = NARROWED[chosen][0]
    return rows.filter(kind=kinds[0]) if len(kinds) == 1 else rows.filter(kind__in=kinds)


def _is_later_page(query: QueryDict) -> bool:
    return "before" in query or "after" in query
