"""API keys: made, shown once, looked up, taken back.

A key is `smm_` + 8 characters that stay visible, so that people can tell keys apart, + `_` + 32 random ones (190 bits).
Only the SHA-256 of the whole is kept: against that many random bits nothing slower than one hash is needed. The lookup
goes by the hash through a unique index; how long it takes tells nothing, since nobody can steer a hash towards a row.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import ApiKey, Customer
from records.audit import Actor, actor_of, audit

_ALPHABET = string.ascii_letters + string.digits  # nothing that a form, a URL or a double click would break
_PREFIX_CHARS = 8
_SECRET_CHARS = 32


_A_KEY = re.compile(rf"(smm_[A-Za-z0-9]{{{_PREFIX_CHARS}}})_[A-Za-z0-9]{{{_SECRET_CHARS}}}")


def without_keys(text: str) -> str:
    """The text with every key in it cut to its prefix, wherever somebody put one."""
    return _A_KEY.sub(r"\1_…", text)


class KeyRefused(Exception):
    """No key was made; the message says why."""


def issue_key(
    customer: Customer,
    name: str = "API key",
    *,
    actor: Actor | None = None,
    expires_at: datetime | None = None,
    addresses: Sequence[str] = (),
    instead_of: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """A new key of the customer, and its text, which is shown now and never again. Raises KeyRefused at the limit.

    `instead_of` is a key that the new one follows: its addresses go on, and it does not count towards the limit.
    """
    prefix = f"smm_{_random(_PREFIX_CHARS)}"
    text = f"{prefix}_{_random(_SECRET_CHARS)}"
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)  # two at once must not both find the last place free
        if _open_keys(customer, but=instead_of) >= settings.API_KEYS_PER_CUSTOMER:
            most = settings.API_KEYS_PER_CUSTOMER
            words = ngettext(
                "You have %(most)s key already. Revoke one first.",
                "You have %(most)s keys already. Revoke one first.",
                most,
            )
            raise KeyRefused(words % {"most": most})
        key = ApiKey.objects.create(
            customer=customer,
            name=name.strip()[:60] or "API key",
            prefix=prefix,
            digest=digest_of(text),
            expires_at=expires_at,
            addresses=list(instead_of.addresses if instead_of is not None else addresses),
        )
        after = {"name": key.name, "prefix": prefix}
        audit(actor=actor or actor_of(customer.user), action="issue_key", target=key, after=after)
    return key, text


def _open_keys(customer: Customer, *, but: ApiKey | None) -> int:
    keys = customer.api_keys.filter(revoked_at__isnull=True)
    keys = keys.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()))
    return (keys.exclude(pk=but.pk) if but is not None else keys).count()


def revoke_key(key: ApiKey, *, actor: Actor, reason: str = "") -> bool:
    """From now on the key opens nothing; False when it was revoked before."""
    with transaction.atomic():
        now = timezone.now()
        if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now) != 1:
            return False
        told = {"revoked_at": None}, {"revoked_at": now, "prefix": key.prefix}
        audit(actor=actor, action="revoke_key", target=key, reason=reason, before=told[0], after=told[1])
    return True


@dataclass(frozen=True, slots=True)
class Opened:
    """What a key opened: the customer, with user and wallet, and the key's own row."""

    customer: Customer
    key: ApiKey


def open_with(text: str, *, address: str) -> Opened | None:
    """Whose key this is, in one query; None for a wrong, revoked or expired key, a closed account, or an address that
    is not among the key's own.
    """
    key = (
        ApiKey.objects.select_related("customer__user", "customer__wallet")
        .filter(digest=digest_of(text), revoked_at__isnull=True, customer__user__is_active=True)
        .first()
    )
    if key is None or (key.expires_at is not None and key.expires_at <= timezone.now()):
        return None
    if key.addresses and not _is_among(address, key.addresses):
        return None
    _note_use(key)
    return Opened(key.customer, key)


def rotate_key(key: ApiKey, *, actor: Actor, overlap: timedelta) -> tuple[ApiKey, str]:
    """A new key of the same name, addresses and length of life; the old one opens for `overlap` more. Raises
    KeyRefused, also where it was revoked meanwhile.
    """
    with transaction.atomic():
        now = timezone.now()
        old = ApiKey.objects.select_for_update().get(pk=key.pk)
        if old.revoked_at is not None:
            raise KeyRefused(_("This key was revoked. Make a new one."))
        expires_at = None if old.expires_at is None else _as_long(old, now)
        fresh, text = issue_key(key.customer, old.name, actor=actor, expires_at=expires_at, instead_of=old)
        until = now + overlap
        ending = ApiKey.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=until), pk=old.pk)
        ending.update(expires_at=until)
        audit(actor=actor, action="rotate_key", target=old, after={"expires_at": until, "new": fresh.prefix})
    return fresh, text


def _as_long(old: ApiKey, now: datetime) -> datetime | None:
    """The end of a life as long as the old key's; the old key's own end where no calendar goes that far."""
    assert old.expires_at is not None
    try:
        return now + (old.expires_at - old.created_at)
    except OverflowError:
        return old.expires_at


def read_addresses(text: str) -> list[str]:
    """The addresses and networks of a field, by lines or commas, as they are kept. Raises KeyRefused."""
    found = [part for part in re.split(r"[\s,]+", text) if part]
    if len(found) > settings.API_KEY_ADDRESSES:
        most = settings.API_KEY_ADDRESSES
        raise KeyRefused(ngettext("At most %(most)s address.", "At most %(most)s addresses.", most) % {"most": most})
    return [_network(part) for part in found]


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        raise KeyRefused(_("That is no address or network: %(text)s.") % {"text": text[:50]}) from error


def _is_among(address: str, networks: Sequence[str]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ip_network(network) for network in networks)


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
    return "".join(secrets.choice(_ALPHABET) for _place in range(length))
