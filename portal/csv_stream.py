"""A list as a CSV file of any length: read from the database and sent chunk by chunk, so that a million rows need no
more memory than a thousand.

No transaction stays open between two chunks: a slow download holds up nobody. A cell that a spreadsheet would take for
a formula gets an apostrophe before it (OWASP, "CSV Injection"): links and names are other people's words.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone, translation

from ledger.amounts import plain

M = TypeVar("M", bound=Model)
Cell = str | int | Decimal | datetime | None
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as something else


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> StreamingHttpResponse:
    """`rows` are read while they are sent, in the language and the time zone of the request; `name` without ".csv"."""
    response = StreamingHttpResponse(_lines(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["X-Accel-Buffering"] = "no"  # nginx would keep it all first
    return response


def in_chunks(rows: QuerySet[M]) -> Iterator[M]:
    """All rows, the highest id first, PORTAL_CSV_ROWS a query."""
    before: int | None = None
    while True:
        rest = rows if before is None else rows.filter(pk__lt=before)
        chunk = list(rest.order_by("-pk")[: settings.PORTAL_CSV_ROWS])
        yield from chunk
        if len(chunk) < settings.PORTAL_CSV_ROWS:
            return
        before = chunk[-1].pk


class _Line:
    """What csv writes into: it hands each line on instead."""

    def write(self, line: str) -> str:
        return line


def _lines(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    language, zone = translation.get_language(), timezone.get_current_timezone()
    return _sent(write, [str(word) for word in head], iter(rows), language, zone)


def _sent(
    write: Callable[[Sequence[str]], str],
    head: Sequence[str],
    rows: Iterator[Sequence[Cell]],
    language: str | None,
    zone: tzinfo,
) -> Iterator[str]:
    yield BYTE_ORDER_MARK + write(head)
    while True:
        with translation.override(language), timezone.override(zone):
            lines = [write([_cell(cell) for cell in row]) for row in islice(rows, settings.PORTAL_CSV_ROWS)]
        if not lines:
            return
        yield "".join(lines)


def _cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return timezone.localtime(cell).isoformat(sep=" ", timespec="seconds")
        case Decimal():
            return plain(cell)
        case int():
            return str(cell)
    return f"'{cell}" if cell.startswith(FORMULAS) else cell
