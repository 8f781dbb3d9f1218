"""One decision for all rows chosen in a list: a page that names them and asks for the reason, then the verb.

For a ModelAdmin: `bulk_action` makes an action of its list from a `Bulk`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from operations.forms import DeskForm
from operations.refusals import REFUSALS
from operations.steps import Data
from records.audit import Actor, actor_of

NAMED = 20  # rows that the page names; the rest are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """`do` gets the chosen rows and tells what was done; `says` is read before. `right` as a step's."""

    name: str
    label: str
    right: str
    form: type[DeskForm]
    do: Callable[[Actor, list[Any], Data], str]
    says: Callable[[Sequence[Any]], str]
    danger: bool = False


def bulk_action(bulk: Bulk) -> Callable[[Any, HttpRequest, models.QuerySet[Any]], HttpResponse | None]:
    """The list action: Django posts the list to itself, so this page posts there again, with the same choice."""

    def action(admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
        if not request.user.has_perm(bulk.right):
            raise PermissionDenied
        rows = list(queryset)
        decided = "decided" in request.POST
        form = bulk.form(request.POST if decided else None)
        if decided and form.is_valid():
            try:
                messages.success(request, bulk.do(actor_of(request.user), rows, form.cleaned_data))
                return None
            except REFUSALS as error:
                form.refuse(error)
        return _ask(admin, request, bulk, rows, form)

    action.__name__ = bulk.name
    action.right = bulk.right  # type: ignore[attr-defined]
    action.short_description = bulk.label  # type: ignore[attr-defined]
    return action


def _ask(admin: Any, request: HttpRequest, bulk: Bulk, rows: list[Any], form: DeskForm) -> HttpResponse:
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    more = len(rows) - NAMED
    context = {
        **admin.admin_site.each_context(request),
        "title": bulk.label,
        "step": bulk,
        "form": form,
        "says": bulk.says(rows),
        "rows": [*rows[:NAMED], *([f"and {more:,} more"] if more > 0 else [])],
        "hidden": [("action", bulk.name), ("decided", "1"), *((ACTION_CHECKBOX_NAME, pk) for pk in chosen)],
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "operations/step.html", context)
