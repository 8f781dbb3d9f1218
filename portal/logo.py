"""The operator's logo, in place of the panel's name and as the icon of its tabs.

An SVG may hold scripts. Shown as an image it never runs them; opened by itself it is kept in a sandbox that runs none.
"""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

ALONE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@require_safe
@cache_control(public=True, max_age=86400)
def image(request: HttpRequest) -> HttpResponse:
    logo = settings.PANEL_LOGO
    if logo is None:
        raise Http404
    headers = {"Content-Security-Policy": ALONE, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(logo.content, content_type=logo.type, headers=headers)


def address() -> str:
    """Where it is, as long as it is this one; empty where the operator has none."""
    logo = settings.PANEL_LOGO
    return "" if logo is None else f"{reverse('portal:logo')}?v={logo.version}"
