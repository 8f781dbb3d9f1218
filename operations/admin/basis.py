"""What every page of the admin here stands on: the theme's classes, read-only rows, lists by id, steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import ModelAdmin, TabularInline
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from ledger.fields import ExchangeRateField, MoneyField
from operations.newest import Edges, NewestFirst, Page
from operations.steps import StepPages
from records.audit import Actor, actor_of

if TYPE_CHECKING:  # the theme has no types: to the checker these are Django's own, which they are made from
    _ModelAdmin = ModelAdmin[Any]
    _TabularInline = TabularInline[Any, Any]
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import TabularInline as _TabularInline

PAGE = 50  # rows of a list: a screen or two


AMOUNTS = {
    MoneyField: {"widget": UnfoldAdminDecimalFieldWidget},
    ExchangeRateField: {"widget": UnfoldAdminDecimalFieldWidget},
}


class Inline(_TabularInline):
    extra = 0


class Desk(StepPages, _ModelAdmin):
    """A model on the operator's desk. Rows are deleted only where a class says so: most of them are history."""

    formfield_overrides = AMOUNTS  # type: ignore[assignment]
    list_per_page = PAGE
    list_max_show_all = PAGE
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count every choice: a query each
    list_disable_select_all = True
    list_filter_submit = True
    compressed_fields = True
    before_form = "operations/parts/before_form.html"
    panel: str = ""  # a template of facts above the form

    @property
    def change_form_outer_before_template(self) -> str:
        return self.before_form

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Page

    def actor(self, request: HttpRequest) -> Actor:
        return actor_of(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Those that this person has the right to; of its own one Django asks that itself."""
        found: dict[str, Any] = super().get_actions(request)
        own = "delete_selected"
        return {name: each for name, each in found.items() if name == own or request.user.has_perm(each[0].right)}

    def facts(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the panel above the form shows."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            context |= {"show_save_and_add_another": False, "show_close": False}
            context |= {"buttons": self.buttons(request, row), "panel": self.panel, **self.facts(request, row)}
        return super().render_change_form(request, context, *args, **kwargs)

    def log_addition(self, *args: Any) -> Any:
        """Django's own log is not kept: the audit trail says more, and is written with the change."""

    def log_change(self, *args: Any) -> Any:
        """As for additions."""

    def log_deletions(self, *args: Any) -> Any:
        """As for additions."""


class ReadOnly(Desk):
    """Rows that are only looked at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Newest(Desk):
    """A list that grows for ever: by id, without a count."""

    paginator = Edges
    ordering = ("-pk",)
    sortable_by = ()

    @admin.display(description="Id")
    def number(self, row: Any) -> int:
        return int(row.pk)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return NewestFirst


def whole_number(text: str) -> int | None:
    """An id as somebody types or pastes it: "#123"; None for anything else."""
    text = text.strip().removeprefix("#")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
