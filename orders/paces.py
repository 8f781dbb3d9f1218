"""How long a service takes: the average of its last finished orders, from placing to the end, kept beside it.

A job looks again every PACE_MINUTES, in one statement: of each service at most PACE_ORDERS entries of an index are
read. Ending an order writes nothing here, where all orders of a service would wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from catalog.models import Service
from orders.models import Order, Pace, Status
from records.jobs import Job, Turn

_TOOK = {
    "postgresql": "EXTRACT(EPOCH FROM ended_at - created_at)",
    "sqlite": "(julianday(ended_at) - julianday(created_at)) * 86400",
}
_GREATEST = {"postgresql": "GREATEST", "sqlite": "MAX"}


def measure() -> int:
    """Bring the averages up to date; how many were written: what did not change is not."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(), [timezone.now(), settings.PACE_LEAST_ORDERS, settings.PACE_ORDERS])
        written: int = cursor.rowcount
    return max(written, 0)


def paces_of(services: Collection[Service]) -> dict[int, timedelta]:
    """The average time of each of these, by id; without those of which too few orders have ended."""
    found = Pace.objects.filter(service__in=[service.pk for service in services])
    return {number: timedelta(seconds=seconds) for number, seconds in found.values_list("service_id", "seconds")}


def job() -> Job:
    return Job(
        name="measure_paces",
        run=_run,
        every=timedelta(minutes=settings.PACE_MINUTES),
        summary="Average the time that the last orders of each service took.",
    )


def _run(turn: Turn) -> Mapping[str, int]:
    return {"services": measure()}


def _sql() -> str:
    """Only our own names are in the text; the status too, which SQLite must see to go by the index of finished ones."""
    orders, services, paces = (model._meta.db_table for model in (Order, Service, Pace))
    took, greatest = _TOOK[connection.vendor], _GREATEST[connection.vendor]
    last = (
        f"SELECT {took} AS took FROM {orders} AS sold WHERE sold.service_id = service.id"  # noqa: S608
        f" AND sold.status = '{Status.COMPLETED}' AND sold.ended_at IS NOT NULL"
        " AND sold.parent_id IS NULL AND sold.runs IS NULL ORDER BY sold.ended_at DESC LIMIT %s"
    )
    average = f"(SELECT CASE WHEN COUNT(*) >= %s THEN AVG(took) END FROM ({last}) AS lately)"  # noqa: S608
    measured = f"SELECT service.id AS id, {average} AS took FROM {services} AS service WHERE service.visible"  # noqa: S608
    return (
        f"INSERT INTO {paces} (service_id, seconds, measured_at)"  # noqa: S608
        f" SELECT id, CAST(ROUND({greatest}(took, 0)) AS integer), %s FROM ({measured}) AS measured"
        " WHERE took IS NOT NULL"
        " ON CONFLICT (service_id) DO UPDATE SET seconds = excluded.seconds, measured_at = excluded.measured_at"
        f" WHERE {paces}.seconds <> excluded.seconds"
    )
