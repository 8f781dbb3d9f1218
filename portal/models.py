"""What a customer keeps of the panel's pages."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Customer
from catalog.models import Service


class Favourite(models.Model):
    """A service that a customer wants at hand."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="favourites", db_index=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="favourites")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "service"], name="one_favourite_a_service")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.service_id}"
