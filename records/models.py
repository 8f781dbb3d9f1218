"""What happened and who did it; what needs a person; what runs in the background, and whose turn it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class AuditEntry(models.Model):
    """One change: who, what, why, before and after. Written in the change's own transaction."""

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=254)
    action = models.CharField(max_length=60)
    target_type = models.CharField(max_length=40)
    target_id = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["target_type", "target_id", "-id"], name="audit_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_type} {self.target_id}"


class AttentionItem(models.Model):
    """Something that needs a person, with its evidence. One open item a key; seen again, it counts up."""

    cause = models.CharField(max_length=40)
    key = models.CharField(max_length=150)
    summary = models.CharField(max_length=500)
    evidence = models.JSONField(default=dict, blank=True)
    provider_id = models.BigIntegerField(null=True, blank=True)
    order_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    opened_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    times = models.PositiveIntegerField(default=1)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=254, blank=True)
    decision = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(closed_at__isnull=True), name="one_open_item_a_key")
        ]
        indexes = [
            models.Index(fields=["cause", "-id"], condition=Q(closed_at__isnull=True), name="attention_open"),
        ]

    def __str__(self) -> str:
        return self.summary


class JobRun(models.Model):
    """One run of a background job: when, how long, what it counted, how it failed."""

    job = models.CharField(max_length=40)
    scope = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    idle = models.BooleanField(default=False, help_text="It found nothing to do: such runs are kept less long.")
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["job", "scope", "-id"], name="jobrun_latest"),
            models.Index(fields=["job", "scope"], condition=Q(finished_at__isnull=True), name="jobrun_unfinished"),
            models.Index(fields=["started_at"], name="jobrun_age"),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.scope} {self.started_at:%Y-%m-%d %H:%M:%S}"


class Lease(models.Model):
    """Whose turn a piece of background work is, and until when. A holder that dies loses it when it runs out."""

    name = models.CharField(max_length=120, unique=True)
    holder = models.CharField(max_length=80, blank=True)
    until = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    wanted = models.BooleanField(default=False, help_text="Somebody came while it was held: take another turn.")

    def __str__(self) -> str:
        return self.name


class Restoration(models.Model):
    """The panel was put back to an earlier moment: what it did between the two times it knows nothing of."""

    taken_at = models.DateTimeField(help_text="When the backup was taken.")
    restored_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.taken_at:%Y-%m-%d %H:%M:%S}"
