"""An announcement is for every customer; a dismissal is one customer's: it stays put away on each of his devices."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Customer


class Announcement(models.Model):
    """In force from `starts_at` until `ends_at`. Nobody sees it before; afterwards it stands among the past ones."""

    class Level(models.TextChoices):
        INFO = "info", "Information"
        WARNING = "warning", "Warning"

    title = models.CharField(max_length=120)
    body = models.TextField(max_length=4000, blank=True, help_text="Plain text; addresses become links.")
    level = models.CharField(max_length=7, choices=Level.choices, default=Level.INFO)
    on_top = models.BooleanField(
        "Shown on top",
        default=True,
        help_text="On every customer's pages while it is in force. Else it stands on the page of news alone.",
    )
    starts_at = models.DateTimeField(default=timezone.now, help_text="Nobody sees it before.")
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="It leaves the pages then. Empty: each customer puts it away himself."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="announcement_ends_after_it_starts",
                violation_error_message="It must end after it starts.",
            )
        ]
        indexes = [models.Index(fields=["-starts_at", "-id"], name="announcement_newest")]

    def __str__(self) -> str:
        return self.title


class Dismissal(models.Model):
    """This customer has seen it and wants it on top no more."""

    announcement = models.ForeignKey(Announcement, on_delete=models.CASCADE, related_name="dismissals", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="dismissals")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["announcement", "customer"], name="one_dismissal_a_customer")]

    def __str__(self) -> str:
        return f"{self.announcement_id} by {self.customer_id}"
