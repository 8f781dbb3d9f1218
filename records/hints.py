"""Hints: "there is work", sent to the workers after the commit that made it.

A hint only saves time. What it misses a sweep finds, so nothing here may fail, wait long, or need a broker: a request
that placed an order has placed it whether or not anybody could be told.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import partial

from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)


class _Sent(set[tuple[str, str]]):
    """What the hints of one transaction have sent already; `closed` once the transaction is over."""

    closed = False


class _Here(threading.local):
    sent: _Sent | None = None


_here = _Here()
_silent_until = 0.0  # monotonic; after a failure nobody tries again for a while, so that requests do not wait in a row


def hint(name: str, scope: str = "") -> None:
    """After the commit, ask a worker to run the job soon; many hints of one transaction send one message."""
    if _here.sent is None or _here.sent.closed:
        _here.sent = _Sent()
    transaction.on_commit(partial(_send_once, _here.sent, name, scope))


def _send_once(sent: _Sent, name: str, scope: str) -> None:
    # each hint brings a callback of its own, so one of a savepoint that was rolled back silences no other
    sent.closed = True
    if (name, scope) not in sent:
        sent.add((name, scope))
        _send(name, scope)


def _send(name: str, scope: str) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        from records.tasks import send_hint  # Celery is loaded by those who send, not by everybody who may hint

        send_hint(name, scope)
    except Exception as error:  # noqa: BLE001 - whatever a broker can do wrong, the work itself is committed
        _silent_until = time.monotonic() + settings.HINT_SILENCE_SECONDS
        logger.warning(
            "No worker could be told about %s %s (%s). The next sweep finds the work; hints rest for %s s.",
            name,
            scope,
            type(error).__name__,
            settings.HINT_SILENCE_SECONDS,
        )
