"""Orders: found fast, read in one column, decided with a reason. Nobody types into an order or deletes one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from operations import words
from operations.admin.basis import Newest, whole_number
from operations.bulk import Bulk, bulk_action
from operations.forms import ReasonForm
from operations.order_steps import STEPS, bulk_refund, bulk_send_again, says_refund, says_send_again
from operations.parts import parts_of
from operations.runs import cost_of_runs, facts_of_runs, paid_for, runs_of
from operations.timeline import timeline
from orders.dividing import is_subscription
from orders.holding import holds
from orders.models import Order, RefillRequest, State
from orders.runs import is_series
from orders.same_link import in_its_way
from providers.models import Provider
from records.models import AttentionItem

BULK = (
    Bulk(
        name="send_chosen_again", right="operations.decide_order", label="Unknown: send again", form=ReasonForm,
        do=bulk_send_again, says=says_send_again,
    ),
    Bulk(
        name="refund_chosen", right="operations.refund_order", label="Unknown: refund", form=ReasonForm,
        do=bulk_refund, says=says_refund, danger=True,
    ),
)  # fmt: skip


@admin.register(Order)
class OrderAdmin(Newest):
    steps = STEPS
    actions = [bulk_action(bulk) for bulk in BULK]
    list_display = ("number", "placed", "who", "sold", "shown_status", "delivered", "paid")
    list_display_links = ("number",)
    list_select_related = ("customer__user", "provider", "parent")
    list_filter = (
        ("state", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter), ("provider", RelatedDropdownFilter),
    )  # fmt: skip
    search_fields = ("pk",)
    search_help_text = "Our id, the provider's id, a link, or a customer's e-mail"
    list_fullwidth = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """A customer's or a service's orders are led to from their pages: thousands of them are no filter's list."""
        return lookup in ("customer__id__exact", "service__id__exact") or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Order], search_term: str
    ) -> tuple[models.QuerySet[Order], bool]:
        """Exact finds by an index each; never a part of a text, which would read every order there is.

        A list has the orders that were sold; runs of drip-feeds are found by an id, and stand in the list of a state:
        what is unknown, held or under review is to be decided, whatever it is a part of.
        """
        term = search_term.strip()
        sold = queryset.filter(parent__isnull=True)
        if not term:
            return queryset if request.GET.get("state__exact") else sold, False
        if "@" in term and "/" not in term:
            return sold.filter(customer__user__email=term.lower()), False
        if "/" in term:
            return sold.filter(link=term), False
        providers = list(Provider.objects.values_list("pk", flat=True))
        match, number = Q(provider_id__in=providers, upstream_id=term.removeprefix("#")), whole_number(term)
        return queryset.filter(match if number is None else match | Q(pk=number)), False

    def row_for_step(self, request: HttpRequest, object_id: int) -> Any:
        related = ("customer__user", "customer__wallet", "provider", "provider_service", "service", "api_key")
        return self.get_queryset(request).select_related(*related).filter(pk=object_id).first() or super().row_for_step(
            request, object_id
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The order's page: facts, decisions, time. There is no form here, so nothing to post."""
        number = whole_number(object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        if number is None:
            raise Http404
        order = self.row_for_step(request, number)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Order {order.pk}",
            "model_admin": self,
            "order": order,
            "target": "Username" if is_subscription(order.service_type) else "Link",
            "service": words.link_for(
                request.user, "catalog.service", order.service_id, f"{order.service_id} {order.service_name}"
            ),
            "facts": self._facts_of(order, request.user),
            "state": words.state(order.state, order.get_state_display()),
            "status": words.state(order.status, order.get_status_display()),
            "buttons": self.buttons(request, order),
            "parts": parts_of(order),
            "moments": timeline(order),
            "runs": runs_of(order),
            "attention": AttentionItem.objects.filter(order_id=order.pk, closed_at__isnull=True),
        }
        return TemplateResponse(request, "operations/order.html", context)

    def _facts_of(self, order: Order, user: Any) -> list[tuple[str, Any]]:
        currency = order.provider.currency if order.provider is not None else ""
        quantity = "—" if order.quantity is None else f"{order.quantity:,}"
        facts: list[tuple[str, Any]] = [
            ("Customer", words.link_for(user, "accounts.customer", order.customer_id, str(order.customer))),
            ("Quantity", quantity),
            *_money_of(order),
            ("Cost", cost_of_runs(order) if is_series(order) else words.amount(order.cost, currency)),
            ("Start count", _count(order.start_count)),
            ("Remains", _count(order.remains)),
        ]
        facts += facts_of_runs(order)
        if order.state == State.QUEUED:
            facts.append(("Waits behind", _behind(order)))
        if order.provider is not None:
            name = str(order.provider)
            facts.append(("Provider", words.link_for(user, "providers.provider", order.provider_id, name)))
        if order.upstream_id:
            facts += [("Id there", order.upstream_id), ("Its word", order.upstream_status or words.NOTHING)]
        facts += _in_parts(order)
        facts += [(name.replace("_", " ").capitalize(), value) for name, value in order.details.items()]
        return facts

    @admin.display(description="Order")
    def number(self, order: Order) -> int:
        return order.pk

    @admin.display(description="Placed")
    def placed(self, order: Order) -> SafeString:
        return format_html('<span class="desk-nowrap">{}</span>', words.ago(order.created_at))

    @admin.display(description="Customer")
    def who(self, order: Order) -> str:
        return order.customer.user.email

    @admin.display(description="Service and link")
    def sold(self, order: Order) -> SafeString:
        service, link = f"{order.service_id} {words.short(order.service_name, 60)}", words.short(order.link, 48)
        return format_html('<span class="desk-name">{}<br><span class="desk-muted">{}</span></span>', service, link)

    @admin.display(description="Quantity")
    def delivered(self, order: Order) -> SafeString:
        return words.number(_count(order.quantity))

    @admin.display(description="Status, and where it is")
    def shown_status(self, order: Order) -> SafeString:
        at = f" · {order.provider}" if order.provider is not None else ""
        status = words.state(order.status, order.get_status_display())
        where = words.state(order.state, f"{_SHORT.get(order.state, order.state)}{at}")
        return format_html('<span class="desk-stack">{}{}</span>', status, where)

    @admin.display(description="Charge")
    def paid(self, order: Order) -> SafeString:
        return words.number(words.amount(paid_for(order)))


@admin.register(RefillRequest)
class RefillAdmin(Newest):
    """Refills that customers asked for: to look at."""

    list_display = ("number", "of_order", "shown_status", "upstream_id", "asked_at", "ended_at")
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("order__id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Order")
    def of_order(self, refill: RefillRequest) -> SafeString | str:
        return words.link_to("orders.order", refill.order_id)

    @admin.display(description="Status")
    def shown_status(self, refill: RefillRequest) -> SafeString:
        return words.state(refill.status, refill.get_status_display())


_SHORT = {
    "waiting": "Waits", "queued": "Queued", "sending": "Being sent", "unknown": "Unknown", "held": "Held",
    "by_hand": "By hand", "series": "Run by run", "accepted": "With the provider", "review": "Review",
    "ended": "Ended",
}  # fmt: skip


def _behind(order: Order) -> SafeString | str:
    """Operators alone are told whose turn it is: it may be another customer's."""
    first = in_its_way(order)
    return "none any more" if first is None else words.link_to("orders.order", first, f"order {first}")


def _money_of(order: Order) -> list[tuple[str, Any]]:
    """A run has none of its own: what was paid and went back stands in its drip-feed."""
    if order.parent_id is not None:
        return [("Paid for this run", words.ours(paid_for(order)))]
    if holds(order):
        return [("Held", words.ours(order.charge)), ("Released or refunded", words.ours(order.refunded))]
    return [("Charge", words.ours(order.charge)), ("Refunded", words.ours(order.refunded))]


def _in_parts(order: Order) -> list[tuple[str, Any]]:
    """Of what is delivered in runs or posts: how many, and how many were made."""
    if order.runs is None and not is_subscription(order.service_type) or is_series(order):
        return []  # of a drip-feed that the panel runs, its runs say it
    made = [("Made so far", _count(order.parts_done))]
    if order.upstream_ended_at is not None:
        made.append(("Its end was told", words.ago(order.upstream_ended_at)))
    return list(made)


def _count(value: int | None) -> str:
    return words.NOTHING if value is None else f"{value:,}"
