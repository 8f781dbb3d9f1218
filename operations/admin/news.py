"""Announcements to all customers: written, planned ahead, ended, taken back. Each change is on the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter

from news.models import Announcement
from news.showing import in_force, quiet
from operations import words
from operations.admin.basis import Newest
from operations.saving import delete_row, save_row


class WhenFilter(DropdownFilter):  # type: ignore[misc]
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "In force"), ("planned", "Planned"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        match self.value():
            case "now":
                return in_force(queryset.filter(starts_at__lte=timezone.now()))
            case "planned":
                return queryset.filter(starts_at__gt=timezone.now())
            case "ended":
                return queryset.filter(ends_at__lte=timezone.now())
        return queryset


@admin.register(Announcement)
class AnnouncementAdmin(Newest):
    list_display = ("title", "shown_level", "shown_state", "on_top", "starts_at", "ends_at")
    list_filter = (WhenFilter,)
    search_fields = ("title",)
    fieldsets = (
        (None, {"fields": ("title", "body", "level", "on_top")}),
        ("When", {"fields": ("starts_at", "ends_at")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("news.delete_announcement")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: Announcement, form: Any, change: bool) -> None:
        action = "edit announcement" if change else "add announcement"
        changed = form.changed_data if change else form.fields
        save_row(obj, changed=changed, actor=self.actor(request), action=action)
        quiet.end()

    def delete_model(self, request: HttpRequest, obj: Announcement) -> None:
        delete_row(obj, actor=self.actor(request), action="delete announcement")

    @admin.display(description="Level")
    def shown_level(self, announcement: Announcement) -> SafeString:
        return words.state("held" if announcement.level == "warning" else "accepted", announcement.get_level_display())

    @admin.display(description="State")
    def shown_state(self, announcement: Announcement) -> SafeString:
        now = timezone.now()
        if announcement.starts_at > now:
            return words.state("waiting", "Planned")
        if announcement.ends_at is not None and announcement.ends_at <= now:
            return words.state("ended", "Ended")
        return words.state("open", "In force")
