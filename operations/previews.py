"""A catalogue import in two steps: a list is fetched and kept, looked at, and applied exactly as it was shown.

Between the look and the click another import, a price or an operator may have changed what the list would do. So a
preview has a fingerprint over everything that was shown; applying makes the plan again under the import's own locks,
and takes it all back when it is not the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalog.fetching import fetch_listings
from catalog.importing import Change, ImportPlan, ImportResult, apply_import, plan_import
from catalog.texts import storable
from operations.models import ImportPreview
from providers.models import Provider
from providers.outcomes import Listings, ServiceListing
from records.audit import Actor


class NotAsShown(Exception):
    """The plan is another than the one that was shown; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A preview with the plan that comes of it now."""

    preview: ImportPreview
    plan: ImportPlan
    fingerprint: str


def fetch(*, provider: Provider, user: User, markup: Decimal | None, publish: bool) -> Shown:
    """Ask the provider for its list and keep it for this operator. Raises UpstreamTrouble."""
    listings = fetch_listings(provider)
    preview, _ = ImportPreview.objects.update_or_create(
        provider=provider,
        made_by=user,
        defaults={"made_at": timezone.now(), "listings": _packed(listings), "markup": markup, "publish": publish},
    )
    return show(preview)


def kept_for(*, provider: Provider, user: User) -> ImportPreview | None:
    """The operator's preview, while it is fresh enough to be applied."""
    since = timezone.now() - timedelta(minutes=settings.IMPORT_PREVIEW_MINUTES)
    ImportPreview.objects.filter(made_at__lt=since).delete()
    return ImportPreview.objects.filter(provider=provider, made_by=user).select_related("provider").first()


def show(preview: ImportPreview) -> Shown:
    """What applying this preview would do now."""
    plan = plan_import(preview.provider, _unpacked(preview.listings), markup=preview.markup)
    return Shown(preview, plan, fingerprint_of(plan))


def apply(
    preview: ImportPreview, *, fingerprint: str, confirmed: Collection[str], confirm_losses: bool, actor: Actor
) -> ImportResult:
    """Apply what was shown with this fingerprint. Raises NotAsShown or ImportRefused, with nothing changed."""
    shown = show(preview)
    if shown.fingerprint != fingerprint:
        raise NotAsShown
    with transaction.atomic():
        result = apply_import(
            shown.plan,
            actor=actor,
            markup=preview.markup,
            publish=preview.publish,
            confirmed=confirmed,
            confirm_losses=confirm_losses,
        )
        if fingerprint_of(result.plan) != fingerprint:
            raise NotAsShown  # somebody was faster by a moment: all of it is rolled back
        preview.delete()
    return result


def fingerprint_of(plan: ImportPlan) -> str:
    """The same for two plans that look the same."""
    seen = [plan.provider.pk, plan.refusal, plan.unchanged, [_seen(change) for change in plan.changes]]
    return hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()


def _seen(change: Change) -> list[Any]:
    fields = [(field.name, field.before, field.after) for field in change.fields]
    prices = [change.cost, change.price_before, change.price]
    doubts = [doubt.reason for doubt in change.doubts]
    return [change.movement, change.external_id, change.name, change.category, change.type, fields, prices, doubts]


def _packed(listings: Listings) -> dict[str, Any]:
    return {
        "services": [_packed_service(service) for service in listings.services],
        "unreadable": [storable(line) for line in listings.unreadable],
        "unreadable_ids": sorted(storable(each) for each in listings.unreadable_ids),
    }


def _packed_service(service: ServiceListing) -> dict[str, Any]:
    """As JSON that both databases take; the import itself drops the same characters."""
    fields = {name: storable(value) if isinstance(value, str) else value for name, value in asdict(service).items()}
    return {**fields, "rate": str(service.rate)}


def _unpacked(stored: dict[str, Any]) -> Listings:
    services = [ServiceListing(**{**each, "rate": Decimal(each["rate"])}) for each in stored["services"]]
    return Listings(services, list(stored["unreadable"]), frozenset(stored["unreadable_ids"]))
