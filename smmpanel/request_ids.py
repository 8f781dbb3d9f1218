"""A number for every request, in its log lines and in its answer, so that a complaint can be found in the logs."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase
from structlog.contextvars import bound_contextvars

HEADER = "X-Request-ID"
USABLE = re.compile(r"[A-Za-z0-9_-]{8,64}")  # a proxy's own number is kept when it can do no harm in a log


class RequestIds:
    """Binds the number for all that is logged during the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        number = given if USABLE.fullmatch(given) else uuid4().hex
        with bound_contextvars(request_id=number):
            response = self.get_response(request)
        response.headers[HEADER] = number
        return response
