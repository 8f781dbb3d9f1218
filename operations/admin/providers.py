"""Providers: how each is doing, what can be done about it, and its settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString

from catalog.prices import reprice_provider
from ledger.balances import balance_of
from operations import words
from operations.admin.basis import Desk
from operations.admin.imports import ImportPages
from operations.provider_steps import STEPS, AddForm, moved
from operations.refusals import REFUSALS
from operations.saving import save_row
from providers.books import NoExchangeRate, drift, exchange_rate_of
from providers.dialect.words import word_map_problems
from providers.models import Provider
from providers.registering import add_provider
from records.models import AttentionItem

PRICES_HANG_ON = {"active", "package_rate_unit"}  # what a cost is made from, or whether it counts


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]
    """A provider's settings. Its address and key have a page of their own, where they are tried first."""

    class Meta:
        model = Provider
        exclude = ("url", "key", "currency", "account")

    def clean_word_map(self) -> Any:
        stored = self.cleaned_data["word_map"] or {}
        problems = word_map_problems(stored)
        if problems:
            raise forms.ValidationError(problems)
        return stored


@admin.register(Provider)
class ProviderAdmin(ImportPages, Desk):
    form = ProviderForm
    steps = STEPS
    panel = "operations/parts/provider.html"
    list_display = ("name", "queue_state", "balance_now", "asked", "currency", "active")
    list_display_links = ("name",)
    search_fields = ("name", "url")
    ordering = ("name",)
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "active")}),
        (
            "Reaching it",
            {
                "classes": ["tab"],
                "description": "How patient the panel is, and how often it may ask.",
                "fields": (
                    ("connect_timeout_seconds", "deadline_seconds"), ("requests_per_minute", "concurrency"),
                    "user_agent", "body_format", "key_header",
                ),
            },
        ),
        (
            "How it speaks",
            {
                "classes": ["tab"],
                "description": "Where its API differs from the usual. A wrong form of cancel is noticed and corrected.",
                "fields": (
                    "cancel_form", ("multi_status", "multi_status_size"), "multi_refill", "package_rate_unit",
                    "idempotency_parameter", "word_map",
                ),
            },
        ),
        (
            "Orders without an answer",
            {
                "classes": ["tab"],
                "description": "What the panel may conclude when an order got no clear answer.",
                "fields": ("rising_ids", "used_by_hand", "resend_when_not_placed"),
            },
        ),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        add = self.own_page("add/", self.add_page, "providers.add_provider", "providers_provider_add")
        return [add, *super().get_urls()]

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Adding has a page of its own: the provider is asked outside of any transaction."""
        form = AddForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                provider = add_provider(**form.cleaned_data, actor=self.actor(request))
            except REFUSALS as error:
                form.refuse(error)
            else:
                held = words.amount(provider.balance, provider.currency)
                messages.success(request, f"{provider.name} was added. It holds {held}, now its opening balance.")
                return self.back_to(provider)
        context = {
            **self.admin_site.each_context(request),
            "title": "Add provider", "form": form, "back": reverse("admin:providers_provider_changelist"),
            "step": {"label": "Check and add"},
            "says": "The provider is asked for its balance. Nothing is kept unless it answers.",
        }  # fmt: skip
        return TemplateResponse(request, "operations/step.html", context)

    def facts(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        try:
            rate = f"{exchange_rate_of(row).normalize():f}"
        except NoExchangeRate:
            rate = ""
        return {
            "provider": row,
            "queue": words.state(row.queue, row.get_queue_display()),
            "balance": words.amount(row.balance, row.currency),
            "asked": words.ago(row.balance_at),
            "booked": words.amount(balance_of(row.account), row.currency),
            "drift": drift(row),
            "drift_words": words.amount(drift(row), row.currency),
            "rate": rate,
            "rates": row.exchange_rates.order_by("-since")[:10],
            "readings": row.balance_readings.order_by("-at")[:10],
            "listed": row.services.filter(gone_at__isnull=True).count(),
            "attention": AttentionItem.objects.filter(provider_id=row.pk, closed_at__isnull=True).count(),
            "first_button": self.import_button(row) if self.may_import(request) else "",
        }

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        save_row(obj, changed=form.changed_data, actor=self.actor(request), action="provider.settings")
        if PRICES_HANG_ON & set(form.changed_data):
            reason = f"{obj.name}: {', '.join(form.changed_data)}"
            done = reprice_provider(obj, reason=reason, actor=self.actor(request))
            messages.info(request, moved(done.changed))

    @admin.display(description="Queue", ordering="queue")
    def queue_state(self, provider: Provider) -> SafeString:
        return words.state(provider.queue, provider.get_queue_display())

    @admin.display(description="Balance", ordering="balance")
    def balance_now(self, provider: Provider) -> SafeString:
        return words.number(words.amount(provider.balance, provider.currency))

    @admin.display(description="Asked", ordering="balance_at")
    def asked(self, provider: Provider) -> str:
        return words.ago(provider.balance_at)
