"""How many requests a provider gets, from all workers together.

Two limits: requests in any 60 seconds (a moving window of the `limits` library) and requests under way at once
(places, each with a lease, so that a killed worker's place comes back). Both live in Redis, where all workers see
them; without Redis, or while it is out of reach, in this process, where they hold for this process alone.

Orders go before questions: a read may use PROVIDER_READ_SHARE_PERCENT of the rate, and leaves one place free while an
order waits for one. With a single place both take turns as they come.
"""

from __future__ import annotations

import functools
import logging
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool, RedisError

from providers.client.places import MemoryPlaces, Places, RedisPlaces

log = logging.getLogger(__name__)
SLOWEST_POLL_SECONDS = 0.25


class NoPlace(Exception):
    """The provider's limit left no place within the patience; `retry_after` is when to ask again, in seconds."""

    def __init__(self, limit: str, retry_after: float) -> None:
        super().__init__(f"the provider's limit of {limit} left no place")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Limit:
    """A provider's limits, and how long one request may hold its place."""

    provider: str
    requests_per_minute: int
    concurrency: int
    lease_seconds: float

    @property
    def reads_per_minute(self) -> int:
        return max(1, self.requests_per_minute * int(settings.PROVIDER_READ_SHARE_PERCENT) // 100)


@contextmanager
def place(limit: Limit, *, first: bool, patience_seconds: float) -> Iterator[None]:
    """Hold one of the provider's places. `first`: an order, which goes before reads. Raises NoPlace."""
    store, token = _wait(limit, first=first, until=time.monotonic() + patience_seconds)
    try:
        yield
    finally:
        store.give_back(limit, token)


def _wait(limit: Limit, *, first: bool, until: float) -> tuple[Store, str]:
    pause = 0.01
    while True:
        store = _store()
        try:
            return _take(store, limit, first=first)
        except NoPlace as full:
            left = until - time.monotonic()
            if left <= 0 or full.retry_after > left:
                store.stop_waiting(limit, first=first)
                raise
            time.sleep(min(left, max(full.retry_after, pause * random.uniform(0.5, 1.5))))  # noqa: S311
            pause = min(pause * 1.5, SLOWEST_POLL_SECONDS)


def _take(store: Store, limit: Limit, *, first: bool) -> tuple[Store, str]:
    try:
        return store, store.take(limit, first=first)
    except RedisError as error:
        _fall_back(error)
        return _memory_store(), _memory_store().take(limit, first=first)


class Store:
    """Where the counts are kept."""

    def __init__(self, storage: MemoryStorage | RedisStorage, places: Places) -> None:
        self._window = MovingWindowRateLimiter(storage)
        self._places = places

    def take(self, limit: Limit, *, first: bool) -> str:
        """A place's token. The place comes before the rate, because a place can be given back and a hit cannot."""
        token = self._places.take(limit.provider, limit.concurrency, limit.lease_seconds, first=first)
        if token is None:
            raise NoPlace("requests at once", 0.0)
        try:
            self._hit(limit, first=first)
        except BaseException:
            self._places.give_back(limit.provider, token)
            raise
        return token

    def give_back(self, limit: Limit, token: str) -> None:
        try:
            self._places.give_back(limit.provider, token)
        except RedisError as error:  # its lease gives it back
            _fall_back(error)

    def stop_waiting(self, limit: Limit, *, first: bool) -> None:
        if first:
            try:
                self._places.stop_waiting(limit.provider)
            except RedisError as error:  # the mark runs out by itself
                _fall_back(error)

    def _hit(self, limit: Limit, *, first: bool) -> None:
        everything = RateLimitItemPerMinute(limit.requests_per_minute, namespace="provider")
        reads = RateLimitItemPerMinute(limit.reads_per_minute, namespace="provider-reads")
        if not first:
            if not self._window.test(everything, limit.provider):
                raise self._full(everything, limit)
            if not self._window.hit(reads, limit.provider):
                raise self._full(reads, limit)
        if not self._window.hit(everything, limit.provider):
            raise self._full(everything, limit)

    def _full(self, item: RateLimitItemPerMinute, limit: Limit) -> NoPlace:
        opens_at = self._window.get_window_stats(item, limit.provider).reset_time
        return NoPlace("requests a minute", max(0.05, opens_at - time.time()))


@functools.cache
def _memory_store() -> Store:
    return Store(MemoryStorage(), MemoryPlaces())


@functools.lru_cache(maxsize=2)
def _redis_store(url: str) -> Store:
    seconds = settings.PROVIDER_LIMITS_REDIS_TIMEOUT_SECONDS
    pool = ConnectionPool.from_url(
        url.replace("redis+socket://", "unix://", 1), socket_timeout=seconds, socket_connect_timeout=seconds
    )
    storage = RedisStorage("redis://", connection_pool=pool, key_prefix="smmpanel")
    return Store(storage, RedisPlaces(pool))


_without_redis_until = 0.0


def _store() -> Store:
    if not settings.REDIS_URL or time.monotonic() < _without_redis_until:
        return _memory_store()
    try:
        return _redis_store(settings.REDIS_URL)
    except (RedisError, OSError) as error:
        _fall_back(error)
        return _memory_store()


def _fall_back(error: Exception) -> None:
    """Count in this process for a while; said once each time Redis goes."""
    global _without_redis_until
    if time.monotonic() >= _without_redis_until:
        log.warning(
            "Redis does not answer (%s): the providers' limits hold in each process alone for %d seconds",
            type(error).__name__,
            settings.PROVIDER_LIMITS_RETRY_SECONDS,
        )
    _without_redis_until = time.monotonic() + settings.PROVIDER_LIMITS_RETRY_SECONDS


def start_anew() -> None:
    """Forget the counts of this process and try Redis again."""
    global _without_redis_until
    _without_redis_until = 0.0
    _memory_store.cache_clear()
    _redis_store.cache_clear()


os.register_at_fork(after_in_child=start_anew)  # a forked worker has no share in its parent's requests
