"""What needs a person, who did what, and what ran by itself."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter

from operations import words
from operations.admin.basis import Newest, ReadOnly, whole_number
from operations.attention import CAUSES, groups
from operations.bulk import Bulk, bulk_action
from operations.forms import DeskForm, reason
from operations.jobs_now import known_jobs, run_soon
from operations.refusals import REFUSALS, Refused, sentence
from operations.steps import Data, Step
from providers.models import Provider
from records.attention import close_attention
from records.audit import Actor, audit
from records.models import AttentionItem, AuditEntry, JobRun, Lease
from records.registry import all_jobs

RUN = "operations.run_job"


class DecisionForm(DeskForm):
    decision = reason(help_text="What you found and did. Kept with the item.")


def close(actor: Actor, item: AttentionItem, data: Data) -> str:
    with transaction.atomic():
        if not close_attention(key=item.key, decision=data["decision"], actor=actor):
            raise Refused("It is closed already. Nothing was changed.")
        _tell_closed(actor, item, data["decision"])
    return "Closed. It comes back by itself if it is noticed again."


def close_chosen(actor: Actor, items: list[AttentionItem], data: Data) -> str:
    with transaction.atomic():
        closed = [item for item in items if item.closed_at is None and _closed(actor, item, data["decision"])]
    return f"{len(closed):,} closed."


def _closed(actor: Actor, item: AttentionItem, decision: str) -> bool:
    if not close_attention(key=item.key, decision=decision, actor=actor):
        return False
    _tell_closed(actor, item, decision)
    return True


def _tell_closed(actor: Actor, item: AttentionItem, decision: str) -> None:
    after = {"open": False, "key": item.key}
    audit(actor=actor, action="attention.close", target=item, reason=decision, before={"open": True}, after=after)


class OpenFilter(DropdownFilter):  # type: ignore[misc]
    title = "state"
    parameter_name = "state"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("closed", "Closed"), ("all", "All")]

    def value(self) -> str:
        return super().value() or "open"

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        match self.value():
            case "closed":
                return queryset.filter(closed_at__isnull=False)
            case "all":
                return queryset
        return queryset.filter(closed_at__isnull=True)


class CauseFilter(DropdownFilter):  # type: ignore[misc]
    title = "cause"
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(CAUSES.items())

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(cause=self.value()) if self.value() else queryset


class AboutProvider(DropdownFilter):  # type: ignore[misc]
    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Provider.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        chosen = whole_number(self.value() or "")
        return queryset.filter(provider_id=chosen) if chosen is not None else queryset


@admin.register(AttentionItem)
class AttentionAdmin(Newest):
    steps = (
        Step(
            name="decide", right="operations.close_attention", label="Decide and close",
            do=close, form=DecisionForm, icon="check", primary=True,
            fits=lambda item: item.closed_at is None,
            says=lambda item: f"{item.summary} Closing it changes nothing else and moves no money.",
        ),
    )  # fmt: skip
    actions = [
        bulk_action(
            Bulk(
                name="close_chosen", right="operations.close_attention", label="Decide and close",
                form=DecisionForm, do=close_chosen,
                says=lambda rows: "Closing these changes nothing else and moves no money.",
            )
        )
    ]  # fmt: skip
    panel = "operations/parts/item.html"
    list_before_template = "operations/parts/groups.html"
    list_display = ("shown_summary", "why", "about", "seen", "times")
    list_display_links = ("shown_summary",)
    list_filter = (OpenFilter, CauseFilter, AboutProvider)
    search_fields = ("summary", "key")
    search_help_text = "An order's id, or a part of the text"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []  # the panel says it all

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[AttentionItem], search_term: str
    ) -> tuple[models.QuerySet[AttentionItem], bool]:
        number = whole_number(search_term)
        if number is not None:
            return queryset.filter(order_id=number), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "groups": groups()})

    def facts(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        provider = Provider.objects.filter(pk=row.provider_id).first() if row.provider_id else None
        about, user = f"Order {row.order_id}", request.user
        return {
            "item": row,
            "cause": CAUSES.get(row.cause, row.cause.replace("_", " ")),
            "evidence": words.evidence(row.evidence),
            "order_link": words.link_for(user, "orders.order", row.order_id, about) if row.order_id else "",
            "provider_link": words.link_for(user, "providers.provider", provider.pk, provider.name) if provider else "",
        }

    @admin.display(description="What")
    def shown_summary(self, item: AttentionItem) -> SafeString:
        return words.wrapped(item.summary)

    @admin.display(description="Cause")
    def why(self, item: AttentionItem) -> str:
        return CAUSES.get(item.cause, item.cause.replace("_", " "))

    @admin.display(description="Order")
    def about(self, item: AttentionItem) -> SafeString | str:
        return words.link_to("orders.order", item.order_id) if item.order_id else words.NOTHING

    @admin.display(description="Seen")
    def seen(self, item: AttentionItem) -> str:
        return words.ago(item.seen_at)


@admin.register(AuditEntry)
class AuditAdmin(ReadOnly, Newest):
    list_display = ("at", "actor_name", "action", "about", "reason")
    list_display_links = ("at",)
    search_fields = ("actor_name",)
    search_help_text = "Who did it, or: orders.order 123"
    panel = "operations/parts/entry.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []  # the panel says it all

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[AuditEntry], search_term: str
    ) -> tuple[models.QuerySet[AuditEntry], bool]:
        about, _, number = search_term.strip().rpartition(" ")
        if "." in about and (pk := whole_number(number)) is not None:
            return queryset.filter(target_type=about.lower(), target_id=pk), False
        return super().get_search_results(request, queryset, search_term)

    def facts(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        names = dict.fromkeys([*row.before, *row.after])
        changes = [(name.replace("_", " "), row.before.get(name), row.after.get(name)) for name in names]
        return {"entry": row, "changes": changes, "about": self.about(row)}

    @admin.display(description="About")
    def about(self, entry: AuditEntry) -> SafeString | str:
        if entry.target_id is None:
            return entry.target_type
        return words.link_to(entry.target_type, entry.target_id, f"{entry.target_type} {entry.target_id}")


class JobFilter(DropdownFilter):  # type: ignore[misc]
    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(job.name, job.name) for job in all_jobs()]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(job=self.value()) if self.value() else queryset


class FailedFilter(DropdownFilter):  # type: ignore[misc]
    title = "end"
    parameter_name = "end"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Failed"), ("busy", "Did something"), ("running", "Running")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        match self.value():
            case "failed":
                return queryset.exclude(error="")
            case "busy":
                return queryset.filter(idle=False)
            case "running":
                return queryset.filter(finished_at__isnull=True)
        return queryset


@admin.register(JobRun)
class JobRunAdmin(ReadOnly, Newest):
    list_display = ("started_at", "job", "scope", "ended", "took", "counted")
    list_display_links = ("started_at",)
    list_filter = (JobFilter, FailedFilter)
    list_before_template = "operations/parts/jobs.html"
    fields = ("job", "scope", "started_at", "finished_at", "counts", "error")

    def get_urls(self) -> list[URLPattern]:
        run = self.own_page("run/<str:name>/", self.run_now, RUN, "records_jobrun_run")
        return [run, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"known": known_jobs(), "may_run": request.user.has_perm(RUN), **(extra_context or {})}
        return super().changelist_view(request, context)

    def run_now(self, request: HttpRequest, name: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            messages.success(request, run_soon(name, actor=self.actor(request)))
        except REFUSALS as error:
            messages.error(request, sentence(error))
        return HttpResponseRedirect(reverse("admin:records_jobrun_changelist"))

    @admin.display(description="End")
    def ended(self, run: JobRun) -> SafeString:
        if run.finished_at is None:
            return words.state("sending", "Running")
        return words.state("unknown", "Failed") if run.error else words.state("open", "Done")

    @admin.display(description="Took")
    def took(self, run: JobRun) -> SafeString:
        if run.finished_at is None:
            return words.number(words.NOTHING)
        return words.number(f"{(run.finished_at - run.started_at).total_seconds():.1f} s")

    @admin.display(description="Counted")
    def counted(self, run: JobRun) -> str:
        return ", ".join(f"{value:,} {name}" for name, value in run.counts.items() if value) or words.NOTHING


@admin.register(Lease)
class LeaseAdmin(ReadOnly):
    list_display = ("name", "holder", "until", "started_at", "wanted")
    search_fields = ("name",)
    ordering = ("name",)
