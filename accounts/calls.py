"""The customer's last API calls, for him and for the operator: what was asked and what was answered, never the key.

Kept beside the limits, in Redis, as a short list a customer: reading statuses must not cost a write to the database.
Without Redis each process keeps its own. Nothing depends on it, so nothing here may fail a call. The API writes it
(`api.request_log`); the portal and the operator's pages read it.
"""

from __future__ import annotations

import functools
import json
import logging
from collections import defaultdict, deque
from contextlib import suppress
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
    if not settings.REDIS_URL:
        return list(_own[customer.pk])
    try:
        lines = _redis(settings.REDIS_URL).lrange(_name(customer.pk), 0, settings.API_LOGGED_CALLS - 1)
    except RedisError as error:
        log.warning("The calls of a customer cannot be read: %s", type(error).__name__)
        return []
    return [Logged(**json.loads(line)) for line in lines]


def keep_call(customer_id: int, call: Logged) -> None:
    """One more at the head of the customer's list."""
    if not settings.REDIS_URL:
        _own[customer_id].appendleft(call)
        return
    with suppress(RedisError):
        name = _name(customer_id)
        pipe = _redis(settings.REDIS_URL).pipeline(transaction=False)
        pipe.lpush(name, json.dumps(asdict(call), ensure_ascii=False))
        pipe.ltrim(name, 0, settings.API_LOGGED_CALLS - 1)
        pipe.expire(name, settings.API_LOGGED_DAYS * 24 * 3600)
        pipe.execute()


_own: defaultdict[int, deque[Logged]] = defaultdict(lambda: deque(maxlen=settings.API_LOGGED_CALLS))


def start_anew() -> None:
    """Forget what this process kept (tests)."""
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
