"""Asks a provider for its list. One place, so that pages, commands and the job ask alike."""

from __future__ import annotations

from providers.models import Provider
from providers.outcomes import Listings
from providers.upstream import Upstream


def fetch_listings(provider: Provider) -> Listings:
    """The provider's catalogue as it is now. Raises UpstreamTrouble. Never call it inside a transaction."""
    return Upstream(provider).services()
