"""Changing where a provider is reached and with what key: only after the provider itself has answered there."""

from __future__ import annotations

from operations.saving import save_row
from providers.models import Provider
from providers.registering import ask_balance, checked_url
from records.audit import Actor


def change_access(*, provider: Provider, url: str, key: str, actor: Actor, reason: str = "") -> list[str]:
    """Keep a new address or key (empty: the stored one stays); the names of what changed. Raises NotAdded.

    Asked before anything is written and outside any transaction: a provider may take its time.
    """
    fresh = Provider.objects.get(pk=provider.pk)
    new = {"url": checked_url(url), "key": key.strip() or fresh.key}
    changed = [name for name, value in new.items() if getattr(fresh, name) != value]
    for name in changed:
        setattr(fresh, name, new[name])
    if changed:
        ask_balance(fresh)
        save_row(fresh, changed=changed, actor=actor, action="provider.access", reason=reason)
    return changed
