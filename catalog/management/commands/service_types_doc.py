"""`manage.py service_types_doc`: docs/service-types.md anew, from the declarations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalog.declarations import render


class Command(BaseCommand):
    help = "Write the page on service types from their declarations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", metavar="FILE", help="where to write it; left out, it is printed")

    def handle(self, *args: Any, **given: Any) -> None:
        if given["file"] is None:
            self.stdout.write(render(), ending="")
        else:
            Path(given["file"]).write_text(render(), encoding="utf-8")
