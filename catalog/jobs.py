"""The catalogue's background job: every active provider's list is taken in again, each provider on its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.conf import settings

from catalog.fetching import fetch_listings
from catalog.importing import ImportRefused, apply_import, plan_import
from catalog.notices import import_went_well, tell_of_refusal
from catalog.revisions import prune_revisions
from catalog.updates import prune_updates
from providers.models import Provider
from records.audit import SYSTEM
from records.jobs import Job, Turn


def providers_imported() -> Iterable[str]:
    """Active providers whose catalogue was imported once: the first import is the operator's decision."""
    ids = Provider.objects.filter(active=True, services__isnull=False).order_by("pk").values_list("pk", flat=True)
    return [str(pk) for pk in ids.distinct()]


def sync_catalogue(turn: Turn) -> Mapping[str, int]:
    """Take in one provider's list. New services stay hidden, great changes go off sale and to the attention list."""
    provider = Provider.objects.filter(pk=int(turn.scope), active=True).first()
    if provider is None:
        return {}
    listings = fetch_listings(provider)
    try:
        counts = apply_import(plan_import(provider, listings), actor=SYSTEM).counts()
    except ImportRefused as refused:
        tell_of_refusal(provider, str(refused))
        return {"refused": 1}
    import_went_well(provider)
    counts.pop("unchanged")  # what stayed as it was is no work done
    return {**counts, "unreadable": len(listings.unreadable)}


def forget(turn: Turn) -> Mapping[str, int]:
    """Old marks of the catalogue's state and old news: a price that moves a thousand times a day leaves a thousand."""
    return {"revisions": prune_revisions(), "updates": prune_updates()}


def pruning() -> Job:
    return Job(
        name="prune_catalogue",
        run=forget,
        every=timedelta(hours=1),
        summary="Delete old marks and news of changes to the catalogue.",
    )


def job() -> Job:
    return Job(
        name="sync_catalogue",
        run=sync_catalogue,
        every=timedelta(minutes=settings.CATALOGUE_SYNC_MINUTES),
        scopes=providers_imported,
        lease=timedelta(minutes=5),
        summary="Take in each provider's services, prices and limits.",
    )
