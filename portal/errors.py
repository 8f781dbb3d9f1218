"""Pages for what went wrong, in the panel's look. They ask the database nothing, because it may be what is broken."""

from __future__ import annotations

from contextlib import suppress

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.urls import reverse
from django.utils.translation import gettext as _

from portal import accent

TOO_LARGE = 413
PIECE_BYTES = 65_536
DRAINED_BYTES = 100_000_000  # a browser reads no answer before all is sent; beyond this it sees a connection that broke


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Plain text and no template: the request's own body or host may be what cannot be read. A script gets JSON, and
    who sent too much a page that says how much may be sent.
    """
    if isinstance(exception, RequestDataTooBig) and not request.path.startswith("/api/"):
        return too_large(request)
    if request.path.startswith("/api/"):
        strange = isinstance(exception, DisallowedHost)
        why = "this address is not the panel's" if strange else "it cannot be read"
        return JsonResponse({"error": f"Incorrect request: {why}"}, status=400)
    text = _("This request could not be read. Nothing was done: go back, reload the page and try again.")
    return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")


def too_large(request: HttpRequest) -> HttpResponse:
    """No view has seen the request, so that nothing of it was done."""
    with suppress(OSError):  # among them whoever hung up meanwhile
        for _piece in range(DRAINED_BYTES // PIECE_BYTES):
            if not request.read(PIECE_BYTES):
                break
    context = {"most": settings.MASS_MAX_BYTES, "is_list": request.path == reverse("portal:mass_order")}
    return render(request, "portal/errors/too_large.html", context, status=TOO_LARGE)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "portal/errors/not_found.html", status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "portal/errors/forbidden.html", status=403)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old: usually a page left open over a sign-out. Nothing was done."""
    return render(request, "portal/errors/stale_form.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    """Without the request's context processors: one of them may be what failed."""
    context = {"panel_name": settings.PANEL_NAME, "theme": "system", "accent_version": accent.version()}
    return HttpResponse(loader.render_to_string("portal/errors/broken.html", context), status=500)
