"""How many calls a minute: counted in Redis, where all web processes see them.

A fixed window of a minute, one round trip a call. Without a Redis, or while it is out of reach, each process counts for
itself.
"""

from __future__ import annotations

import functools
import logging
import math
import time

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import ConnectionPool, RedisError

log = logging.getLogger(__name__)
_without_redis_until = 0.0  # monotonic


def seconds_to_wait(name: str, *, a_minute: int) -> int | None:
    """Counts one call under this name; None where it is within the limit, else the seconds until the next window."""
    limit = RateLimitItemPerMinute(a_minute, namespace="api")
    counter = _counter()
    try:
        return _hit(counter, limit, name)
    except RedisError as error:
        _fall_back(error)
        return _hit(_in_memory(), limit, name)


def _hit(counter: FixedWindowRateLimiter, limit: RateLimitItemPerMinute, name: str) -> int | None:
    if counter.hit(limit, name):
        return None
    opens_at = counter.get_window_stats(limit, name).reset_time
    return max(1, math.ceil(opens_at - time.time()))


def _counter() -> FixedWindowRateLimiter:
    if not settings.REDIS_URL or time.monotonic() < _without_redis_until:
        return _in_memory()
    return _in_redis(settings.REDIS_URL)


@functools.cache
def _in_memory() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())


@functools.lru_cache(maxsize=2)
def _in_redis(url: str) -> FixedWindowRateLimiter:
    seconds = settings.API_LIMITS_REDIS_TIMEOUT_SECONDS
    pool = ConnectionPool.from_url(
        url.replace("redis+socket://", "unix://", 1), socket_timeout=seconds, socket_connect_timeout=seconds
    )
    return FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix="smmpanel"))


def _fall_back(error: Exception) -> None:
    """Count in this process for a while; said once each time Redis goes."""
    global _without_redis_until
    if time.monotonic() >= _without_redis_until:
        log.warning(
            "Redis does not answer (%s): API limits hold in each process alone for a while", type(error).__name__
        )
    _without_redis_until = time.monotonic() + settings.API_LIMITS_RETRY_SECONDS


def start_anew() -> None:
    """Forget the counts of this process and try Redis again (tests)."""
    global _without_redis_until
    _without_redis_until = 0.0
    _in_memory.cache_clear()
    _in_redis.cache_clear()
