"""All the work of a panel's worker, one turn of each job."""

from __future__ import annotations

from records.jobs import job_named, run_job

JOBS = (
    "tidy_orders", "probe_providers", "run_series", "send_queued", "submit_orders", "send_cancels", "sync_new",
    "sync_fresh", "provider_balances", "reconcile", "send_refills", "refill_statuses",
)  # fmt: skip


def run_all() -> None:
    """Each job at every scope that the scheduler would run; one that fails is an error here."""
    for name in JOBS:
        for scope in job_named(name).scopes():
            run = run_job(name, scope)
            assert run is None or run.error == "", f"{name} {scope}: {run and run.error}"
