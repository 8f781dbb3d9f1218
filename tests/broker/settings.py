"""The panel's settings in the processes of these tests: as they are, but for times that no test can wait for."""

from __future__ import annotations

from smmpanel.settings import *  # noqa: F403

HINT_SILENCE_SECONDS = 1.0
JOB_BUDGET_SECONDS = 5.0
WORKER_SILENCE_SECONDS = 5.0
ORDER_CLAIM_SECONDS = 4.0
ORDER_LEASE_MARGIN_SECONDS = 1.0
ORDER_RETRY_FIRST_SECONDS = 0.05
ORDER_RETRY_LONGEST_SECONDS = 1.0
RECONCILE_SETTLING_SECONDS = 2.0
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
