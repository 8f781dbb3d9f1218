"""Newer and older: a page of rows by their ids, without a count and without an offset, at any depth equally fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

M = TypeVar("M", bound=Model)
ID_DIGITS = 18  # what a 64-bit id can have, and every database take


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows, newest first; `older` and `newer` are the queries of the pages beside it, empty where there is none."""

    rows: Sequence[M]
    older: str
    newer: str


def newest_first(rows: QuerySet[M], query: QueryDict, *, size: int) -> Page[M]:
    """The page that `?before=` or `?after=` asks for; what cannot be read as an id means the first page."""
    before, after = asked_id(query, "before"), asked_id(query, "after")
    if after is not None:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
        more, found = len(found) > size, found[:size][::-1]
        return _page(found, query, older=bool(found), newer=more)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: size + 1])
    return _page(found[:size], query, older=len(found) > size, newer=before is not None and bool(found))


def _page(rows: list[M], query: QueryDict, *, older: bool, newer: bool) -> Page[M]:
    return Page(
        rows=rows,
        older=_turned(query, before=rows[-1].pk) if older and rows else "",
        newer=_turned(query, after=rows[0].pk) if newer and rows else "",
    )


def _turned(query: QueryDict, **place: int) -> str:
    """The same filters, another place."""
    turned = query.copy()
    for name in ("before", "after"):
        turned.pop(name, None)
    turned.update({name: str(value) for name, value in place.items()})
    return turned.urlencode()


def asked_id(query: QueryDict, name: str) -> int | None:
    """The id in the address, or None for anything that cannot be one."""
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS else None
