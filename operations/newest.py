"""Lists that grow for ever, newest first: pages by the id at their edge, never a count and never an offset.

`?before=` is the page of older rows, `?after=` that of newer ones. Reading page 4,000 costs what page 1
costs, and nothing asks the database how many rows there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ChangeList as PlainChangeList
from django.core.paginator import Paginator
from django.http import HttpRequest

if TYPE_CHECKING:
    ChangeList = PlainChangeList
else:
    from unfold.views import ChangeList

BEFORE, AFTER = "before", "after"
LARGEST_ID = 2**63 - 1


class Edges(Paginator):  # type: ignore[type-arg]
    """Says only which template shows the links to older and newer rows."""

    template_name = "operations/parts/edges.html"


class Page(ChangeList):
    """A change list without the theme's "show all", which it offers where it was not told the number of all rows."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class NewestFirst(ChangeList):
    """A change list by id."""

    older: str = ""
    newer: str = ""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        for edge in (BEFORE, AFTER):  # not filters: the links and forms that keep the filters must not keep these
            self.params.pop(edge, None)
            self.filter_params.pop(edge, None)
        return super().get_queryset(request, exclude_parameters).order_by("-pk")

    def get_results(self, request: HttpRequest) -> None:
        size = self.list_per_page
        before, after = _id(request, BEFORE), _id(request, AFTER)
        if after is not None:
            rows = list(self.queryset.filter(pk__gt=after).order_by("pk")[: size + 1])
            has_newer, has_older = len(rows) > size, True
            rows = rows[:size][::-1]
        else:
            queryset = self.queryset if before is None else self.queryset.filter(pk__lt=before)
            rows = list(queryset[: size + 1])
            has_newer, has_older = before is not None, len(rows) > size
            rows = rows[:size]
        self.paginator = self.model_admin.get_paginator(request, self.queryset, size)
        self.result_list: Any = rows
        self.result_count = len(rows)
        self.full_result_count = len(rows)
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        if rows:
            self.older = self.get_query_string({BEFORE: rows[-1].pk}) if has_older else ""
            self.newer = self.get_query_string({AFTER: rows[0].pk}) if has_newer else ""


def _id(request: HttpRequest, edge: str) -> int | None:
    text = request.GET.get(edge, "")
    return int(text) if text.isascii() and text.isdigit() and int(text) <= LARGEST_ID else None
