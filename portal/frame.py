"""What every page's frame shows: the panel's name, the rail, the theme, and what is announced.

The balance comes with the customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from news.models import Announcement
from news.showing import on_top
from portal import accent, logo
from portal.theme import theme_of


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the rail: only pages that exist. On a phone the commonest are a bar, the others behind "More"."""

    name: str
    icon: str
    word: Promise | str
    common: bool = False


RAIL = (
    Place("portal:new_order", "circle-plus", _("New order"), common=True),
    Place("portal:mass_order", "list-plus", _("Mass order")),
    Place("portal:orders", "list-ordered", _("Orders"), common=True),
    Place("portal:refills", "refresh-cw", _("Refills")),
    Place("portal:services", "tags", _("Services"), common=True),
    Place("portal:updates", "history", _("Updates")),
    Place("portal:funds", "wallet", _("Funds"), common=True),
    Place("portal:api", "code-xml", _("API")),
    Place("portal:callbacks", "webhook", _("Callbacks")),
    Place("portal:news", "megaphone", _("News")),
    Place("portal:account", "user-round", _("Account")),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template context of the frame; asks the database nothing, until a whole page of a customer asks for the news."""
    customer = getattr(request, "customer", None)
    return {
        "panel_name": settings.PANEL_NAME,
        "logo": logo.address(),
        "currency": settings.PANEL_CURRENCY,
        "theme": theme_of(request),
        "accent_version": accent.version(),
        "rail": RAIL,
        "tabs": [place for place in RAIL if place.common],
        "more_places": [place for place in RAIL if not place.common],
        "customer": customer,
        "answers_wait": getattr(customer, "answers_wait", False),
        "panel_languages": settings.LANGUAGES,
        "public_prices": settings.PUBLIC_PRICES,
        "sign_up_open": settings.SIGN_UP,
        "poll_seconds": settings.PORTAL_POLL_SECONDS,
        "announced": partial(announced, request),
    }


def announced(request: HttpRequest) -> Sequence[Announcement]:
    """What stands on top of this customer's page; the page of news shows it all by itself."""
    customer = getattr(request, "customer", None)
    match = request.resolver_match
    return () if customer is None or (match is not None and match.view_name == "portal:news") else on_top(customer)
