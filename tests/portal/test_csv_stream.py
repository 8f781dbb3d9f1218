"""Exports: of any length, in pieces, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.conf import LazySettings
from django.db import connection
from django.http import StreamingHttpResponse
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Customer
from orders.models import Order
from portal.csv_stream import Cell, csv_response, in_chunks
from tests.portal.builders import a_service, an_order


def read(response: StreamingHttpResponse) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    return list(csv.reader(StringIO(text)))


@pytest.mark.parametrize("text", ["=1+1", "+7", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_what_a_spreadsheet_would_reckon_is_text(text: str) -> None:
    assert read(csv_response("x", ["Link"], [[text]])) == [["Link"], [f"'{text}"]]


def test_numbers_money_and_times_are_plain() -> None:
    with timezone.override("Europe/Moscow"):
        row: list[Cell] = [-5, Decimal("-0.000001"), datetime(2026, 1, 2, tzinfo=UTC), None]
        response = csv_response("x", ["a", "b", "c", "d"], [row])
    assert read(response)[1] == ["-5", "-0.000001", "2026-01-02 03:00:00+03:00", ""]


def test_rows_are_read_while_they_are_sent(settings: LazySettings) -> None:
    settings.PORTAL_CSV_ROWS = 2
    taken: list[int] = []

    def rows() -> Iterator[list[Cell]]:
        for number in range(100):
            taken.append(number)
            yield [number]

    pieces = iter(csv_response("x", ["n"], rows()).streaming_content)  # type: ignore[arg-type]
    next(pieces)
    next(pieces)
    assert len(taken) == 2


def test_chunks_follow_the_ids_and_take_each_row_once(alice: Customer, settings: LazySettings) -> None:
    settings.PORTAL_CSV_ROWS = 2
    service = a_service()
    ids = [an_order(alice, service).pk for _ in range(5)]
    with CaptureQueriesContext(connection) as queries:
        rows = in_chunks(Order.objects.all())
        found, asked = [], []
        for order in rows:
            found.append(order.pk)
            asked.append(len(queries))
    assert (found, asked) == (ids[::-1], [1, 1, 2, 2, 3])
