"""Whether this process lives, and whether it can serve: for whoever restarts it, and whoever sends it visitors.

Live asks nobody: a database that is down would not be mended by a restart. Ready asks the database, and says which part
failed by its name alone. Neither looks up who asks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

OK, FAILED, NONE = "ok", "failed", "none"
NEEDED = ("database", "migrations")  # orders are placed without a broker
BROKER_SECONDS = 1.0

log = logging.getLogger(__name__)


@never_cache
def live(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 or 503, and each part with "ok", "failed", or "none" where this panel has no such part."""
    parts = {"database": _tried(_database), "migrations": _tried(_migrations), "broker": _tried(_broker)}
    serves = all(parts[name] == OK for name in NEEDED)
    return JsonResponse({"status": OK if serves else FAILED, **parts}, status=200 if serves else 503)


def _tried(look: Callable[[], str]) -> str:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever it is, the part does not work; the log has its kind
        log.warning("Not ready: %s %s", look.__name__.strip("_"), type(error).__name__)
        return FAILED


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _migrations() -> str:
    return OK if _written() <= set(MigrationRecorder(connection).applied_migrations()) else FAILED


@cache
def _written() -> frozenset[tuple[str, str]]:
    """What the code of this process needs; reading it takes longer than all the rest."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _broker() -> str:
    if not settings.REDIS_URL:
        return NONE
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS
    ) as broker:
        broker.ping()
    return OK
