"""The customer's last API calls, for him and for the operator: what was asked and what was answered, never the key.

Kept beside the limits, in Redis, as a short list a customer: reading statuses must not cost a write to the database.
Without Redis, or while it does not answer, each process keeps its own. Nothing depends on it, so nothing here may fail
a call. The API writes it (`api.request_log`); the portal and the operator's pages read it.
"""

from __future__ import annotations

import functools
import json
import logging
import time
from collections import defaultdict, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from django.conf import settings
from redis import ConnectionPool, Redis, RedisError

from accounts.models import Customer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Logged:
    """One call as it is kept; `at` in seconds since the epoch."""

    at: int
    key: str  # its prefix
    action: str
    asked: str
    answer: str
    milliseconds: int

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    @property
    def failed(self) -> bool:
        return self.answer.startswith('{"error"')


def last_calls(customer: Customer) -> list[Logged]:
    """Newest first, at most API_LOGGED_CALLS."""
    if not _redis_is_near():
        return list(_own[customer.pk])
    try:
        lines = _redis(settings.REDIS_URL).lrange(_name(customer.pk), 0, settings.API_LOGGED_CALLS - 1)
    except RedisError as error:
        _do_without(error)
        return list(_own[customer.pk])
    return [Logged(**json.loads(line)) for line in lines]


def keep_call(customer_id: int, call: Logged) -> None:
    """One more at the head of the customer's list."""
    if not _redis_is_near():
        _own[customer_id].appendleft(call)
        return
    name = _name(customer_id)
    try:
        pipe = _redis(settings.REDIS_URL).pipeline(transaction=False)
        pipe.lpush(name, json.dumps(asdict(call), ensure_ascii=False))
        pipe.ltrim(name, 0, settings.API_LOGGED_CALLS - 1)
        pipe.expire(name, settings.API_LOGGED_DAYS * 24 * 3600)
        pipe.execute()
    except RedisError as error:
        _do_without(error)
        _own[customer_id].appendleft(call)


_own: defaultdict[int, deque[Logged]] = defaultdict(lambda: deque(maxlen=settings.API_LOGGED_CALLS))


_without_redis_until = 0.0  # monotonic


def _redis_is_near() -> bool:
    return bool(settings.REDIS_URL) and time.monotonic() >= _without_redis_until


def _do_without(error: Exception) -> None:
    """One call waits for a Redis that hangs; those of the next seconds are kept in this process."""
    global _without_redis_until
    log.warning("Redis does not answer (%s): each process keeps its own last calls for a while", type(error).__name__)
    _without_redis_until = time.monotonic() + settings.API_LIMITS_RETRY_SECONDS


def start_anew() -> None:
    """Forget what this process kept, and try Redis again (tests)."""
    global _without_redis_until
    _without_redis_until = 0.0
    _own.clear()


def _name(customer_id: int) -> str:
    return f"smmpanel:api-calls:{customer_id}"


@functools.lru_cache(maxsize=2)
def _redis(url: str) -> Redis:
    seconds = settings.API_LIMITS_REDIS_TIMEOUT_SECONDS
    pool = ConnectionPool.from_url(
        url.replace("redis+socket://", "unix://", 1), socket_timeout=seconds, socket_connect_timeout=seconds
    )
    return Redis(connection_pool=pool)
