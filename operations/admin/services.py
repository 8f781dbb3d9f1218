"""Services as they are sold: found by id or words, with what each costs and earns."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import models, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter

from catalog.costs import unit_cost
from catalog.markup import margin_percent
from catalog.models import Route, Service
from catalog.prices import exchange_rates, first_live_routes, reprice
from catalog.searching import words as words_of
from catalog.service_types import ORDERABLE_KEYS, service_type
from catalog.shelves import FLAG_OF, edit_by_hand, why_no_runs
from operations import words
from operations.admin.basis import Desk, Inline, whole_number
from operations.bulk import Bulk, bulk_action
from operations.forms import OptionalReasonForm
from operations.newest import Page
from operations.saving import save_row
from operations.service_steps import (
    STEPS,
    PriceForm,
    bulk_back_on_sale,
    bulk_hide,
    bulk_markup,
    bulk_price,
    bulk_publish,
    by_hand_words,
)
from providers.models import Provider
from records.audit import audit

RIGHT = "catalog.change_service"
HISTORY = 30  # price changes on a service's page

BULK = (
    Bulk(name="publish_chosen", right=RIGHT, label="Publish", form=OptionalReasonForm, do=bulk_publish,
         says=lambda rows: "Customers will see these services."),
    Bulk(name="hide_chosen", right=RIGHT, label="Hide", form=OptionalReasonForm, do=bulk_hide,
         says=lambda rows: "Customers will not see these services any more. Orders already made go on."),
    Bulk(name="confirm_chosen", right=RIGHT, label="Confirm back on sale", form=OptionalReasonForm,
         do=bulk_back_on_sale,
         says=lambda rows: "These services are sold again as they are now, at the prices that the markup makes."),
    Bulk(name="price_chosen", right=RIGHT, label="Set one price by hand", form=PriceForm, do=bulk_price,
         says=lambda rows: "All of these get the same price, which stays through imports and markup."),
    Bulk(name="markup_chosen", right=RIGHT, label="Prices back to markup", form=OptionalReasonForm, do=bulk_markup,
         says=lambda rows: "The markup makes the prices of these again."),
)  # fmt: skip


class ProviderFilter(DropdownFilter):  # type: ignore[misc]
    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        named = [(str(pk), name) for pk, name in Provider.objects.order_by("name").values_list("pk", "name")]
        return [*named, ("none", "By hand, without a provider")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Service]) -> models.QuerySet[Service]:
        if self.value() == "none":
            return queryset.filter(routes__isnull=True)
        chosen = whole_number(self.value() or "")
        if chosen is None:
            return queryset
        bought_there = Route.objects.filter(provider_service__provider_id=chosen).values("service_id")
        return queryset.filter(pk__in=bought_there)


class SaleFilter(DropdownFilter):  # type: ignore[misc]
    title = "sale"
    parameter_name = "sale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("on", "On sale"), ("off", "Off sale"), ("hidden", "Hidden"), ("waits", "Shown, but off sale")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Service]) -> models.QuerySet[Service]:
        match self.value():
            case "on":
                return queryset.filter(visible=True, off_sale_reason="")
            case "off":
                return queryset.exclude(off_sale_reason="")
            case "hidden":
                return queryset.filter(visible=False)
            case "waits":
                return queryset.filter(visible=True).exclude(off_sale_reason="")
        return queryset


class WithCosts(Page):
    """Reads what the page's services cost at once: three queries, however many rows."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        bases = first_live_routes(Service.objects.filter(pk__in=[row.pk for row in rows]))
        rates = exchange_rates()
        for row in rows:
            row.basis = bases.get(row.pk)
            rate = rates.get(row.basis.provider_id) if row.basis is not None else None
            row.cost = unit_cost(row.basis, rate) if row.basis is not None and rate is not None else None
        self.result_list = rows


