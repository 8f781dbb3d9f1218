"""What the operator's side keeps of its own: lists that were fetched for a preview, and the names of its rights."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from ledger.fields import MoneyField
from operations.roles import STEPS
from providers.models import Provider


class ImportPreview(models.Model):
    """A provider's list as an operator looks at it before it is applied: what is applied is what was shown.

    In the database and not in a cache: the next request may reach another process, on another machine.
    """

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    listings = models.JSONField()
    markup = MoneyField(null=True, blank=True)
    publish = models.BooleanField(default=False)

    class Meta:
        # the rights of steps, of all rooms: Django's permissions belong to a model, and these are the operator's side's
        permissions = tuple(STEPS.items())
        constraints = [models.UniqueConstraint(fields=["provider", "made_by"], name="one_preview_an_operator")]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.made_at:%Y-%m-%d %H:%M}"
