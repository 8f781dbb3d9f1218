from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "records"

    def ready(self) -> None:
        from records.housekeeping import prune_records
        from records.registry import Job, register

        register(
            Job(name="prune_records", run=prune_records, every=timedelta(hours=1), summary="Delete old job runs.")
        )
