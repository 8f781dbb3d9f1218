"""The background jobs of orders: each a verb of this room, how often it runs, and for which providers.

Scopes are providers, so that a slow one delays no other; a status sweep is a job of its own for each age of orders.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.db.models import Exists, OuterRef

from orders.asking_again import ask_again
from orders.cancelling import send_cancels
from orders.mass import place_mass_orders
from orders.models import Order, State
from orders.paces import job as pace_job
from orders.reconciling import reconcile
from orders.refilling import refill_statuses, send_refills
from orders.same_link import send_queued
from orders.series import run_series
from orders.submitting import submit_orders
from orders.syncing import bands, sync_band
from orders.tidying import tidy_orders
from providers.models import Provider
from records.jobs import Job, register


def active_providers() -> Iterable[str]:
    """The ids of the providers that get orders."""
    return [str(pk) for pk in Provider.objects.filter(active=True).order_by("pk").values_list("pk", flat=True)]


def all_providers() -> Iterable[str]:
    """The ids of all providers: what they took is followed to its end, also where they get no more orders."""
    return [str(pk) for pk in Provider.objects.order_by("pk").values_list("pk", flat=True)]


def providers_with(state: State) -> Iterable[str]:
    """The providers that have orders in this state."""
    orders = Order.objects.filter(provider=OuterRef("pk"), state=state)
    found = Provider.objects.filter(Exists(orders))
    return [str(pk) for pk in found.order_by("pk").values_list("pk", flat=True)]


def register_jobs() -> None:
    """Called once, when the application is ready."""
    minute = timedelta(minutes=1)
    for job in (
        Job(
            name="submit_orders",
            run=submit_orders,
            every=minute,
            scopes=active_providers,
            lease=minute,  # short: orders wait for it when a worker has died
            summary="Send waiting orders.",
        ),
        Job(name="place_mass_orders", run=place_mass_orders, every=minute, summary="Go on placing customers' lists."),
        Job(name="run_series", run=run_series, every=minute, summary="Begin the runs of drip-feeds that are due."),
        Job(name="send_queued", run=send_queued, every=minute, summary="Let go whose link is free."),
        Job(name="send_cancels", run=send_cancels, every=minute, scopes=all_providers, summary="Forward cancels."),
        Job(name="send_refills", run=send_refills, every=minute, scopes=all_providers, summary="Ask for refills."),
        Job(
            name="refill_statuses",
            run=refill_statuses,
            every=5 * minute,
            scopes=all_providers,
            summary="Ask what became of refills.",
        ),
        Job(
            name="reconcile",
            run=reconcile,
            every=5 * minute,
            scopes=partial(providers_with, State.UNKNOWN),
            summary="Find out whether unknown orders exist upstream.",
        ),
        Job(
            name="ask_again",
            run=ask_again,
            every=60 * minute,
            scopes=all_providers,
            summary="Ask for ended orders again.",
        ),
        Job(name="tidy_orders", run=tidy_orders, every=minute, summary="Take up what was left lying."),
        pace_job(),
    ):
        register(job)
    for band in bands():
        register(
            Job(
                name=f"sync_{band.name}",
                run=partial(sync_band, band),
                every=band.every,
                scopes=partial(providers_with, State.ACCEPTED),
                summary=f"Ask for the status of {band.name} orders.",
            )
        )
