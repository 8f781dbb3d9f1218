"""Providers for tests."""

from __future__ import annotations

from typing import Any

from ledger.accounts import open_provider_account
from providers.models import Provider

KEY = "k3y-thAt/must+never&be=seen"


def make_provider(url: str = "https://panel.example/api/v2", **changes: Any) -> Provider:
    """A stored provider that is open, in dollars and empty."""
    values: dict[str, Any] = {"name": "Acme", "url": url, "key": KEY, "currency": "USD", "deadline_seconds": 2}
    values |= changes
    return Provider.objects.create(account=open_provider_account(currency=values["currency"]), **values)


