"""The import of a provider's catalogue: fetch, look, apply. Nothing is written before "Apply"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.importing import Change, ImportRefused, ImportResult, Movement
from catalog.searching import folded, words
from operations import previews
from operations.forms import DeskForm, money
from operations.previews import NotAsShown, Shown
from operations.refusals import REFUSALS, sentence
from providers.models import Provider
from providers.upstream import UpstreamTrouble
from records.audit import actor_of

IMPORT = "operations.import_services"
TITLES = {
    Movement.NEW: "New", Movement.CHANGED: "Changed", Movement.BACK: "Back on the list", Movement.GONE: "Gone",
}  # fmt: skip


class FetchForm(DeskForm):
    markup = money(
        "Markup in percent", required=False, help_text="Kept as the provider's rule. Empty: the rules stay as they are."
    )
    publish = forms.BooleanField(
        label="Show new services to customers at once", required=False, help_text="Else they are imported hidden."
    )

    def clean_markup(self) -> Decimal | None:
        markup: Decimal | None = self.cleaned_data["markup"]
        if markup is not None and not -100 <= markup <= 100_000:
            raise forms.ValidationError("The markup must be between −100 and 100,000 percent.")
        return markup


@dataclass(frozen=True, slots=True)
class Table:
    """The changes of one kind that a page shows."""

    movement: Movement
    title: str
    total: int
    found: int
    rows: Sequence[Change]
    page: Page[Change] | None


class ImportPages:
    """For the provider's admin: the two pages of an import."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        page = self.own_page(  # type: ignore[attr-defined]
            "<int:object_id>/import/", self.import_page, IMPORT, "providers_provider_import"
        )
        return [page, *super().get_urls()]  # type: ignore[misc]

    def import_button(self, provider: Provider) -> SafeString:
        icon = format_html('<span class="material-symbols-outlined" aria-hidden="true">{}</span>', "download")
        url = reverse("admin:providers_provider_import", args=[provider.pk])
        return format_html('<a class="desk-button is-primary" href="{}">{}Import services</a>', url, icon)

    def may_import(self, request: HttpRequest) -> bool:
        return request.user.has_perm(IMPORT)

    def import_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        provider: Provider = self.row_for_step(request, object_id)  # type: ignore[attr-defined]
        if request.method == "POST" and "apply" in request.POST:
            return self._apply(request, provider)
        if request.method == "POST":
            return self._fetch(request, provider)
        preview = previews.kept_for(provider=provider, user=request.user)  # type: ignore[arg-type]
        form = FetchForm(initial={"markup": preview.markup, "publish": preview.publish} if preview else None)
        return self._show(request, provider, form, previews.show(preview) if preview else None)

    def _fetch(self, request: HttpRequest, provider: Provider) -> HttpResponse:
        form = FetchForm(request.POST)
        if form.is_valid():
            try:
                previews.fetch(provider=provider, user=request.user, **form.cleaned_data)  # type: ignore[arg-type]
            except UpstreamTrouble as trouble:
                form.refuse(trouble)
            else:
                return HttpResponseRedirect(request.path)
        return self._show(request, provider, form, None)

    def _apply(self, request: HttpRequest, provider: Provider) -> HttpResponse:
        preview = previews.kept_for(provider=provider, user=request.user)  # type: ignore[arg-type]
        if preview is None:
            messages.warning(
                request, "The preview is too old or was applied already. Nothing was changed. Fetch again."
            )
            return HttpResponseRedirect(request.path)
        try:
            result = previews.apply(
                preview,
                fingerprint=request.POST.get("fingerprint", ""),
                confirmed=request.POST.getlist("confirmed"),
                confirm_losses="confirm_losses" in request.POST,
                actor=actor_of(request.user),
            )
        except NotAsShown:
            return self._show_anew(request, provider, preview)
        except REFUSALS as error:
            messages.error(request, sentence(error))
            return HttpResponseRedirect(request.path)
        messages.success(request, _told(result))
        return self.back_to(provider)  # type: ignore[attr-defined,no-any-return]

    def _show_anew(self, request: HttpRequest, provider: Provider, old: Any) -> HttpResponse:
        """Ask again: what was fetched before may be older than what changed in between."""
        messages.warning(
            request, "The catalogue changed since this preview was made. Nothing was applied. This is how it looks now."
        )
        try:
            previews.fetch(provider=provider, user=request.user, markup=old.markup, publish=old.publish)  # type: ignore[arg-type]
        except (UpstreamTrouble, ImportRefused) as error:
            messages.error(request, sentence(error))
        return HttpResponseRedirect(request.path)

    def _show(self, request: HttpRequest, provider: Provider, form: FetchForm, shown: Shown | None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Import from {provider.name}",
            "model_admin": self,
            "provider": provider,
            "form": form,
            "shown": shown,
            "back": reverse("admin:providers_provider_change", args=[provider.pk]),
            "currency": settings.PANEL_CURRENCY,
            **(_preview(request, shown) if shown else {}),
        }
        return TemplateResponse(request, "operations/import.html", context)


