"""The state of one request: how long it may take, how much it may read, and whether it began to write.

A connection finds the exchange it works for in a context variable, because requests and urllib3 have no way to hand a
value from the caller down to the socket.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


class DeadlinePassed(TimeoutError):
    """The whole request took longer than it may."""


class AnswerTooLarge(OSError):
    """The provider sends more than the cap."""


class StoppedBeforeWriting(Exception):
    """The caller's `before_write` raised: nothing was written."""


@dataclass(slots=True)
class Deadline:
    """A moment on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left, always above zero; raises DeadlinePassed when there are none."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise DeadlinePassed("the deadline of the request has passed")
        return seconds

    def sooner(self, seconds: float) -> Deadline:
        return Deadline(min(self.at, time.monotonic() + seconds))


@dataclass(slots=True)
class Exchange:
    """One request and its answer. `written` is the outcome boundary: false means that nothing of the request left us.
    """

    deadline: Deadline
    connect_seconds: float
    receive_cap: int  # bytes on the wire, head and body
    max_idle_seconds: float
    before_write: Callable[[], None] | None = field(default=None, repr=False)
    private_hosts: Sequence[str] | None = None  # None: those allowed for providers
    written: bool = False
    started: bool = False
    received: int = 0

    def start(self) -> None:
        """A second request in one exchange would be a silent retry."""
        assert not self.started, "a request is never repeated by the transport"
        self.started = True

    def begin_write(self) -> None:
        """Called before each piece of the request; the first is the boundary."""
        if self.written:
            return
        self.deadline.left()
        if self.before_write is not None:
            try:
                self.before_write()
            except Exception as error:
                raise StoppedBeforeWriting(type(error).__name__) from error
            self.deadline.left()  # the mark may have waited for the database: still nothing was written
        self.written = True

    def count(self, received: int) -> None:
        self.received += received
        if self.received > self.receive_cap:
            raise AnswerTooLarge("the answer is larger than the cap")


_current: ContextVar[Exchange] = ContextVar("provider_exchange")


def current_exchange() -> Exchange:
    return _current.get()


@contextmanager
def under_way(exchange: Exchange) -> Iterator[Exchange]:
    token = _current.set(exchange)
    try:
        yield exchange
    finally:
        _current.reset(token)
