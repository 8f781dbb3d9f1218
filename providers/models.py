"""Upstream panels: how each is reached and spoken to, what it is owed, and how it is doing."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ledger.fields import ExchangeRateField, MoneyField
from ledger.models import Account
from providers.fields import SecretField


def empty_word_map() -> dict[str, Any]:
    return {"status": {}, "refusal": {}}


class Provider(models.Model):
    """An upstream panel that speaks API v2, the settings of its dialect, and the state of its queue."""

    class BodyFormat(models.TextChoices):
        FORM = "form", "Form"
        JSON = "json", "JSON"

    class CancelForm(models.TextChoices):
        ORDER = "order", "order="
        ORDERS = "orders", "orders="

    class RateUnit(models.TextChoices):
        PACKAGE = "package", "The whole package"
        THOUSAND = "thousand", "Per 1000"

    class Queue(models.TextChoices):
        OPEN = "open", "Open"
        PAUSED = "paused", "Paused"
        TRIAL = "trial", "One trial order first"

    name = models.CharField(max_length=60, unique=True)
    url = models.CharField("URL", max_length=500)
    key = SecretField("API key")
    currency = models.CharField(max_length=12)
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="provider", editable=False)
    active = models.BooleanField(
        default=True, help_text="An inactive provider gets no new orders; those it has are followed to their end."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Transport
    connect_timeout_seconds = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1)])
    deadline_seconds = models.PositiveSmallIntegerField(
        default=25, validators=[MinValueValidator(2), MaxValueValidator(120)], help_text="For a whole request."
    )
    requests_per_minute = models.PositiveIntegerField(default=120, validators=[MinValueValidator(1)])
    concurrency = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1), MaxValueValidator(100)], help_text="Requests under way at once."
    )
    user_agent = models.CharField(max_length=200, default="smmpanel/1.0")
    body_format = models.CharField(max_length=4, choices=BodyFormat.choices, default=BodyFormat.FORM)
    key_header = models.CharField(max_length=60, blank=True, help_text="Empty: the key goes in the field `key`.")

    # Dialect
    cancel_form = models.CharField(max_length=6, choices=CancelForm.choices, default=CancelForm.ORDER)
    multi_status = models.BooleanField(default=True)
    multi_status_size = models.PositiveSmallIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    multi_refill = models.BooleanField(default=False)
    package_rate_unit = models.CharField(max_length=8, choices=RateUnit.choices, default=RateUnit.PACKAGE)
    idempotency_parameter = models.CharField(max_length=40, blank=True)
    rising_ids = models.BooleanField(default=True, help_text="Order ids are numbers that rise.")
    used_by_hand = models.BooleanField(
        default=False, help_text="Orders are also placed in this account outside the panel."
    )
    resend_when_not_placed = models.BooleanField(
        default=False, help_text="Send an unknown order again once it is shown not to exist upstream."
    )
    word_map = models.JSONField(default=empty_word_map, blank=True)

    # Health
    queue = models.CharField(max_length=6, choices=Queue.choices, default=Queue.OPEN, editable=False)
    queue_cause = models.CharField(max_length=20, blank=True, editable=False)
    queue_reason = models.CharField(max_length=300, blank=True, editable=False)
    queue_needs = MoneyField(null=True, editable=False)  # what a pause for funds waits for, in the provider's currency
    queue_changed_at = models.DateTimeField(default=timezone.now, editable=False)
    unknowns_in_a_row = models.PositiveSmallIntegerField(default=0, editable=False)
    balance = MoneyField(null=True, editable=False)
    balance_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.name


class ExchangeRate(models.Model):
    """What one unit of the provider's currency is worth in the panel's, from a moment on."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="exchange_rates")
    rate = ExchangeRateField()
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="exchange_rate_positive"),
            models.UniqueConstraint(fields=["provider", "since"], name="one_exchange_rate_a_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.rate.normalize():f}"


class BalanceReading(models.Model):
    """What the provider said it holds for us, and what our books said at that moment."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="balance_readings")
    at = models.DateTimeField(default=timezone.now)
    reported = MoneyField()
    booked = MoneyField()

    class Meta:
        indexes = [models.Index(fields=["provider", "-at"], name="balance_latest")]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.at:%Y-%m-%d %H:%M}"
