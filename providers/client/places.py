"""Places for requests under way: a counting semaphore whose places run out by themselves.

In Redis a sorted set a provider, a place its member, the end of its lease the score. One script does a taking, so
that no two workers see the same last place; the clock is the server's.
"""

from __future__ import annotations

import threading
import time
import uuid
from typing import Protocol, cast

from redis import ConnectionPool, Redis

WAITING_SECONDS = 2.0  # how long an order that found no place keeps reads from the last one, unless it asks again

TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local limit, lease, first, waiting = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not first and limit > 1 and redis.call('EXISTS', KEYS[2]) == 1 then
    limit = limit - 1
end
if redis.call('ZCARD', KEYS[1]) >= limit then
    if first then
        redis.call('SET', KEYS[2], '1', 'PX', waiting * 1000)
    end
    return 0
end
redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
if redis.call('PTTL', KEYS[1]) < lease * 1000 then
    redis.call('PEXPIRE', KEYS[1], math.ceil(lease * 1000) + 1000)
end
if first then
    redis.call('DEL', KEYS[2])
end
return 1
"""


class Places(Protocol):
    def take(self, provider: str, limit: int, lease_seconds: float, *, first: bool) -> str | None:
        """A token, or None when all places are taken."""

    def give_back(self, provider: str, token: str) -> None: ...

    def stop_waiting(self, provider: str) -> None:
        """An order gave up: reads may have the last place again."""


class RedisPlaces:
    """Places that all workers share."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._redis = Redis(connection_pool=pool)
        self._take = self._redis.register_script(TAKE)

    def take(self, provider: str, limit: int, lease_seconds: float, *, first: bool) -> str | None:
        token = uuid.uuid4().hex
        taken = self._take(
            keys=[_places(provider), _waiting(provider)],
            args=[token, limit, lease_seconds, int(first), WAITING_SECONDS],
        )
        return token if cast(int, taken) == 1 else None

    def give_back(self, provider: str, token: str) -> None:
        self._redis.zrem(_places(provider), token)

    def stop_waiting(self, provider: str) -> None:
        self._redis.delete(_waiting(provider))


class MemoryPlaces:
    """Places of this process. No lease is kept: what ends a thread's place here ends in its `finally`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[str, set[str]] = {}
        self._waiting_until: dict[str, float] = {}

    def take(self, provider: str, limit: int, lease_seconds: float, *, first: bool) -> str | None:
        with self._lock:
            now = time.monotonic()
            taken = self._taken.setdefault(provider, set())
            if not first and limit > 1 and self._waiting_until.get(provider, 0.0) > now:
                limit -= 1
            if len(taken) >= limit:
                if first:
                    self._waiting_until[provider] = now + WAITING_SECONDS
                return None
            if first:
                self._waiting_until.pop(provider, None)
            token = uuid.uuid4().hex
            taken.add(token)
            return token

    def give_back(self, provider: str, token: str) -> None:
        with self._lock:
            self._taken.get(provider, set()).discard(token)

    def stop_waiting(self, provider: str) -> None:
        with self._lock:
            self._waiting_until.pop(provider, None)


def _places(provider: str) -> str:
    return f"smmpanel:provider:{provider}:places"


def _waiting(provider: str) -> str:
    return f"smmpanel:provider:{provider}:waiting"
