"""A customer's addresses: added, given a new secret, switched on again, removed; each in one audited transaction."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Customer
from callbacks.checking import AddressNotTaken, checked_url
from callbacks.models import CallbackAddress
from callbacks.signing import new_secret
from records.audit import SYSTEM, Actor, audit


def add_address(*, customer: Customer, url: str, actor: Actor) -> tuple[CallbackAddress, str]:
    """A new address, and its secret, which is shown now and never again. Raises AddressNotTaken."""
    clean, secret = checked_url(url), new_secret()  # a name is looked up: not inside the transaction
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)  # two at once must not both find the last place free
        kept = list(addresses_of(customer))
        if any(each.url == clean for each in kept):
            raise AddressNotTaken(_("You have this address already. Nothing was changed."))
        if len(kept) >= settings.CALLBACK_ADDRESSES_PER_CUSTOMER:
            most = settings.CALLBACK_ADDRESSES_PER_CUSTOMER
            words = ngettext(
                "You have %(most)s address already: remove it first. Nothing was changed.",
                "You have %(most)s addresses already: remove one first. Nothing was changed.",
                most,
            )
            raise AddressNotTaken(words % {"most": most})
        address = CallbackAddress.objects.create(customer=customer, url=clean, secret=secret)
        audit(actor=actor, action="callback.add", target=address, after={"url": address.shown})
    return address, secret


def remove_address(*, address: CallbackAddress, actor: Actor) -> bool:
    """Nothing is sent there any more; its messages stay to be looked at. False when it was removed before."""
    with transaction.atomic():
        now = timezone.now()
        if _kept(address).update(removed_at=now, active=False) != 1:
            return False
        audit(actor=actor, action="callback.remove", target=address, after={"url": address.shown, "removed_at": now})
    return True


def rotate_secret(*, address: CallbackAddress, actor: Actor) -> str:
    """A new secret, shown once. For CALLBACK_SECRET_OVERLAP_HOURS messages are signed with both, so that the receiver
    may change over in between. Raises AddressNotTaken.
    """
    secret = new_secret()
    with transaction.atomic():
        fresh = _kept(address).select_for_update().first()
        if fresh is None:
            raise AddressNotTaken(_("This address was removed. Nothing was changed."))
        until = timezone.now() + timedelta(hours=settings.CALLBACK_SECRET_OVERLAP_HOURS)
        _kept(address).update(secret=secret, old_secret=fresh.secret, old_secret_until=until)
        audit(actor=actor, action="callback.rotate", target=address, after={"url": address.shown, "both until": until})
    return secret


def switch_on(*, address: CallbackAddress, actor: Actor) -> bool:
    """An address that was switched off is told again; False when it was on, or is removed."""
    with transaction.atomic():
        off = _kept(address).filter(active=False)
        if off.update(active=True, off_reason="", failures=0, not_before=None) != 1:
            return False
        audit(actor=actor, action="callback.switch_on", target=address, after={"url": address.shown})
    return True


def switch_off(address: CallbackAddress, why: str) -> bool:
    """The receiver wants no more: nothing is written for it until its owner switches it on."""
    with transaction.atomic():
        if _kept(address).filter(active=True).update(active=False, off_reason=why[:200]) != 1:
            return False
        audit(actor=SYSTEM, action="callback.switch_off", target=address, reason=why, after={"url": address.shown})
    return True


def addresses_of(customer: Customer) -> models.QuerySet[CallbackAddress]:
    """Those that were not removed, oldest first."""
    return CallbackAddress.objects.filter(customer=customer, removed_at__isnull=True).order_by("pk")


def _kept(address: CallbackAddress) -> models.QuerySet[CallbackAddress]:
    return CallbackAddress.objects.filter(pk=address.pk, removed_at__isnull=True)
