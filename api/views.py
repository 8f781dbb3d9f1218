"""The one address of the API: HTTP 200 and JSON whatever happens, an error too."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from api import errors
from api.actions import SERVICES, Call, answer_of, bucket_of
from api.bodies import read_fields
from api.door import count, let_in
from api.errors import ApiError
from api.price_list import Prepared, prepared
from api.request_log import note

log = logging.getLogger(__name__)
LANGUAGE = "en"  # whatever the caller's browser, cookie or account speaks: scripts compare what they read


@csrf_exempt
def api_v2(request: HttpRequest) -> HttpResponse:
    """`POST /api/v2` and `/api/v2/`. Signed in or not does not matter here: the key alone counts, and no cookie."""
    with translation.override(LANGUAGE):
        response = _answered(request)
    response.headers["Content-Language"] = LANGUAGE
    return response


def _answered(request: HttpRequest) -> HttpResponse:
    try:
        return _answer(request)
    except ApiError as error:
        return _refuse(error)
    except Exception:
        log.exception("A call of the API failed")
        return _refuse(ApiError(errors.BROKEN))


def _answer(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        raise ApiError(errors.KEY_IN_ADDRESS if "key" in request.GET else errors.POST_ONLY)
    fields = read_fields(request)
    opened = let_in(request, fields.get("key", ""))
    name = fields.get("action", "")
    with note(opened.customer, opened.key.prefix, name, fields) as entry:
        count(str(opened.key.pk), bucket_of(name))
        if name == SERVICES:
            return entry.keep(_services(request, prepared()))
        key = request.headers.get("Idempotency-Key")
        call = Call(customer=opened.customer, key=opened.key, fields=fields, idempotency_key=key)
        return entry.keep(_json(answer_of(name, call)))


def _services(request: HttpRequest, listed: Prepared) -> HttpResponse:
    if listed.etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(listed.packed, content_type="application/json")
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(listed.body, content_type="application/json")
    response.headers["ETag"] = listed.etag
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _json(value: object) -> HttpResponse:
    response = HttpResponse(json.dumps(value, ensure_ascii=False), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _refuse(error: ApiError) -> HttpResponse:
    response = _json({"error": error.text})
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
