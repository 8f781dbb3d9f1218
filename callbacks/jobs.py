"""What runs by itself for callbacks: sending what is due, and forgetting what is old."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from callbacks.claiming import due_scopes
from callbacks.delivering import deliver_callbacks
from callbacks.models import CallbackAddress, CallbackMessage
from callbacks.outbox import JOB
from records.jobs import Job, Turn, register


def register_jobs() -> None:
    register(
        Job(
            name=JOB,
            run=deliver_callbacks,
            every=timedelta(seconds=15),
            scopes=due_scopes,
            summary="Tell customers' own servers what happened to their orders.",
        )
    )
    register(
        Job(
            name="prune_callbacks",
            run=prune_callbacks,
            every=timedelta(hours=1),
            summary="Delete old callback messages.",
        )
    )


def prune_callbacks(turn: Turn) -> Mapping[str, int]:
    """Messages by age, in batches that are short transactions; then removed addresses that have none left."""
    before = timezone.now() - timedelta(days=settings.CALLBACK_KEEP_DAYS)
    old = CallbackMessage.objects.filter(created_at__lt=before)
    deleted = 0
    while not turn.should_stop():
        batch = list(old.order_by("created_at").values_list("pk", flat=True)[: settings.RECORDS_PRUNE_BATCH])
        CallbackMessage.objects.filter(pk__in=batch).delete()
        deleted += len(batch)
        if len(batch) < settings.RECORDS_PRUNE_BATCH:
            break
    gone = CallbackAddress.objects.filter(removed_at__lt=before, messages__isnull=True)
    return {"messages": deleted, "addresses": gone.delete()[0]}
