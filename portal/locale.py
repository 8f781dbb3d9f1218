"""The language and the time zone of a page: the user's own, else the browser's language and the panel's time.

The language is chosen by the account, else by the cookie of the switch, else by what the browser asks for. The
operator's side speaks English. What was chosen ends with the request: threads are used again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils import timezone, translation
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.preferences import set_language
from accounts.sessions import see
from portal.returning import back

# For everybody the same: who asks is not looked up.
ASK_NOBODY = {"portal:accent", "portal:logo", "healthz", "healthz_live", "healthz_ready", "metrics"}


class Locale:
    """Middleware, after the session's and the user's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        on_desk = request.path_info.startswith(f"/{settings.ADMIN_PATH}")
        translation.activate(settings.LANGUAGE_CODE if on_desk else translation.get_language_from_request(request))
        timezone.deactivate()
        try:
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
            return response
        finally:
            translation.deactivate()
            timezone.deactivate()

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Once the address is known: what is for everybody the same costs no query."""
        known = request.resolver_match is not None and request.resolver_match.view_name in ASK_NOBODY
        if known or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        user = request.user
        if not isinstance(user, User):
            return
        see(request, user)
        if user.time_zone:
            try:
                timezone.activate(ZoneInfo(user.time_zone))
            except (ZoneInfoNotFoundError, ValueError):  # a zone of another machine's list
                timezone.deactivate()
        if user.language in dict(settings.LANGUAGES) and not request.path_info.startswith(f"/{settings.ADMIN_PATH}"):
            translation.activate(user.language)


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """The switch: kept by the account when somebody is signed in, and by a cookie."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest()
    if isinstance(request.user, User):
        set_language(user=request.user, language=chosen)
    response = HttpResponseRedirect(back(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=settings.PORTAL_CHOICE_COOKIE_AGE,
        samesite="Lax",
        httponly=True,
        secure=request.is_secure(),
    )
    return response
