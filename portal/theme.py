"""Light, dark, or as the system: kept in a cookie and written into the page by the server, so that nothing flashes."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.views.decorators.http import require_POST

from portal.returning import back

COOKIE = "theme"
SYSTEM = "system"
PINNED = ("light", "dark")


def theme_of(request: HttpRequest) -> str:
    """`light`, `dark` or `system`; anything else in the cookie means the system's."""
    chosen = request.COOKIES.get(COOKIE, SYSTEM)
    return chosen if chosen in PINNED else SYSTEM


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("theme", "")
    if chosen not in (*PINNED, SYSTEM):
        return HttpResponseBadRequest()
    response = HttpResponseRedirect(back(request))
    if chosen == SYSTEM:
        response.delete_cookie(COOKIE)
    else:
        response.set_cookie(
            COOKIE,
            chosen,
            max_age=settings.PORTAL_CHOICE_COOKIE_AGE,
            samesite="Lax",
            httponly=True,
            secure=request.is_secure(),
        )
    return response
