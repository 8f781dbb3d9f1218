"""Customers' problems with their orders: read in one column, answered, resolved by a word, a refill or money."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from conversations.models import Thread
from operations import words
from operations.admin.basis import Newest, whole_number
from operations.problem_steps import STEPS

SHOWN = 500  # messages of a thread, the newest


class Waiting(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waits", "Waits for an answer"), ("open", "Open"), ("closed", "Resolved")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "waits":
                return queryset.filter(waits_since__isnull=False)
            case "open":
                return queryset.filter(closed_at__isnull=True)
            case "closed":
                return queryset.filter(closed_at__isnull=False)
        return queryset


@admin.register(Thread)
class ThreadAdmin(Newest):
    steps = STEPS
    list_display = ("number", "of_order", "who", "topic", "shown_state", "opened")
    list_select_related = ("customer__user",)
    list_filter = (Waiting,)
    search_fields = ("=order__id", "customer__user__email")
    search_help_text = "Our order id, or a customer's e-mail"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def row_for_step(self, request: HttpRequest, object_id: int) -> Any:
        related = ("customer__user", "order")
        return self.get_queryset(request).select_related(*related).filter(pk=object_id).first() or super().row_for_step(
            request, object_id
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What was said, and what can be done about it."""
        number = whole_number(object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        if number is None:
            raise Http404
        thread = self.row_for_step(request, number)
        context = {
            **self.admin_site.each_context(request),
            "title": str(thread),
            "model_admin": self,
            "thread": thread,
            "topic": thread.get_topic_display(),
            "state": self.shown_state(thread),
            "order": words.link_for(request.user, "orders.order", thread.order_id, f"Order {thread.order_id}"),
            "service": thread.order.service_name,
            "status": words.state(thread.order.status, thread.order.get_status_display()),
            "customer": words.link_for(request.user, "accounts.customer", thread.customer_id, str(thread.customer)),
            "said": list(thread.messages.order_by("-id")[:SHOWN])[::-1],
            "buttons": self.buttons(request, thread),
        }
        return TemplateResponse(request, "operations/problem.html", context)

    @admin.display(description="Order")
    def of_order(self, thread: Thread) -> SafeString | str:
        return words.link_to("orders.order", thread.order_id)

    @admin.display(description="Customer")
    def who(self, thread: Thread) -> str:
        return thread.customer.user.email

    @admin.display(description="State")
    def shown_state(self, thread: Thread) -> SafeString:
        if thread.closed_at is not None:
            return words.state("ended", f"Resolved: {thread.get_resolved_display()}")
        return words.state("held", "Waits for an answer") if thread.waits_since else words.state("accepted", "Answered")

    @admin.display(description="Opened")
    def opened(self, thread: Thread) -> SafeString | str:
        return words.ago(thread.opened_at)
