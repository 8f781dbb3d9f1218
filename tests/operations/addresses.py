"""Every address of the admin, from its own list, so that a new one cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.urls import URLPattern

REGEX = re.compile(r"\(\?P<(\w+)>[^)]*\)")  # the admin's two addresses by a pattern: a room's page, and anything else


def every_address() -> Iterator[tuple[str, URLPattern]]:
    """The route below /admin/ with its pattern; of two with one route the first, which is the one that answers."""
    seen = set()
    for route, pattern in _walk(admin.site.get_urls(), ""):
        if route not in seen:
            seen.add(route)
            yield route, pattern


def _walk(patterns: Iterable[Any], before: str) -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        route = before + REGEX.sub(r"<\1>", str(each.pattern).strip("^$"))
        if isinstance(each, URLPattern):
            yield route, each
        else:
            yield from _walk(each.url_patterns, route)


def filled(route: str, **values: object) -> str:
    """The address with something in every place; an id is 1."""
    return "/admin/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values.get(found[1], 1)), route)
