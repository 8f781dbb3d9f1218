"""`manage.py backup FILE`: all of the panel in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smmpanel.backup.archive import BadBackup
from smmpanel.backup.taking import take


class Command(BaseCommand):
    help = "Write the database and the keys of its secrets into one file, also while the panel is running."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        example = "Example: manage.py backup /backups/panel-$(date +%F).tar"
        return super().create_parser(prog_name, subcommand, epilog=example, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="overwrite the file if it is there")

    def handle(self, *, file: Path, force: bool, **_: Any) -> None:
        try:
            manifest = take(file.expanduser().absolute(), force=force)
        except BadBackup as error:
            raise CommandError(str(error)) from None
        size = sum(int(member["bytes"]) for member in manifest.members.values())
        self.stdout.write(f"{file}: {size:,} bytes of {manifest.engine}, as of {manifest.taken_at}.")
        self.stdout.write(
            "It holds secrets: the customers' data, and the keys that decrypt the providers'. Keep it where nobody else"
            " reads it. Your .env and logo are not in it."
        )
