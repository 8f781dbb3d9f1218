"""`manage.py restore FILE`: the panel as it was when the file was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smmpanel.backup.archive import BadBackup
from smmpanel.backup.database import CannotRestore
from smmpanel.backup.restoring import restore


class Command(BaseCommand):
    help = (
        "Put the panel back to a backup, while it does not run. What may have been sent to providers since is held for"
        " you to decide, and every provider is paused."
    )
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        example = "Example: manage.py restore /backups/panel-2026-01-31.tar --force"
        return super().create_parser(prog_name, subcommand, epilog=example, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="also where the panel has customers; they are kept")

    def handle(self, *, file: Path, force: bool, **_: Any) -> None:
        try:
            done = restore(file.expanduser().absolute(), force=force)
        except (BadBackup, CannotRestore) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"The panel is as of {done.manifest.taken_at}.")
        self.stdout.write(f"The books agree: {done.books.transfers} transfers.")
        for name, number in done.held_back.items():
            if number:
                self.stdout.write(f"  {WORDS[name]}: {number:,}")
        for place in done.kept:
            self.stdout.write(f"What was there before is kept: {place}")
        self.stdout.write("Start the panel, and see what needs a person before you open the providers' queues.")


WORDS = {
    "orders": "orders that may have been sent since, now unknown",
    "runs": "runs of drip-feeds that may have begun since",
    "refills": "refills that may have been asked for since, now unknown",
    "lists": "lists of orders stopped",
    "providers": "providers paused",
    "callbacks": "callbacks parked",
    "letters": "letters that are not sent",
    "sessions": "sessions ended",
}