def _preview(request: HttpRequest, shown: Shown) -> dict[str, Any]:
    plan, query, one = shown.plan, request.GET.get("q", "").strip(), request.GET.get("table", "")
    tables = [
        _table(movement, title, plan.of(movement), query=query, alone=one == movement, page=request.GET.get("page"))
        for movement, title in TITLES.items()
        if not one or one == movement
    ]
    tables.sort(key=lambda table: not (table.rows and _below_cost(table.rows[0])))  # a loss is never below the fold
    return {
        "plan": plan,
        "counts": [(movement, title, plan.counts()[movement.value]) for movement, title in TITLES.items()],
        "tables": [table for table in tables if table.total],
        "one_table": one,
        "query": query,
        "below_cost": sum(_below_cost(change) for change in plan.changes),
        "out_of_line": sum(change.out_of_line for change in plan.changes),
        "doubtful": sum(bool(change.doubts) for change in plan.changes if change.movement is not Movement.GONE),
        "applicable": bool(plan.changes) and (not plan.refusal or plan.confirmable),
        "minutes": settings.IMPORT_PREVIEW_MINUTES,
    }


def _table(
    movement: Movement, title: str, changes: Iterable[Change], *, query: str, alone: bool, page: str | None
) -> Table:
    """Worst first: what would sell at a loss, what goes off sale, what has a warning, then as the provider lists it."""
    changes = sorted(changes, key=_weight)
    found = [change for change in changes if _matches(change, query)]
    if not alone:
        return Table(movement, title, len(changes), len(found), found[: settings.IMPORT_PREVIEW_ROWS], None)
    pages = Paginator(found, settings.IMPORT_PREVIEW_PAGE).get_page(page)
    return Table(movement, title, len(changes), len(found), list(pages), pages)


def _weight(change: Change) -> tuple[Decimal, bool, bool]:
    loss = change.margin if change.margin is not None and change.margin < 0 else Decimal(0)
    return loss, not change.doubts, not change.warnings


def _below_cost(change: Change) -> bool:
    return change.margin is not None and change.margin < 0


def _matches(change: Change, query: str) -> bool:
    if not query:
        return True
    text = folded(f"{change.external_id} {change.name} {change.category}")
    return all(word.removeprefix("#") in text for word in words(query))


def _told(result: ImportResult) -> str:
    counts = result.counts()
    parts = [f"{counts[movement.value]:,} {title.lower()}" for movement, title in TITLES.items()]
    went = "service is" if result.off_sale == 1 else "services are"
    off_sale = f" {result.off_sale:,} {went} off sale until you confirm what is in doubt." if result.off_sale else ""
    return f"Applied: {', '.join(parts)}. {result.repriced:,} prices followed.{off_sale}"
