"""A thread is about one order and belongs to its customer; its messages are never changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer
from orders.models import Order


class Thread(models.Model):
    """A problem with an order. `waits_since`: the customer's word that nobody has answered yet; `unread`: an answer
    that the customer has not seen.
    """

    class Topic(models.TextChoices):
        NOT_STARTED = "not_started", _("It has not started")
        NOT_DELIVERED = "not_delivered", _("It was not delivered, or not all of it")
        DROPPED = "dropped", _("The count has dropped")
        WRONG_LINK = "wrong_link", _("The link is wrong")
        OTHER = "other", _("Something else")

    class Resolved(models.TextChoices):
        NOTE = "note", _("Answered")
        REFILL = "refill", _("A refill was asked for")
        REFUND = "refund", _("Money was paid back")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="threads", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="threads", db_index=False)
    topic = models.CharField(max_length=20, choices=Topic.choices)
    opened_at = models.DateTimeField(default=timezone.now)
    waits_since = models.DateTimeField(null=True, blank=True)
    unread = models.BooleanField(default=False)
    resolved = models.CharField(max_length=10, choices=Resolved.choices, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(closed_at__isnull=True), name="one_open_thread_an_order"
            )
        ]
        indexes = [
            models.Index(fields=["order", "-id"], name="thread_of_order"),
            models.Index(fields=["customer", "-id"], name="thread_of_customer"),
            models.Index(fields=["customer", "-id"], condition=Q(unread=True), name="thread_unread"),
            models.Index(fields=["waits_since"], condition=Q(waits_since__isnull=False), name="thread_waits"),
        ]

    def __str__(self) -> str:
        return f"Problem with order {self.order_id}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class Message(models.Model):
    """One word of it, by the customer or by staff."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="messages", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    by_staff = models.BooleanField()
    actor = models.CharField(max_length=254, help_text="Who wrote it; a customer is told “staff” alone.")
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["thread", "id"], name="message_of_thread")]

    def __str__(self) -> str:
        return f"{self.actor} on {self.at:%Y-%m-%d %H:%M}"
