"""Where a customer wants to be told, and what is told there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Customer
from providers.fields import SecretField


class CallbackAddress(models.Model):
    """A customer's address for callbacks. The secret is shown once; it is kept encrypted, since every message is signed
    with it.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="callback_addresses")
    url = models.CharField("URL", max_length=500)
    secret = SecretField()
    old_secret = SecretField(null=True, blank=True)
    old_secret_until = models.DateTimeField(
        null=True, blank=True, help_text="So long messages carry a signature by the old secret as well."
    )
    active = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=200, blank=True, help_text="Why it is switched off.")
    failures = models.PositiveIntegerField(default=0, help_text="Rounds of tries since the last delivery.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="After many failures it is left alone so long.")
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "callback addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "url"], condition=Q(removed_at__isnull=True), name="one_callback_address_a_url"
            )
        ]

    def __str__(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        """The URL for everybody but its owner: what stands behind the "?" may be a secret."""
        plain, asked, _ = self.url.partition("?")
        return f"{plain}?…" if asked else plain


class CallbackMessage(models.Model):
    """One message to one address: its body exactly as it is sent, and how far it is."""

    address = models.ForeignKey(CallbackAddress, on_delete=models.CASCADE, related_name="messages", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="callback_messages", db_index=False)
    message_id = models.CharField(max_length=40, unique=True, help_text="The same in every try.")
    subject = models.CharField(max_length=60, help_text="Messages of one subject go one after another: order:123.")
    event = models.CharField(max_length=40)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField(help_text="What fails after this is parked.")
    tries = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Somebody is sending it, at most so long.")
    delivered_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True, help_text="It is not tried any more by itself.")
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at__isnull=True) | Q(parked_at__isnull=True), name="callback_delivered_or_parked"
            )
        ]
        indexes = [
            models.Index(
                fields=["address", "next_try_at", "id"],
                condition=Q(delivered_at__isnull=True, parked_at__isnull=True),
                name="callback_due",
            ),
            models.Index(
                fields=["address", "subject", "id"],
                condition=Q(delivered_at__isnull=True, parked_at__isnull=True),
                name="callback_open_of_subject",
            ),
            models.Index(fields=["customer", "-id"], name="callback_of_customer"),
            models.Index(fields=["-id"], condition=Q(parked_at__isnull=False), name="callback_parked"),
            models.Index(fields=["created_at"], name="callback_age"),
        ]

    def __str__(self) -> str:
        return self.message_id
