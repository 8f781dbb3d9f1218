"""What a worker does while it hears nothing: it looks for due work by itself.

Messages are hints, but somebody has to send them. A broker that is away, a scheduler that died, or a worker that did
not find back to the broker would leave orders lying until a person notices. So a worker that has had no message for
WORKER_SILENCE_SECONDS runs what is due, as `manage.py run_jobs` does, until it hears again. Leases and due times keep
several such workers, and a scheduler that is back, from doing anything twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.conf import settings
from django.db import connections

from records.jobs import all_jobs, is_stopping, run_job

STEP_SECONDS = 1.0
LANES = 4  # so that one slow provider delays no other here either

log = logging.getLogger(__name__)
_heard_at = time.monotonic()


def heard() -> None:
    """A message has come."""
    global _heard_at
    _heard_at = time.monotonic()


def is_silent() -> bool:
    """Whether no message has come for longer than the scheduler is ever quiet."""
    return time.monotonic() - _heard_at > settings.WORKER_SILENCE_SECONDS


def stand_by() -> threading.Thread:
    """Starts the watch, in a thread that ends with the process."""
    heard()
    watch = threading.Thread(target=_watch, name="standby", daemon=True)
    watch.start()
    return watch


def _watch() -> None:
    told = False
    while not is_stopping():
        time.sleep(STEP_SECONDS)
        if not is_silent():
            told = False
            continue
        if not told:
            log.warning("No message for a while: this worker looks for due work by itself.")
            told = True
        run_due()


def run_due() -> None:
    """One round over all jobs and scopes that are due, several at once; a round that fails is followed by the next."""
    with ThreadPoolExecutor(max_workers=LANES, thread_name_prefix="standby") as lanes:
        _quietly(lambda: _hand_out(lanes))


def _hand_out(lanes: ThreadPoolExecutor) -> None:
    for job in all_jobs():
        for scope in job.scopes():
            lanes.submit(_quietly, partial(_run, job.name, scope))


def _run(job: str, scope: str) -> None:
    if is_silent() and not is_stopping():
        run_job(job, scope, even_if_not_due=False)


def _quietly(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the database may be away as well: the next round tries again
        log.warning("Standing by, a job could not be run: %s", type(error).__name__)
    finally:
        connections.close_all()
