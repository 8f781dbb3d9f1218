"""Callbacks, to look at: where customers are told, what was sent, and what came back. Secrets are never shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter

from callbacks.claiming import OPEN
from callbacks.models import CallbackAddress, CallbackMessage
from operations import words
from operations.admin.basis import Newest, ReadOnly, whole_number
from orders.models import Order


class StateFilter(DropdownFilter):  # type: ignore[misc]
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("parked", "Given up"), ("open", "Under way")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        match self.value():
            case "parked":
                return queryset.filter(parked_at__isnull=False)
            case "open":
                return queryset.filter(OPEN)
        return queryset


@admin.register(CallbackMessage)
class CallbackMessageAdmin(ReadOnly, Newest):
    list_display = ("created_at", "customer", "event", "subject", "state", "tries", "last_error", "shown_address")
    list_display_links = ("created_at",)
    list_filter = (StateFilter,)
    list_select_related = ("customer__user", "address")
    search_fields = ("message_id",)
    search_help_text = "A message's id, exactly, an order's id, or a customer's e-mail address"
    fields = (
        "message_id", "customer", "address", "event", "subject", "body", "created_at", "next_try_at", "give_up_at",
        "tries", "delivered_at", "parked_at", "last_status", "last_error",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[CallbackMessage], search_term: str
    ) -> tuple[models.QuerySet[CallbackMessage], bool]:
        text, number = search_term.strip(), whole_number(search_term)
        if number is not None:
            owner = Order.objects.filter(pk=number).values("customer_id")
            return queryset.filter(customer_id__in=owner, subject=f"order:{number}"), False
        if "@" in text:
            return queryset.filter(customer__user__email=text.lower()), False
        return (queryset.filter(message_id=text) if text else queryset), False

    @admin.display(description="State")
    def state(self, message: CallbackMessage) -> SafeString:
        if message.delivered_at is not None:
            return words.state("open", "Delivered")
        if message.parked_at is not None:
            return words.state("rejected", "Given up")
        return words.state("waiting", "Trying again" if message.tries else "Waiting")

    @admin.display(description="Address")
    def shown_address(self, message: CallbackMessage) -> str:
        return words.short(message.address.url)


@admin.register(CallbackAddress)
class CallbackAddressAdmin(ReadOnly, Newest):
    list_display = ("url", "customer", "active", "off_reason", "failures", "not_before", "created_at", "removed_at")
    list_select_related = ("customer__user",)
    fields = list_display
