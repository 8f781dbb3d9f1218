"""`manage.py api_doc docs/api.md`: the page on the API, from its reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from api.manual import render


class Command(BaseCommand):
    help = "Write the page on the API from its reference."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        options["file"].write_text(render(), encoding="utf8")
