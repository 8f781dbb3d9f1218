"""The operator's first screen: what needs a person, how the providers are, which jobs failed. A handful of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils.safestring import SafeString

from operations import words
from operations.attention import groups
from operations.jobs_now import failing_jobs
from operations.runs import share_of
from orders.models import Order, State
from providers.models import BalanceReading, Provider
from records.models import AttentionItem

STUCK = (State.UNKNOWN, State.HELD, State.BY_HAND, State.REVIEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A provider on the first screen."""

    provider: Provider
    queue: SafeString
    balance: str
    asked: str
    drift: str
    drifts: bool
    waiting: int
    live: int


def first_screen(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's callback: adds to the context of the admin's index. Each part shows to who may see its rows."""
    may = request.user.has_perm
    context["title"] = "Overview"
    if may("records.view_attentionitem"):
        context["groups"] = groups()
        open_items = AttentionItem.objects.filter(closed_at__isnull=True)
        context["newest"] = open_items.order_by("-pk")[: settings.DASHBOARD_ITEMS]
        context["show_attention"] = True
    if may("orders.view_order"):
        context["stuck"] = stuck_orders()
    if may("providers.view_provider"):
        context["providers"] = provider_rows()
    if may("records.view_jobrun"):
        context["failing"] = failing_jobs()
        context["show_jobs"] = True
    return context


def stuck_orders() -> list[dict[str, Any]]:
    """The orders that wait for a decision, by their partial index, and what was paid for them: of a run its share.

    Runs are counted by their rates, a handful of sums, so that each is as exact as a charge.
    """
    stuck = Order.objects.filter(state__in=STUCK)
    found = {
        row["state"]: row for row in stuck.values("state").annotate(orders=Count("pk"), charge=Sum("charge")).order_by()
    }
    runs = stuck.filter(parent__isnull=False).values("state", "rate").annotate(quantity=Sum("quantity")).order_by()
    for row in runs:
        found[row["state"]]["charge"] += share_of(rate=row["rate"], quantity=row["quantity"])
    return [
        {
            "state": state.value,
            "words": state.label,
            "tone": words.tone(state.value),
            "orders": found[state.value]["orders"] if state.value in found else 0,
            "charge": words.ours(found[state.value]["charge"]) if state.value in found else "",
        }
        for state in STUCK
    ]


def provider_rows() -> list[Row]:
    """Three queries, however many providers."""
    counted = {
        (row["provider"], row["state"]): row["orders"]
        for row in Order.objects.filter(state__in=[State.WAITING, State.ACCEPTED], provider__isnull=False)
        .values("provider", "state")
        .annotate(orders=Count("pk"))
    }
    providers = list(Provider.objects.order_by("name"))
    readings = _latest_readings(providers)
    return [_row(provider, counted, readings.get(provider.pk)) for provider in providers]


def _row(provider: Provider, counted: dict[tuple[int, str], int], reading: BalanceReading | None) -> Row:
    apart = reading.reported - reading.booked if reading is not None else None
    return Row(
        provider=provider,
        queue=words.state(provider.queue, provider.get_queue_display())
        if provider.active else words.state("off", "Not active"),
        balance=words.amount(provider.balance, provider.currency),
        asked=words.ago(provider.balance_at),
        drift=words.amount(apart),
        drifts=bool(apart),
        waiting=counted.get((provider.pk, State.WAITING), 0),
        live=counted.get((provider.pk, State.ACCEPTED), 0),
    )  # fmt: skip


def _latest_readings(providers: list[Provider]) -> dict[int, BalanceReading]:
    """The reading of each provider's shown balance: it was written at the same moment."""
    moments = {provider.pk: provider.balance_at for provider in providers if provider.balance_at is not None}
    found = BalanceReading.objects.filter(provider_id__in=moments, at__in=set(moments.values()))
    return {reading.provider_id: reading for reading in found if moments[reading.provider_id] == reading.at}
