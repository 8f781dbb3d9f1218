"""`manage.py messages`: brings the catalogues in locale/ up to date with the words in the code, and compiles them.

Django's own makemessages needs GNU gettext, which a fresh machine has not. This needs Babel alone (a development
requirement), and only where words are translated: the compiled files are committed, so running the panel needs neither.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation.template import templatize

ROOMS = ("accounts", "api", "callbacks", "catalog", "conversations", "news", "orders", "portal", "smmpanel")
WORDS = {**DEFAULT_KEYWORDS, "gettext_lazy": None, "ngettext_lazy": (1, 2), "pgettext_lazy": ((1, "c"), 2), "say": None}
LITERAL = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALLED = re.compile(
    rf"\b(n?)gettext\({LITERAL}(?:,\s*{LITERAL})?|\b_\({LITERAL}\)|\bpgettext\({LITERAL},\s*{LITERAL}\)"
)
Message = str | tuple[str, str]


class Command(BaseCommand):
    help = "Bring the catalogues in locale/ up to date with the words in the code, and compile them."

    def handle(self, **_: Any) -> None:
        template = found()
        for path in sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po")):
            catalog = read(path)
            catalog.update(template, no_fuzzy_matching=True)
            catalog.obsolete.clear()
            with open(path, "wb") as file:
                write_po(file, catalog, no_location=True, sort_output=True, width=118, omit_header=False)
            path.with_suffix(".mo").write_bytes(compiled(path))
            missing = sum(1 for message in catalog if message.id and not _is_done(message.string))
            self.stdout.write(f"{catalog.locale}: {len(catalog)} messages, {missing} of them not translated")


def read(path: Path) -> Catalog:
    with open(path, "rb") as file:
        return read_po(file, locale=path.parent.parent.name, domain="django")


def compiled(path: Path) -> bytes:
    """What belongs into the .mo file beside a .po file."""
    out = io.BytesIO()
    write_mo(out, read(path))
    return out.getvalue()


def found() -> Catalog:
    """Every message of our own code and templates."""
    catalog = Catalog()
    base = Path(settings.BASE_DIR)
    for room in ROOMS:
        for path in sorted((base / room).rglob("*.py")):
            with open(path, "rb") as file:
                for _line, message, _comments, context in extract("python", file, keywords=WORDS):
                    catalog.add(message, context=context)
    for path in sorted([*(base / "templates").rglob("*.html"), *(base / "templates").rglob("*.txt")]):
        for message, context in in_template(path.read_text()):
            catalog.add(message, context=context)
    return catalog


def in_template(source: str) -> Iterator[tuple[Message, str | None]]:
    """Django turns a template into calls of gettext between rubble; the calls are wanted, with their contexts."""
    for call in CALLED.finditer(templatize(source)):
        many, first, second, alone, context, within = call.groups()
        text = str(ast.literal_eval(first or alone or within))
        message = (text, str(ast.literal_eval(second))) if many and second else text
        yield message, str(ast.literal_eval(context)) if context else None


def _is_done(string: Any) -> bool:
    return bool(string) if isinstance(string, str) else bool(string) and all(string)
