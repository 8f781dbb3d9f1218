"""The Celery application, of which workers and the scheduler run.

A worker told to stop ends the turns of its jobs at once (they claim nothing more); Celery then waits for those that
run.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, bootsteps, signals

from smmpanel.broker import NO_BROKER
from smmpanel.environment import BadSetting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmpanel.settings")

app = Celery("smmpanel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["records"])


class ALostConnectionIsNoEnd(bootsteps.Step):
    """kombu clears a channel's connection while a message's acknowledgement may still be due. What that raises is an
    AttributeError, which Celery takes for a fault and ends the worker. It is a lost connection: connect anew.
    """

    def __init__(self, parent: Any, **_kwargs: Any) -> None:
        parent.connection_errors = (*parent.connection_errors, AttributeError)


app.steps["consumer"].add(ALostConnectionIsNoEnd)


@signals.setup_logging.connect
def _keep_our_logging(**_kwargs: Any) -> None:
    """Django has configured logging; a receiver here keeps Celery from doing it again."""


@signals.beat_init.connect
@signals.celeryd_init.connect
def _needs_broker(**_kwargs: Any) -> None:
    if app.conf.broker_url == NO_BROKER:
        problem = "is missing, and no panel runs in this data folder: a worker has nobody to listen to."
        raise BadSetting("REDIS_URL", problem)


@signals.worker_init.connect
def _begin(**_kwargs: Any) -> None:
    from records.jobs import resume_working
    from smmpanel.standby import stand_by

    resume_working()
    stand_by()  # from the start: the broker may be away already


@signals.task_prerun.connect
def _heard(**_kwargs: Any) -> None:
    from smmpanel.standby import heard

    heard()


@signals.worker_shutting_down.connect
def _stop_claiming(**_kwargs: Any) -> None:
    from records.jobs import stop_working

    stop_working()
