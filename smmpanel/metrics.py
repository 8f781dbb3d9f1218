"""What a Prometheus reads at /metrics: made from the database when it is asked, so that it is one truth for all
processes of a panel. A fixed number of queries, along indexes of what is live; nothing of customers.

A count stops at METRICS_COUNTED: more is an alarm all the same, and a scrape must stay cheap.
"""

from __future__ import annotations

import hmac
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from callbacks.claiming import OPEN
from callbacks.models import CallbackMessage
from orders.models import Attempt, Order, State
from providers.models import Provider
from records.attention import open_by_cause
from records.models import JobRun, Lease
from smmpanel.version import version

TYPE = "text/plain; version=0.0.4; charset=utf-8"
LIVE = tuple(state for state in State if state != State.ENDED)
JOB = "job:"


@dataclass(frozen=True, slots=True)
class Metric:
    """One gauge: its name without the panel's prefix, what it is, and its values by their labels."""

    name: str
    help: str
    values: Sequence[tuple[Mapping[str, str], float]]

    def lines(self) -> Iterator[str]:
        yield f"# HELP smmpanel_{self.name} {self.help}"
        yield f"# TYPE smmpanel_{self.name} gauge"
        for labels, value in self.values:
            inner = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            yield f"smmpanel_{self.name}{{{inner}}} {value:.15g}" if inner else f"smmpanel_{self.name} {value:.15g}"


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has METRICS_TOKEN, as `Authorization: Bearer …`; without such a setting there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse("A token is needed.\n", TYPE, status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition(), TYPE)


def exposition() -> str:
    """All metrics in Prometheus' text format."""
    started = time.monotonic()
    found = [_info(), *_orders(), *_jobs(), *_providers(), _callbacks(), _attention()]
    took = Metric("scrape_seconds", "How long it took to make this answer.", [({}, time.monotonic() - started)])
    return "\n".join(line for metric in [*found, took] for line in metric.lines()) + "\n"


def _info() -> Metric:
    labels = {
        "version": version(),
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": connection.vendor,
    }
    return Metric("info", "Versions; always 1.", [(labels, 1)])


def _orders() -> Iterator[Metric]:
    """Each state is a question of its own, which its own index answers; together they are one query."""
    table = connection.ops.quote_name(Order._meta.db_table)
    one = (
        f"SELECT %s, count(*), min(not_before) FROM (SELECT not_before FROM {table} WHERE state = '{{state}}'"  # noqa: S608
        " LIMIT %s) AS counted"
    )
    statement = " UNION ALL ".join(one.format(state=state.value) for state in LIVE)
    with connection.cursor() as cursor:
        cursor.execute(statement, [word for state in LIVE for word in (state.value, settings.METRICS_COUNTED)])
        rows = cursor.fetchall()
    yield Metric("orders", "Orders that have not ended, by state.", [({"state": str(row[0])}, row[1]) for row in rows])
    oldest = next((_moment(row[2]) for row in rows if row[0] == State.WAITING), None)
    age = max(0.0, _age(oldest)) if oldest else 0.0
    yield Metric("orders_waiting_oldest_seconds", "For how long the oldest waiting order has been due.", [({}, age)])


def _jobs() -> Iterator[Metric]:
    """By the leases it is known which jobs ran at which scopes; the newest runs of each are found by their index."""
    names = Lease.objects.filter(name__startswith=JOB).order_by("-started_at").values_list("name", flat=True)
    pairs = [name.removeprefix(JOB).split(":", 1) for name in names[: settings.METRICS_JOB_SCOPES]]
    succeeded: dict[str, datetime] = {}
    failing: dict[str, int] = {}
    for job, success, failed in _newest_runs(pairs) if pairs else ():
        failing[job] = failing.get(job, 0) + bool(failed)
        at = _moment(success)
        if at is not None:
            succeeded[job] = max(at, succeeded.get(job, at))
    ages = [({"job": job}, _age(at)) for job, at in sorted(succeeded.items())]
    yield Metric("job_last_success_age_seconds", "Since a job last went well, at any of its scopes.", ages)
    counts = [({"job": job}, number) for job, number in sorted(failing.items())]
    yield Metric("job_failing_scopes", "At how many scopes a job's last run failed.", counts)
    verified = succeeded.get("verify_books")
    books: list[tuple[Mapping[str, str], float]] = [({}, verified.timestamp())] if verified else []
    yield Metric("books_verified_timestamp_seconds", "When the books were last found to agree.", books)