def _orderable_types() -> list[tuple[str, str]]:
    kinds = ((key, service_type(key)) for key in ORDERABLE_KEYS)
    return [(key, kind.label) for key, kind in kinds if kind is not None]


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A service's texts, limits and promises. What is changed here is the operator's own from then on."""

    type = forms.ChoiceField(choices=_orderable_types)

    class Meta:
        model = Service
        fields = (
            "name", "category", "description", "type", "rate", "min", "max", "step", "refill", "refill_days", "cancel",
            "dripfeed", "same_link", "open_posts", "position",
        )  # fmt: skip

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        spelling = cleaned.get("type", self.instance.type)
        no_runs = why_no_runs(spelling)
        if cleaned.get("dripfeed") and {"dripfeed", "type"} & set(self.changed_data) and no_runs:
            self.add_error("dripfeed", no_runs)
        least, most = cleaned.get("min"), cleaned.get("max")
        if least is not None and least < 1:
            self.add_error("min", "Min must be at least 1.")
        elif least is not None and most is not None and most < least:
            self.add_error("max", "Max must not be below min.")
        kind, posts = service_type(spelling), cleaned.get("open_posts")
        if posts is not None and (kind is None or not kind.by_post):
            self.add_error("open_posts", "Only a subscription has posts. Leave this empty.")
        elif posts is not None and not 1 <= posts <= settings.MAX_POSTS:
            self.add_error("open_posts", f"Between 1 and {settings.MAX_POSTS:,}. Empty: customers say how many.")
        return cleaned


class RouteInline(Inline):
    """Where it is bought. The lowest position is tried first; without any the service is fulfilled by hand."""

    model = Route
    fields = ("position", "provider_service")
    autocomplete_fields = ("provider_service",)
    verbose_name_plural = "routes: where it is bought, the lowest position first"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Route]:
        return super().get_queryset(request).select_related("provider_service__provider")


@admin.register(Service)
class ServiceAdmin(Desk):
    form = ServiceForm
    steps = STEPS
    panel = "operations/parts/service.html"
    inlines = (RouteInline,)
    actions = [bulk_action(bulk) for bulk in BULK]
    list_display = ("number", "shown_name", "category", "price", "cost", "margin", "bought_at", "on_sale")
    list_display_links = ("number", "shown_name")
    list_filter = (("category", RelatedDropdownFilter), ProviderFilter, SaleFilter)
    list_select_related = ("category",)
    search_fields = ("name",)
    search_help_text = "Id, or words of the name and category"
    ordering = ("position", "id")
    list_fullwidth = True
    fieldsets = (
        (None, {"fields": ("name", "category", "description")}),
        ("What is promised", {"fields": (("min", "max", "step"), ("refill", "refill_days"))}),
        ("How it is ordered", {"fields": (("dripfeed", "open_posts"), "same_link")}),
        ("Type", {"fields": (("type", "position"), "cancel")}),
    )
    add_fieldsets = (
        (None, {"fields": ("name", "category", "description", "type", "rate")}),
        ("What is promised", {"fields": (("min", "max", "step"), ("refill", "refill_days"), "cancel")}),
        ("How it is ordered", {"fields": (("dripfeed", "open_posts"), "same_link")}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return WithCosts

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What a provider's listing decides is not typed here; a service by hand has nobody else to decide it."""
        return ("type", "shown_type", "cancel") if obj is not None and obj.routes.exists() else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A type that is not typed here is shown by its label."""
        if "shown_type" not in self.get_readonly_fields(request, obj):
            return super().get_fieldsets(request, obj)
        *others, _ = self.fieldsets
        return (*others, ("Type", {"fields": (("shown_type", "position"), "cancel")}))

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Service], search_term: str
    ) -> tuple[models.QuerySet[Service], bool]:
        for word in words_of(search_term):
            match = Q(search__contains=word) | Q(category__search__contains=word)
            number = whole_number(word)
            queryset = queryset.filter(match if number is None else match | Q(pk=number))
        return queryset, False

    def save_model(self, request: HttpRequest, obj: Service, form: Any, change: bool) -> None:
        actor = self.actor(request)
        if not change:
            obj.rate_by_hand = True
            save_row(obj, changed=form.changed_data, actor=actor, action="add service")
            return
        by_hand = {name: form.cleaned_data[name] for name in form.changed_data if name in {*FLAG_OF, "step"}}
        rest = [name for name in form.changed_data if name not in by_hand]
        values = {name: form.cleaned_data[name] for name in rest}
        stored = Service.objects.get(pk=obj.pk)
        if by_hand:
            edit_by_hand(stored, actor=actor, **by_hand)
        if rest:
            for name, value in values.items():
                setattr(stored, name, value)
            save_row(stored, changed=rest, actor=actor, action="edit service")
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Routes: who buys where is audited as a whole, and prices follow the new first route."""
        service, actor = form.instance, self.actor(request)
        before = _routes_of(service)
        with transaction.atomic():
            super().save_formset(request, form, formset, change)
            after = _routes_of(service)
            if before != after:
                routes = {"routes": before}, {"routes": after}
                audit(actor=actor, action="change routes", target=service, before=routes[0], after=routes[1])
                reprice(Service.objects.filter(pk=service.pk), reason="Routes changed", actor=actor)

    def facts(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        basis = first_live_routes(Service.objects.filter(pk=row.pk)).get(row.pk)
        rate = exchange_rates().get(basis.provider_id) if basis is not None else None
        cost = unit_cost(basis, rate) if basis is not None and rate is not None else None
        return {
            "service": row,
            "price": words.ours(row.rate),
            "cost": words.ours(cost),
            "margin": words.percent(margin_percent(row.rate, cost) if cost is not None else None),
            "basis": basis,
            "by_hand": by_hand_words(row),
            "prices": row.price_changes.order_by("-id")[:HISTORY],
        }

    @admin.display(description="Id", ordering="id")
    def number(self, service: Service) -> int:
        return service.pk

    @admin.display(description="Name", ordering="name")
    def shown_name(self, service: Service) -> SafeString:
        return words.wrapped(service.name)

    @admin.display(description="Type")
    def shown_type(self, service: Service) -> str:
        kind = service_type(service.type)
        return kind.label if kind is not None else service.type

    @admin.display(description="Price", ordering="rate")
    def price(self, service: Service) -> SafeString:
        return words.number(f"{words.amount(service.rate)}{' ✎' if service.rate_by_hand else ''}")

    @admin.display(description="Cost")
    def cost(self, service: Any) -> SafeString:
        return words.number(words.amount(service.cost))

    @admin.display(description="Margin")
    def margin(self, service: Any) -> SafeString:
        earned = margin_percent(service.rate, service.cost) if service.cost is not None else None
        return words.percent(earned)

    @admin.display(description="Bought at")
    def bought_at(self, service: Any) -> str:
        return str(service.basis.provider) if service.basis is not None else words.NOTHING

    @admin.display(description="Sale", ordering="visible")
    def on_sale(self, service: Service) -> SafeString:
        if service.off_sale_reason:
            return words.state("held", "Off sale")
        return words.state("open", "On sale") if service.visible else words.state("off", "Hidden")


def _routes_of(service: Service) -> list[str]:
    routes = service.routes.order_by("position").values_list("position", "provider_service_id")
    return [f"{position}: {bought}" for position, bought in routes]
