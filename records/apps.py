from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "records"

    def ready(self) -> None:
        from records import housekeeping
        from records.registry import Job, register

        long = timedelta(minutes=30)  # one statement over all transfers cannot renew a lease while it runs
        for job in (
            Job(
                name="verify_books",
                run=housekeeping.verify_books,
                every=timedelta(hours=1),
                lease=long,
                summary="Check that the books agree.",
            ),
            Job(
                name="cut_checkpoints",
                run=housekeeping.cut_checkpoints,
                every=timedelta(days=1),
                lease=long,
                summary="Sum up old transfers, so that balances stay quick.",
            ),
            Job(
                name="prune_records",
                run=housekeeping.prune_records,
                every=timedelta(hours=1),
                summary="Delete old job runs.",
            ),
        ):
            register(job)
