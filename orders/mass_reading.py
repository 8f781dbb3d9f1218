"""A pasted or uploaded list read into lines: which service, which fields of its type. Pure: no database, no price.

Lines are `service | link | quantity`, or CSV by commas, semicolons or tabs, with or without a header that names the
fields. Without one, a line's cells are its type's required fields in order; entries (comments, usernames) come last,
one a cell. What such a line cannot say is refused, never guessed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.sentences import Sentence, number, say
from catalog.service_types import SERVICE_TYPES, Field, Kind, ServiceType

SERVICE_HEADS = ("service", "service id", "service_id", "id")
ID_DIGITS = 18
DELIMITERS = (",", ";", "\t")


class Unreadable(Exception):
    """The list as a whole cannot be read; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: where it begins, its cells, and what is wrong with it already."""

    number: int
    cells: tuple[str, ...]
    problem: Sentence | None = None

    @property
    def service_id(self) -> int | None:
        text = self.cells[0] if self.cells else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS else None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a list; `head` names their cells where the list began with a header."""

    rows: tuple[Row, ...]
    head: tuple[str, ...] = ()


def decode(data: bytes) -> str:
    """A file's text: UTF-8, UTF-16 with its mark, else Windows-1251. Raises Unreadable for what is no text."""
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if marked else ["utf-8-sig", "cp1251"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable(say("This file is not text. Save it as CSV in UTF-8 and upload it again. Nothing was charged."))


def read_table(text: str, *, most: int) -> Table:
    """The rows of a list. Raises Unreadable where it has none, or more than `most`."""
    rows: list[Row] = []
    head: tuple[str, ...] = ()
    for row in _rows(text.lstrip("\ufeff")):
        if not rows and not head and row.cells[0].casefold() in SERVICE_HEADS:
            head = _head(row.cells)
            continue
        rows.append(row)
        if len(rows) > most:
            words = say("At most %(most)s lines go into one list. Divide it. Nothing was charged.", most=number(most))
            raise Unreadable(words)
    if not rows:
        raise Unreadable(say("There is no line to order. Paste your list or choose a file."))
    return Table(tuple(rows), head)


def fields_of(row: Row, head: Sequence[str], kind: ServiceType) -> dict[str, str] | Sentence:
    """The raw fields of a row for a service's type, or the sentence that says why its form cannot carry them."""
    cells = row.cells[1:]
    if head:
        names = head[1:]
        if len(cells) > len(names):
            return say(
                "This line has more columns than the header names. Put quotes around what contains the separator."
            )
        return {name: cell for name, cell in zip(names, cells, strict=False) if cell}
    asked = positional(kind)
    if asked is None:
        return say(
            "%(type)s cannot be ordered by a line without a header. Use New order, or CSV with a header.",
            type=say(kind.label),
        )
    return _by_place(cells, asked)


def positional(kind: ServiceType) -> list[Field] | None:
    """The fields that a line without a header gives in this order; None where its form cannot carry the type."""
    asked = [field for field in kind.fields if field.required]
    many = [field for field in asked if field.kind is Kind.LINES]
    if not kind.has_link or any(field.when for field in asked):
        return None
    return None if many and (len(many) > 1 or asked[-1] is not many[0]) else asked


def _by_place(cells: Sequence[str], asked: Sequence[Field]) -> dict[str, str] | Sentence:
    if asked[-1].kind is Kind.LINES:
        fixed = len(asked) - 1
        fields = {field.name: cell for field, cell in zip(asked, cells[:fixed], strict=False)}
        return fields | {asked[-1].name: "\n".join(cell for cell in cells[fixed:] if cell)}
    if any(cells[len(asked) :]):
        expected = " | ".join(["service", *(field.name for field in asked)])
        return say("This line has too many columns. This service takes: %(columns)s.", columns=expected)
    return {field.name: cell for field, cell in zip(asked, cells, strict=False)}


def _head(cells: Sequence[str]) -> tuple[str, ...]:
    names = tuple(cell.casefold().replace(" ", "_") for cell in cells)
    known = {field.name for kind in SERVICE_TYPES.values() for field in kind.fields}
    for name in names[1:]:
        if name not in known:
            words = say(
                "The header names a column that no service has: “%(name)s”. Rename it or remove it.", name=name[:40]
            )
            raise Unreadable(words)
    if len(set(names)) != len(names):
        raise Unreadable(say("The header names a column twice. Keep one of them."))
    return names


def _rows(text: str) -> Iterator[Row]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    if "|" in first:
        for place, line in enumerate(io.StringIO(text), start=1):
            cells = tuple(cell.strip() for cell in line.split("|"))
            if any(cells):
                yield Row(place, cells)
        return
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begin = 1
    try:
        for cells_read in reader:
            cells = tuple(cell.strip() for cell in cells_read)
            if any(cells):
                yield Row(begin, cells)
            begin = reader.line_num + 1
    except csv.Error:
        words = say("From here on the file cannot be read: a quote is opened and not closed rightly.")
        yield Row(begin, ("",), words)
