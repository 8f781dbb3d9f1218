"""The named points at which a victim is killed, and how each is reached: by wrapping a function of the product.

`stage` is the piece of work that the victim does. A point comes by several times in one piece of work; the run's seed
chooses at which of its first `most` times the process dies.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from providers.client.sockets import PlainSocket
from providers.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the product's own code. `says` is for people; `core` points make the matrix that an hour holds."""

    stage: str
    says: str
    install: Callable[[Trap], None]
    most: int = 3
    core: bool = True


class Trap:
    """Counts how often its point comes by in this process, and kills the process at one of them."""

    def __init__(self, occurrence: int) -> None:
        self._left = occurrence
        self._lock = threading.Lock()

    def spring(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()


def after(where: str, when: Callable[[Any], bool] = bool) -> Callable[[Trap], None]:
    """Dies when the function named "module:function" has returned (something that counts)."""

    def install(trap: Trap) -> None:
        def wrapper(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            if when(result):
                trap.spring()
            return result

        _wrap(where, wrapper)

    return install


def before(where: str) -> Callable[[Trap], None]:
    """Dies when the function is called, before it does anything."""

    def install(trap: Trap) -> None:
        def wrapper(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            trap.spring()
            return function(*args, **kwargs)

        _wrap(where, wrapper)

    return install


def before_any(*places: str) -> Callable[[Trap], None]:
    """Dies at whichever of these functions is called."""

    def install(trap: Trap) -> None:
        for place in places:
            before(place)(trap)

    return install


def after_any(*places: str) -> Callable[[Trap], None]:
    """Dies when any of these functions has returned."""

    def install(trap: Trap) -> None:
        for place in places:
            after(place, always)(trap)

    return install


def always(result: object) -> bool:
    return True


def on_the_wire(action: str, method: str, *, at: int = 1) -> Callable[[Trap], None]:
    """Dies inside the socket, before the `at`th call of `method` while this action's request is under way."""

    def install(trap: Trap) -> None:
        here = threading.local()

        def request(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            here.calls = 0
            try:
                return function(*args, **kwargs)
            finally:
                here.calls = None

        def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            calls = getattr(here, "calls", None)
            if calls is not None:
                here.calls = calls + 1
                if here.calls == at:
                    trap.spring()
            return function(*args, **kwargs)

        _put(Upstream, action, request)
        _put(PlainSocket, method, call)

    return install


def _wrap(where: str, wrapper: Callable[..., Any]) -> None:
    module, _, name = where.partition(":")
    _put(importlib.import_module(module), name, wrapper)


def _put(owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, *args, **kwargs)

    setattr(owner, name, wrapped)


POINTS: dict[str, Point] = {
    "deposit:posted": Point(
        "deposit", "the money is posted, nothing is committed", after("accounts.deposits:post"), most=2
    ),
    "deposit:committed": Point(
        "deposit", "committed, nobody was told", after("torture.work:deposit"), most=2, core=False
    ),
    "place:charged": Point(
        "place",
        "orders inserted and the wallet charged, nothing is committed",
        after("orders.placing:post"),
        most=2,
        core=False,
    ),
    "place:committed": Point(
        "place", "committed, no worker was hinted", before("records.hints:_send"), most=2, core=False
    ),
    "submit:claimed": Point(
        "submit", "orders are claimed, none is marked", after("orders.submitting:claim"), most=2, core=False
    ),
    "submit:marked": Point(
        "submit", "the mark is committed, the first byte not yet written", after("orders.submitting:mark"), most=4
    ),
    "submit:half_written": Point(
        "submit", "the request's head is written, its body is not", on_the_wire("add", "sendall", at=2), most=4
    ),
    "submit:written": Point(
        "submit", "the request is written, the answer not read", on_the_wire("add", "recv_into"), most=4
    ),
    "submit:answered": Point(
        "submit", "the answer is read, nothing of it written", before("orders.submitting:write_outcome"), most=4
    ),
    "submit:writing_back": Point(
        "submit",
        "amid the transaction that writes the answer back",
        after_any("orders.outcomes:end_attempt", "orders.accepting:post", "orders.refusing:end_attempt"),
        most=5,
    ),
    "submit:written_back": Point(
        "submit",
        "the outcome is committed, the provider's queue not told",
        before_any("orders.outcomes:reset_unknowns", "orders.refusing:pause"),
        core=False,
    ),
    "sync:answered": Point("sync", "statuses are read, nothing is written", before("orders.syncing:take_in"), most=2),
    "settle:refunded": Point(
        "settle", "refunds have moved, nothing is committed", after("orders.settling:refund_all", always), most=2
    ),
    "settle:committed": Point(
        "settle",
        "the settlement is committed, the sweep is not at its end",
        after("orders.syncing:write_news"),
        most=1,
        core=False,
    ),
    "refill:marked": Point("refill", "marked, not yet asked for", after("orders.refilling:_mark"), most=1),
    "refill:written": Point("refill", "asked for, the answer not read", on_the_wire("refill", "recv_into"), most=1),
    "cancel:answered": Point(
        "cancel", "answered, nothing of it written", before("orders.cancelling:_write_answers"), most=1
    ),
    "cancel:refunded": Point(
        "cancel_free",
        "a cancel before sending: refunded, nothing is committed",
        after("orders.ending:refund_all", always),
        most=1,
    ),
}
