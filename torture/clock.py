"""Time passes without being slept: every moment that the panel has written lies further back.

So leases run out, pauses end and settling times are over at once, with the lengths that they have in production. What
the books, the audit and the runs of jobs say happened keeps its time: nothing is decided by it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from django.apps import apps
from django.db import connection, transaction
from django.db.models import DateTimeField

ROOMS = ("records", "providers", "orders")
KEPT = {"AuditEntry", "ExchangeRate", "JobRun"}


def let_pass(seconds: float) -> None:
    """All at once, as if nobody had looked for so long."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement, columns in _statements(connection.vendor):
            span = int(seconds * 1_000_000) if connection.vendor == "sqlite" else f"{seconds} seconds"
            cursor.execute(statement, [span] * columns)


@functools.cache
def _statements(vendor: str) -> Sequence[tuple[str, int]]:
    """An UPDATE for each table, and how many columns it moves."""
    back = "django_format_dtdelta('-', {0}, %s)" if vendor == "sqlite" else "{0} - %s::interval"
    found = []
    for room in ROOMS:
        for model in apps.get_app_config(room).get_models():
            moments = [f'"{field.column}"' for field in model._meta.fields if isinstance(field, DateTimeField)]
            if moments and model.__name__ not in KEPT:
                changes = ", ".join(f"{column} = {back.format(column)}" for column in moments)
                found.append((f'UPDATE "{model._meta.db_table}" SET {changes}', len(moments)))  # noqa: S608
    return found
