"""The panel's Celery application with its times scaled, so that a minute of sweeps passes in five seconds, and with
the jobs alone that an order needs: a message is dropped when its interval is over, and scaled intervals are short.

What a worker or a scheduler of these tests loads: `celery -A tests.broker.scaled`. With DELIVERIES every message is put
into the broker's queue so many times.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import django
from kombu.transport.redis import Channel

from records import registry
from smmpanel.celery import app

SCALE = 12  # times as often as in the panel
NEEDED = {"submit_orders", "sync_new", "tidy_orders", "reconcile", "probe_providers"}

__all__ = ["app", "deliver"]


def deliver(times: int, put: Any = Channel._put) -> Any:
    """The way a message takes into the queue, `times` times."""

    def put_often(self: Channel, queue: str, message: Any, **options: Any) -> None:
        for _ in range(times):
            put(self, queue, message, **options)

    return put_often


def _scale_jobs() -> None:
    for job in registry.all_jobs():
        registry.unregister(job.name)
        if job.name in NEEDED:
            registry.register(replace(job, every=job.every / SCALE, lease=job.lease / SCALE))


Channel._put = deliver(int(os.environ.get("DELIVERIES", "1")))  # type: ignore[method-assign]
if os.environ.get("DJANGO_SETTINGS_MODULE") == "tests.broker.settings":  # not where a test borrows `deliver`
    django.setup()
    _scale_jobs()
