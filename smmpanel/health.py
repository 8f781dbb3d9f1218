"""Whether this web process answers, for whoever restarts it. A database that is down would not be mended by that."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache


@never_cache
def answers(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")
