"""Categories, markup and text rules: how a provider's list becomes our shelves, names and prices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import Count
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.models import Category, MarkupRule, ProviderService, TextRule
from catalog.platforms import platform_of
from catalog.prices import Repriced, remove_markup, set_markup
from catalog.searching import words as words_of
from operations import words
from operations.admin.basis import Desk, ReadOnly, whole_number
from operations.provider_steps import moved
from operations.saving import delete_row, save_row

PLACE = ("provider", "category", "service")


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]
    """A shelf, and which links its services take."""

    class Meta:
        model = Category
        fields = ("name", "platform", "position", "link_pattern", "link_example")
        help_texts = {
            "link_pattern": "A regular expression that is found in every link ordered here; ^ is its beginning, $ its "
            r"end: ^https://(www\.)?instagram\.com/p/. Empty: any link. It does not apply to subscriptions.",
            "link_example": "Shown in the order form, and to customers whose link the pattern does not match.",
        }


@admin.register(Category)
class CategoryAdmin(Desk):
    form = CategoryForm
    list_display = ("name", "shown_under", "services_in_it", "position")
    search_fields = ("name",)
    ordering = ("position", "id")
    fields = ("name", "platform", "position", "link_pattern", "link_example")

    @admin.display(description="platform")
    def shown_under(self, category: Category) -> str:
        """What customers find it under, the operator's word or what its name says."""
        return platform_of(category) or "—"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Category]:
        categories: models.QuerySet[Category] = super().get_queryset(request)
        return categories.annotate(services_in=Count("services"))

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Category], search_term: str
    ) -> tuple[models.QuerySet[Category], bool]:
        for word in words_of(search_term):
            queryset = queryset.filter(search__contains=word)
        return queryset, False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An empty shelf may go; one with services must be emptied first."""
        allowed = request.user.has_perm("catalog.delete_category")
        return allowed and (obj is None or not obj.services.exists())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        action = "edit category" if change else "add category"
        save_row(obj, changed=form.changed_data, actor=self.actor(request), action=action)

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        delete_row(obj, actor=self.actor(request), action="delete category")

    @admin.display(description="Services", ordering="services_in")
    def services_in_it(self, category: Any) -> SafeString:
        return words.number(f"{category.services_in:,}")


class MarkupForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = MarkupRule
        fields = (*PLACE, "percent", "fixed", "rounding", "floor")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        given = cleaned or self.cleaned_data
        if given.get("service") and (given.get("provider") or given.get("category")):
            self.add_error("service", "A rule for one service is for it alone: leave provider and category empty.")
        return cleaned


@admin.register(MarkupRule)
class MarkupRuleAdmin(Desk):
    form = MarkupForm
    list_display = ("place", "percent_shown", "fixed_shown", "rounding_shown", "floor_shown")
    list_display_links = ("place",)
    list_select_related = ("provider", "category", "service")
    autocomplete_fields = ("service", "category")
    ordering = ("provider", "category", "service")
    fieldsets = (
        (
            "Where it counts",
            {
                "fields": PLACE,
                "description": "The most specific rule counts, whole: of a service; of a provider's category; of a "
                "category; of a provider; the one with none of them.",
            },
        ),
        ("How the price is made", {"fields": (("percent", "fixed"), ("rounding", "floor"))}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return PLACE if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.delete_markuprule")

    def save_model(self, request: HttpRequest, obj: MarkupRule, form: Any, change: bool) -> None:
        at: dict[str, Any] = {name: getattr(obj, name) for name in PLACE}
        values = {name: form.cleaned_data[name] for name in ("percent", "fixed", "rounding", "floor")}
        self._tell(request, set_markup(actor=self.actor(request), **at, **values))
        obj.pk = MarkupRule.objects.get(**at).pk

    def delete_model(self, request: HttpRequest, obj: MarkupRule) -> None:
        self._tell(request, remove_markup(obj, actor=self.actor(request)))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[MarkupRule]) -> None:
        done = [remove_markup(rule, actor=self.actor(request)) for rule in queryset]
        changed, stuck = sum(each.changed for each in done), [pk for each in done for pk in each.out_of_range]
        self._tell(request, Repriced(changed, tuple(stuck)))

    def _tell(self, request: HttpRequest, done: Repriced) -> None:
        messages.info(request, moved(done.changed))
        if done.out_of_range:
            messages.warning(request, f"No price can be made for {len(done.out_of_range):,} services: theirs stay.")

    @admin.display(description="For")
    def place(self, rule: MarkupRule) -> str:
        if rule.service is not None:
            return f"Service {rule.service}"
        named = [str(each) for each in (rule.provider, rule.category) if each is not None]
        return " · ".join(named) or "Everything"

    @admin.display(description="Percent", ordering="percent")
    def percent_shown(self, rule: MarkupRule) -> SafeString:
        return words.number(f"{words.amount(rule.percent)} %")

    @admin.display(description="Plus")
    def fixed_shown(self, rule: MarkupRule) -> SafeString:
        return words.number(words.amount(rule.fixed))

    @admin.display(description="Rounded up to")
    def rounding_shown(self, rule: MarkupRule) -> SafeString:
        return words.number(words.amount(rule.rounding))

    @admin.display(description="At least")
    def floor_shown(self, rule: MarkupRule) -> SafeString:
        return words.number(words.amount(rule.floor))


@admin.register(TextRule)
class TextRuleAdmin(Desk):
    list_display = ("find", "replace", "for_provider", "is_pattern", "position")
    list_select_related = ("provider",)
    search_fields = ("find", "replace")
    ordering = ("position", "id")
    fieldsets = (
        (
            None,
            {
                "fields": ("provider", ("find", "replace"), ("is_pattern", "position")),
                "description": "Names, categories, descriptions follow with the next import; texts set by hand stay.",
            },
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.delete_textrule")

    def save_model(self, request: HttpRequest, obj: TextRule, form: Any, change: bool) -> None:
        action = "edit text rule" if change else "add text rule"
        save_row(obj, changed=form.changed_data, actor=self.actor(request), action=action)
        messages.info(request, "The next import brings the texts as this rule makes them.")

    def delete_model(self, request: HttpRequest, obj: TextRule) -> None:
        delete_row(obj, actor=self.actor(request), action="delete text rule")

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[TextRule]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)

    @admin.display(description="Provider", ordering="provider")
    def for_provider(self, rule: TextRule) -> str:
        return str(rule.provider) if rule.provider is not None else "All"


@admin.register(ProviderService)
class ProviderServiceAdmin(ReadOnly):
    """What providers list: to look at, and to choose a service's routes from."""

    list_display = ("external_id", "shown_name", "provider", "type", "rate_shown", "min", "max", "listed")
    list_select_related = ("provider",)
    list_filter = ("provider",)
    search_fields = ("external_id", "name")
    search_help_text = "The provider's id, or a part of the name"
    ordering = ("provider", "id")

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[ProviderService], search_term: str
    ) -> tuple[models.QuerySet[ProviderService], bool]:
        if whole_number(search_term) is not None:
            return queryset.filter(external_id=search_term.strip().removeprefix("#")), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="Name", ordering="name")
    def shown_name(self, row: ProviderService) -> SafeString:
        return words.wrapped(row.name)

    @admin.display(description="Rate", ordering="rate")
    def rate_shown(self, row: ProviderService) -> SafeString:
        return words.number(words.amount(row.rate, row.provider.currency))

    @admin.display(description="Listed", ordering="gone_at")
    def listed(self, row: ProviderService) -> SafeString:
        return words.state("open", "Listed") if row.gone_at is None else words.state("held", "Gone")
