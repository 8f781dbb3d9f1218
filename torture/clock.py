"""Time passes without being slept: every moment that the panel has written lies further back.

So leases run out, pauses end and settling times are over at once, with the lengths that they have in production. What
the books and the audit say happened keeps its time.
"""

from __future__ import annotations

from datetime import timedelta

from django.apps import apps
from django.db import transaction
from django.db.models import DateTimeField, F

ROOMS = ("records", "providers", "orders")
KEPT = {"AuditEntry", "ExchangeRate"}


def let_pass(seconds: float) -> None:
    """All at once, as if nobody had looked for so long."""
    span = timedelta(seconds=seconds)
    with transaction.atomic():
        for room in ROOMS:
            for model in apps.get_app_config(room).get_models():
                moments = [field.name for field in model._meta.fields if isinstance(field, DateTimeField)]
                if moments and model.__name__ not in KEPT:
                    model._default_manager.update(**{name: F(name) - span for name in moments})