def _newest_runs(pairs: list[list[str]]) -> list[Any]:
    table = connection.ops.quote_name(JobRun._meta.db_table)
    of_pair = f"FROM {table} WHERE job = pair.job AND scope = pair.scope AND finished_at IS NOT NULL"
    statement = (
        f"WITH pair(job, scope) AS (VALUES {', '.join(['(%s, %s)'] * len(pairs))}) SELECT pair.job,"  # noqa: S608
        f" (SELECT finished_at {of_pair} AND error = '' ORDER BY id DESC LIMIT 1),"
        f" (SELECT error <> '' {of_pair} ORDER BY id DESC LIMIT 1) FROM pair"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [word for pair in pairs for word in pair])
        return list(cursor.fetchall())


def _providers() -> Iterator[Metric]:
    rows = list(_with_last_add(Provider.objects.order_by("pk")[: settings.METRICS_PROVIDERS]))

    def values(of: Iterable[tuple[Provider, float | None]], **more: str) -> list[tuple[Mapping[str, str], float]]:
        return [({"provider": row.name, **more}, float(value)) for row, value in of if value is not None]

    yield Metric("provider_active", "Whether a provider gets orders at all.", values((row, row.active) for row in rows))
    queues = [
        ({"provider": row.name, "queue": queue.value}, float(row.queue == queue))
        for row in rows
        for queue in Provider.Queue
    ]
    yield Metric("provider_queue", "1 at the state that a provider's queue is in.", queues)
    yield Metric(
        "provider_balance",
        "What a provider last said it holds, in its own currency.",
        [
            ({"provider": row.name, "currency": row.currency}, float(row.balance))
            for row in rows
            if row.balance is not None
        ],
    )
    asked = values((row, _age(row.balance_at) if row.balance_at else None) for row in rows)
    yield Metric("provider_balance_age_seconds", "Since a provider last told its balance.", asked)
    unknowns = values((row, row.unknowns_in_a_row) for row in rows)
    yield Metric("provider_unknowns_in_a_row", "Orders in a row without a clear answer.", unknowns)
    took = values((row, _took(row)) for row in rows)
    yield Metric("provider_last_add_seconds", "How long a provider took for the last order it accepted.", took)


def _with_last_add(providers: QuerySet[Provider]) -> QuerySet[Provider]:
    last = Attempt.objects.filter(provider=OuterRef("pk"), outcome=Attempt.Outcome.ACCEPTED).order_by("-ended_at")
    return providers.annotate(
        add_began=Subquery(last.values("began_at")[:1]), add_ended=Subquery(last.values("ended_at")[:1])
    )


def _took(provider: Any) -> float | None:
    if provider.add_began is None or provider.add_ended is None:
        return None
    return float((provider.add_ended - provider.add_began).total_seconds())


def _callbacks() -> Metric:
    due = CallbackMessage.objects.filter(OPEN, next_try_at__lte=timezone.now()).order_by()
    number = due[: settings.METRICS_COUNTED].count()
    return Metric("callbacks_due", "Callback messages that are due now.", [({}, number)])


def _attention() -> Metric:
    causes: dict[str, int] = {}
    for group in open_by_cause():
        causes[group.cause] = causes.get(group.cause, 0) + group.items
    return Metric(
        "attention_open", "What needs a person, by cause.", [({"cause": name}, causes[name]) for name in sorted(causes)]
    )


def _moment(value: Any) -> datetime | None:
    """SQLite answers a statement of our own with text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is None:
        return None
    moment: datetime = value
    return moment if moment.tzinfo is not None else timezone.make_aware(moment, timezone.get_fixed_timezone(0))


def _age(at: datetime) -> float:
    return (timezone.now() - at).total_seconds()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
