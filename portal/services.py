"""The price list: what is on sale, found by platform, category, id or words in any order; open to visitors too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Customer
from catalog.models import Category, Service
from catalog.offers import services_on_sale, shelves_on_sale
from catalog.platforms import platform_of, platforms
from ledger.amounts import MONEY_PLACES
from orders.paces import paces_of
from portal.customers import OpenRequest, layout_of, open_page
from portal.favourites import favourites_of
from portal.money import places_for

LARGEST_PAGE = 1000
PLATFORM_LENGTH = 40
#: The platform of categories whose name says none; no operator can give one this name.
OTHERS = "-"


@dataclass(frozen=True)
class Search:
    """What the address asks for: words or an id, a platform, a shelf, the favourites alone."""

    text: str
    platform: str
    asked_category: int | None
    favourites_only: bool
    customer: Customer | None

    @classmethod
    def of(cls, query: QueryDict, customer: Customer | None) -> Search:
        category, platform = query.get("category", ""), query.get("platform", "")
        return cls(
            text=query.get("q", "").strip(),
            platform=platform if len(platform) <= PLATFORM_LENGTH else "",
            asked_category=int(category) if category.isdecimal() and len(category) < 10 else None,
            favourites_only=query.get("favourites") == "1" and customer is not None,
            customer=customer,
        )

    @property
    def narrows(self) -> bool:
        return bool(self.text or self.platform or self.category or self.favourites_only)

    @cached_property
    def shelves(self) -> Sequence[Category]:
        """All that have something on sale."""
        return shelves_on_sale()

    @cached_property
    def platforms(self) -> Sequence[str]:
        """What can be chosen by first; OTHERS last, where some shelves are of no platform and some of one."""
        found = platforms(self.shelves)
        return [*found, OTHERS] if found and not all(platform_of(shelf) for shelf in self.shelves) else found

    @cached_property
    def of_platform(self) -> Sequence[Category]:
        """The shelves to choose from."""
        if not self.platform:
            return self.shelves
        wanted = "" if self.platform == OTHERS else self.platform
        return [shelf for shelf in self.shelves if platform_of(shelf) == wanted]

    @cached_property
    def category(self) -> int | None:
        """The shelf, unless a platform was chosen that it is none of."""
        if self.asked_category is None or not self.platform:
            return self.asked_category
        return self.asked_category if any(shelf.pk == self.asked_category for shelf in self.of_platform) else None

    @cached_property
    def favourites(self) -> set[int]:
        return favourites_of(self.customer) if self.customer is not None else set()

    def found(self) -> QuerySet[Service]:
        shelves = [shelf.pk for shelf in self.of_platform] if self.platform and self.category is None else None
        found = services_on_sale(search=self.text, category=self.category, categories=shelves)
        return found.filter(pk__in=self.favourites) if self.favourites_only else found


@require_safe
@open_page
def services(request: OpenRequest) -> HttpResponse:
    search, number = Search.of(request.GET, request.customer), _page_number(request.GET)
    size = settings.PORTAL_SERVICES_PAGE
    start = (number - 1) * size
    rows = list(search.found()[start : start + size + 1])
    shown, more = rows[:size], len(rows) > size
    context = {
        **listed(search, shown),
        "services": shown,
        "older": _turned(request.GET, number + 1) if more else "",
        "newer": _turned(request.GET, number - 1) if number > 1 else "",
        "here": request.get_full_path(),
        "search_page": "portal:services",
        "found_id": "found",
    }
    if request.htmx.target == "found":
        return render(request, "portal/parts/price_list_found.html", context)
    return render(request, "portal/services.html", {**context, "layout": layout_of(request)})


def listed(search: Search, shown: Sequence[Service]) -> dict[str, Any]:
    """Template context of a list of services and of the search above it."""
    return {
        "search": search,
        "others": OTHERS,
        "places": places_for((service.rate for service in shown), most=MONEY_PLACES),
        "paces": paces_of(shown),
        "favourites": search.favourites,
    }


def _page_number(query: QueryDict) -> int:
    text = query.get("page", "")
    return min(max(int(text), 1), LARGEST_PAGE) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _turned(query: QueryDict, number: int) -> str:
    turned = query.copy()
    turned["page"] = str(number)
    return turned.urlencode()
