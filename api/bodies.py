"""Reading a request's body: form-encoded, multipart or JSON, into plain text fields, or one clear error.

Everything a client can send ends here in an ApiError or a mapping of names to text: invalid UTF-8, NUL, malformed
multipart, deep JSON, repeated fields, a body that broke off. Nothing is cut or guessed. A body sent in chunks, without
a Content-Length, is as good as any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from api import errors
from api.errors import ApiError, incorrect

Fields = Mapping[str, str]
LISTS = ("orders", "refills")  # a JSON list of ids is as good as ids with commas between
MOST_DIGITS = 40  # of a number in JSON; Python would take thousands, slowly


def read_fields(request: HttpRequest) -> Fields:
    """The body's fields as text. Raises ApiError."""
    if "key" in request.GET:
        raise ApiError(errors.KEY_IN_ADDRESS)
    body = _whole_body(request)
    match request.content_type:
        case "application/json" | "text/json":
            return _json_fields(_decoded(body))
        case "multipart/form-data":
            return _multipart_fields(request, body)
        case _:
            return _form_fields(_decoded(body))


def _whole_body(request: HttpRequest) -> bytes:
    """All that was sent, or an error where it broke off: half a body may be another order than the one that was meant.
    """
    most = settings.API_MAX_BODY_BYTES
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdigit() and int(declared) > most:
        raise ApiError(errors.TOO_LARGE.format(most))
    try:
        if not declared and request.META.get("wsgi.input_terminated"):  # in chunks: the server knows where they end
            body = request.META["wsgi.input"].read(most + 1)
        else:
            body = request.body
    except RequestDataTooBig as error:
        raise ApiError(errors.TOO_LARGE.format(most)) from error
    except (UnreadablePostError, OSError) as error:  # among them the server's own, for a bad chunk
        raise incorrect("the body did not arrive whole") from error
    if len(body) > most:
        raise ApiError(errors.TOO_LARGE.format(most))
    if declared.isdigit() and len(body) < int(declared):
        raise incorrect("the body did not arrive whole")
    return bytes(body)


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise incorrect("the body is not UTF-8") from error


def _form_fields(body: str) -> Fields:
    try:
        pairs = parse_qsl(
            body, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=settings.API_MAX_FIELDS
        )
    except UnicodeDecodeError as error:
        raise incorrect("the body is not UTF-8") from error
    except ValueError as error:
        raise incorrect(f"more than {settings.API_MAX_FIELDS} fields") from error
    return _once(pairs)


def _multipart_fields(request: HttpRequest, body: bytes) -> Fields:
    boundary = (request.content_params or {}).get("boundary", "")
    if not boundary or f"--{boundary}--".encode("latin-1", "replace") not in body:
        raise incorrect("the multipart body cannot be read")
    length = str(len(body))
    again = WSGIRequest({**request.META, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": length})
    try:
        posted, files = again.POST, again.FILES
    except (MultiPartParserError, UnreadablePostError, TooManyFieldsSent, BadRequest, SuspiciousOperation) as error:
        raise incorrect("the multipart body cannot be read") from error
    if files:
        raise incorrect("files are not taken")
    return _once([(name, value) for name, values in posted.lists() for value in values])


def _once(pairs: list[tuple[str, str]]) -> Fields:
    fields: dict[str, str] = {}
    for name, value in pairs:
        plain = _text("a field's name", name).removesuffix("[]")
        if plain in LISTS and plain in fields and name.endswith("[]"):
            fields[plain] += f",{_text(plain, value)}"  # PHP's way to send a list
            continue
        if plain in fields:
            raise ApiError(errors.REPEATED_FIELD.format(plain[:40]))
        fields[plain] = _text(plain, value)
    return fields


def _json_fields(body: str) -> Fields:
    try:
        found = json.loads(body or "{}", object_pairs_hook=_pairs, parse_int=_whole, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise incorrect("the body is not JSON") from error
    if not isinstance(found, _Object):
        raise incorrect("the body must be a JSON object")
    fields: dict[str, str] = {}
    for name, value in found.pairs:
        if _text("a field's name", name) in fields:
            raise ApiError(errors.REPEATED_FIELD.format(name[:40]))
        if value is not None:
            fields[name] = _text(name, _json_value(name, value))
    return fields


class _Object:
    """A JSON object as it was written, so that a name that stands twice is seen."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


def _pairs(pairs: list[tuple[str, object]]) -> _Object:
    return _Object(pairs)


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number of so many digits")
    return int(text)


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is not JSON")


def _json_value(name: str, value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "1" if value else "0"
        case int():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
        case list() if name in LISTS and all(isinstance(each, str | int) for each in value):
            return ",".join(str(each) for each in value)
        case list() if all(isinstance(each, str) for each in value):
            return "\n".join(str(each) for each in value)  # comments, usernames: lines
    raise incorrect(f"{name[:40]} must be text or a whole number")


def _text(name: str, value: str) -> str:
    """Half surrogates (JSON can spell them) and NUL go into no database."""
    if "\x00" in value:
        raise incorrect(f"{name[:40]} holds characters that cannot be used")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise incorrect(f"{name[:40]} is not valid text") from error
    return value
