"""The price list: what is on sale, shelf by shelf, found by id or words in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import Category, Service
from catalog.offers import services_on_sale
from ledger.amounts import MONEY_PLACES
from portal.customers import CustomerRequest, customer_page
from portal.money import places_for

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """What the address asks for: words or an id, and a shelf."""

    text: str
    category: int | None

    @classmethod
    def of(cls, query: QueryDict) -> Search:
        category = query.get("category", "")
        return cls(query.get("q", "").strip(), int(category) if category.isdecimal() and len(category) < 10 else None)

    def found(self) -> QuerySet[Service]:
        return services_on_sale(search=self.text, category=self.category)


@require_safe
@customer_page
def services(request: CustomerRequest) -> HttpResponse:
    search, number = Search.of(request.GET), _page_number(request.GET)
    size = settings.PORTAL_SERVICES_PAGE
    start = (number - 1) * size
    rows = list(search.found()[start : start + size + 1])
    shown, more = rows[:size], len(rows) > size
    context = {
        "search": search,
        "services": shown,
        "places": places_for((service.rate for service in shown), most=MONEY_PLACES),
        "older": _turned(request.GET, number + 1) if more else "",
        "newer": _turned(request.GET, number - 1) if number > 1 else "",
    }
    if request.htmx.target == "found":
        return render(request, "portal/parts/price_list.html", context)
    return render(request, "portal/services.html", {**context, "categories": shelves()})


def shelves() -> Sequence[Category]:
    """The categories that have something on sale."""
    return list(Category.objects.filter(pk__in=services_on_sale().order_by().values("category_id")))


def _page_number(query: QueryDict) -> int:
    text = query.get("page", "")
    return min(max(int(text), 1), LARGEST_PAGE) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _turned(query: QueryDict, number: int) -> str:
    turned = query.copy()
    turned["page"] = str(number)
    return turned.urlencode()
