"""What every page's frame shows: the panel's name, the rail, the theme. The balance comes with the customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import accent
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
    Place("portal:mass_order", "list-ordered", _("Mass order")),
    Place("portal:orders", "list-ordered", _("Orders"), common=True),
    Place("portal:refills", "refresh-cw", _("Refills")),
    Place("portal:services", "tags", _("Services"), common=True),
    Place("portal:funds", "wallet", _("Funds"), common=True),
    Place("portal:api", "code-xml", _("API")),
    Place("portal:callbacks", "webhook", _("Callbacks")),
    Place("portal:account", "user-round", _("Account")),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template context of the frame; asks the database nothing."""
    return {
        "panel_name": settings.PANEL_NAME,
        "currency": settings.PANEL_CURRENCY,
        "theme": theme_of(request),
        "accent_version": accent.version(),
        "rail": RAIL,
        "tabs": [place for place in RAIL if place.common],
        "more_places": [place for place in RAIL if not place.common],
        "customer": getattr(request, "customer", None),
        "poll_seconds": settings.PORTAL_POLL_SECONDS,
    }
