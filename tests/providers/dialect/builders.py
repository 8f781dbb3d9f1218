"""Answers as a provider sends them."""

from __future__ import annotations

import json
from typing import Any

from providers.dialect.answer import Answer

KEY = "f3b1c0ffee/5ecret+key"

CHALLENGE_PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"
PAGE = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body>{not here}</body></html>"


def answer(body: bytes | str | dict[str, Any] | list[Any], status: int = 200, **headers: str) -> Answer:
    """An answer; objects and lists are sent as JSON, headers with `_` for `-`."""
    if isinstance(body, dict | list):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()}, KEY)
