"""API keys: made, shown once, looked up, taken back.

A key is `smm_` + 8 characters that stay visible, so that people can tell keys apart, + `_` + 32 random ones (190 bits).
Only the SHA-256 of the whole is kept: against that many random bits nothing slower than one hash is needed. The lookup
goes by the hash through a unique index; how long it takes tells nothing, since nobody can steer a hash towards a row.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, Customer
from records.audit import Actor, actor_of, audit

_ALPHABET = string.ascii_letters + string.digits  # nothing that a form, a URL or a double click would break
_PREFIX_CHARS = 8
_SECRET_CHARS = 32


class KeyRefused(Exception):
    """No key was made; the message says why."""


def issue_key(customer: Customer, name: str = "API key", *, actor: Actor | None = None) -> tuple[ApiKey, str]:
    """A new key of the customer, and its text, which is shown now and never again. Raises KeyRefused at the limit."""
    prefix = f"smm_{_random(_PREFIX_CHARS)}"
    text = f"{prefix}_{_random(_SECRET_CHARS)}"
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)  # two at once must not both find the last place free
        if customer.api_keys.filter(revoked_at__isnull=True).count() >= settings.API_KEYS_PER_CUSTOMER:
            raise KeyRefused(f"You have {settings.API_KEYS_PER_CUSTOMER} keys already. Revoke one first.")
        key = ApiKey.objects.create(
            customer=customer, name=name.strip()[:60] or "API key", prefix=prefix, digest=digest_of(text)
        )
        after = {"name": key.name, "prefix": prefix}
        audit(actor=actor or actor_of(customer.user), action="issue_key", target=key, after=after)
    return key, text


def revoke_key(key: ApiKey, *, actor: Actor, reason: str = "") -> bool:
    """From now on the key opens nothing; False when it was revoked before."""
    with transaction.atomic():
        now = timezone.now()
        if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now) != 1:
            return False
        after = {"revoked_at": now, "prefix": key.prefix}
        audit(actor=actor, action="revoke_key", target=key, reason=reason, after=after)
    return True


def customer_for_key(text: str) -> Customer | None:
    """Whose key this is, wallet and user loaded, in one query; None for a wrong or revoked key or a closed account."""
    key = (
        ApiKey.objects.select_related("customer__user", "customer__wallet")
        .filter(digest=digest_of(text), revoked_at__isnull=True, customer__user__is_active=True)
        .first()
    )
    if key is None:
        return None
    _note_use(key)
    return key.customer


def digest_of(text: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(text.strip().encode("utf-8", "replace")).hexdigest()


def _note_use(key: ApiKey) -> None:
    """Scripts call many times a second: one write a minute says enough, and of many at once one writes."""
    now = timezone.now()
    lately = now - timedelta(seconds=settings.API_KEY_LAST_USED_SECONDS)
    if key.last_used_at is None or key.last_used_at < lately:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=lately)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
