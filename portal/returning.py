"""Back to where somebody was: only ever to a page of ours, so that no link to the panel leads on to a stranger's."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def ours(request: HttpRequest, page: str, *, otherwise: str = "portal:home") -> str:
    """The page that the request names, if it is one of ours; else that of the name `otherwise`."""
    if url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return page
    return reverse(otherwise)


def back(request: HttpRequest) -> str:
    """The page that a small form (theme, language, news) stood on."""
    return ours(request, request.POST.get("next", ""))
