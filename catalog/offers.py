"""What is on sale, how customers find it, and why a service cannot be ordered."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from django.db.models import Q, QuerySet

from catalog.models import Category, Service
from catalog.searching import words
from catalog.sentences import Sentence, say
from catalog.service_types import ORDERABLE_KEYS, service_type

LARGEST_ID = 2**63 - 1


def services_on_sale(
    *, search: str = "", category: Category | int | None = None, categories: Collection[int] | None = None
) -> QuerySet[Service]:
    """Services that can be ordered now, shelf by shelf. `search`: an id, or words of name and category in any order;
    `categories`: of these alone.
    """
    found = Service.objects.filter(
        visible=True, off_sale_reason="", type__in=ORDERABLE_KEYS, rate__gt=Decimal(0)
    ).select_related("category")
    if category is not None:
        found = found.filter(category=category)
    if categories is not None:
        found = found.filter(category__in=categories)
    for word in words(search):
        found = found.filter(_matching(word))
    return found.order_by("category__position", "category_id", "position", "id")


def shelves_on_sale() -> list[Category]:
    """The categories that have something on sale, in their order."""
    return list(Category.objects.filter(pk__in=services_on_sale().order_by().values("category_id")))


def why_not_orderable(service: Service) -> Sentence | None:
    """A sentence for the customer, or None when the service can be ordered."""
    if not service.visible:
        return say("This service is not on sale.")
    if service.off_sale_reason:
        return say("This service is not on sale at the moment.")
    kind = service_type(service.type)
    if kind is None:
        return say("This service is of a type that cannot be ordered here.")
    if service.rate <= 0:
        return say("This service has no price yet.")
    return None


def _matching(word: str) -> Q:
    match = Q(search__contains=word) | Q(category__search__contains=word)
    number = word.removeprefix("#")
    if number.isascii() and number.isdigit() and int(number) <= LARGEST_ID:
        match |= Q(pk=int(number))
    return match
