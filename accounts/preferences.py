"""How a user likes his pages and letters: name, time zone, language, which letters. No secret and no money."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.letters import CHOICES
from accounts.models import Customer, User
from records.audit import actor_of, audit

_PLACES = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


class PreferenceRefused(Exception):
    """Nothing was changed; `field` names what was wrong, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """UTC and the places of the world, by name."""
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(_PLACES)))


def set_profile(*, user: User, name: str, time_zone: str, language: str) -> None:
    """Raises PreferenceRefused for a time zone or language that there is not; "" is the panel's."""
    if time_zone and time_zone not in time_zones():
        raise PreferenceRefused("time_zone", _("Choose a time zone of the list. Nothing was changed."))
    if language and language not in dict(settings.LANGUAGES):
        raise PreferenceRefused("language", _("Choose a language of the list. Nothing was changed."))
    after = {"name": name, "time_zone": time_zone, "language": language}
    before = {field: getattr(user, field) for field in after}
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(**after)
        audit(actor=actor_of(user), action="set_profile", target=user, before=before, after=after)
    user.name, user.time_zone, user.language = name, time_zone, language


def set_language(*, user: User, language: str) -> None:
    """The language alone, from the switch that every page has."""
    set_profile(user=user, name=user.name, time_zone=user.time_zone, language=language)


def set_letters(*, customer: Customer, wanted: Collection[str], low_balance: Decimal | None) -> None:
    """Which letters he gets; `low_balance` is the amount below which he is told. Raises PreferenceRefused."""
    if low_balance is not None and not 0 < low_balance <= settings.LEDGER_MAX_BALANCE:
        raise PreferenceRefused("low_balance", _("Enter an amount above 0. Nothing was changed."))
    if low_balance is not None and low_balance != round(low_balance, 6):
        raise PreferenceRefused("low_balance", _("The amount has at most 6 decimal places. Nothing was changed."))
    after = {"unwanted_letters": [kind for kind in CHOICES if kind not in wanted], "low_balance": low_balance}
    before = {field: getattr(customer, field) for field in after}
    with transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(**after)
        audit(actor=actor_of(customer.user), action="set_letters", target=customer, before=before, after=after)
    customer.unwanted_letters, customer.low_balance = after["unwanted_letters"], low_balance
