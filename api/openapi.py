"""The OpenAPI 3.1 document, made from the reference.

API v2 has one address and tells its actions by a field, so there is one operation; its body is one of the actions'
and its answer one of theirs, or an error, always with HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from api.errors import TABLE
from api.parameters import Parameter, Shape
from api.reference import Described, Form, actions
from api.schemas import ANSWERS
from api.telling import webhooks

PATH = "/api/v2"
VERSION = "2.0"
TEXT_OR_NUMBER: Mapping[str, Any] = {"type": ["string", "integer"]}
SHAPES: Mapping[Shape, Mapping[str, Any]] = {
    Shape.TEXT: {"type": "string"},
    Shape.NUMBER: TEXT_OR_NUMBER,
    Shape.IDS: {"anyOf": [TEXT_OR_NUMBER, {"type": "array", "items": TEXT_OR_NUMBER, "minItems": 1}]},
    Shape.LINES: {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
}


def document() -> dict[str, Any]:
    """The whole document, as this panel has it: its name, address and limits."""
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{settings.PANEL_NAME} API v2", "version": VERSION, "description": _about()},
        "servers": [{"url": settings.PUBLIC_URL}],
        "paths": {PATH: {"post": _operation()}},
        "webhooks": dict(webhooks()),
        "components": {"schemas": {**_requests(), **{name: dict(schema) for name, schema in ANSWERS.items()}}},
    }


def _about() -> str:
    errors = "\n".join(f"- `{line.text}`: {line.when}" for line in TABLE)
    return f"Every action is one POST to one address, and every answer comes with HTTP 200.\n\nErrors:\n\n{errors}"


def _operation() -> dict[str, Any]:
    body = {"schema": {"oneOf": [_ref(name) for name in _requests()]}}
    return {
        "operationId": "call",
        "summary": "Call an action",
        "parameters": [_idempotency_key()],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": body, "application/json": body},
        },
        "responses": {"200": _answered(), "304": {"description": "services is what If-None-Match names"}},
    }


def _idempotency_key() -> dict[str, Any]:
    length = settings.API_IDEMPOTENCY_KEY_LENGTH
    return {
        "name": "Idempotency-Key", "in": "header", "required": False,
        "description": "Makes it safe to send the same add again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": length, "pattern": "^[!-~]+$"},
    }  # fmt: skip


def _answered() -> dict[str, Any]:
    schema = {"anyOf": [_ref(name) for name in ANSWERS]}
    return {
        "description": "The answer, or an error.",
        "headers": {
            "ETag": {"description": "Of services.", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds, with Too many requests.", "schema": {"type": "string"}},
        },
        "content": {"application/json": {"schema": schema, "examples": _examples()}},
    }


def _examples() -> dict[str, Any]:
    return {
        f"{_name(action, form)}{number or ''}": {"summary": f"{action.name}: {answer.title}", "value": answer.value}
        for action in actions()
        for form in _forms(action)
        for number, answer in enumerate(form.answers)
    }


def _requests() -> dict[str, Any]:
    """A schema for each way to call each action."""
    return {_name(action, form): _request(action, form) for action in actions() for form in _forms(action)}


def _forms(action: Described) -> list[Form]:
    """Those that differ in their fields, and not only in their example."""
    return [form for form in action.forms if form.parameters or form is action.forms[0]]


def _name(action: Described, form: Form) -> str:
    words = "".join(word.title() for word in action.name.split("_"))
    return f"{words}Request" if form is action.forms[0] else f"{words}ManyRequest"


def _request(action: Described, form: Form) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "key": {"type": "string", "description": "One of your API keys."},
        "action": {"const": action.name},
    }
    properties |= {each.name: _property(each) for each in form.parameters}
    required = ["key", "action", *(each.name for each in form.parameters if each.required)]
    return {
        "type": "object", "title": f"{action.name}: {form.title}", "description": action.about,
        "properties": properties, "required": required,
    }  # fmt: skip


def _property(parameter: Parameter) -> Mapping[str, Any]:
    described = ". ".join(text.rstrip(".") for text in (parameter.takes, parameter.about) if text) + "."
    return {"description": described, **SHAPES[parameter.shape]}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
