"""Writing to people: what is to be told to whom goes into an outbox, in the transaction of what it tells of.

Only the kind and a few facts are kept. The text, and any link in it, is made when the letter is sent
(`accounts.sending`), which is also when an address is looked up: a form that asks for a letter does the same work for
an address that has an account as for one that has none, and says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer, Letter, User
from records.hints import hint

JOB = "send_letters"

# Asked for by whoever knows an address
SIGN_UP = "sign_up"
RESET = "reset"
# About the account's safety: always sent
NEW_ADDRESS = "new_address"
ADDRESS_ASKED = "address_asked"
ADDRESS_CHANGED = "address_changed"
PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of letter
SECOND_FACTOR_ON = "second_factor_on"
SECOND_FACTOR_OFF = "second_factor_off"
# About orders and money: as the customer likes
REFILL_REJECTED = "refill_rejected"
LOW_BALANCE = "low_balance"
PROBLEM_ANSWERED = "problem_answered"

CHOICES: Final[Mapping[str, Promise]] = {
    REFILL_REJECTED: _("A refill you asked for was rejected"),
    PROBLEM_ANSWERED: _("A problem with an order was answered"),
    LOW_BALANCE: _("Your balance falls below an amount you choose"),
}


def write(
    kind: str,
    *,
    address: str,
    user: User | None = None,
    language: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Letter:
    """Put a letter into the outbox; a worker is hinted when the transaction commits."""
    letter = Letter.objects.create(kind=kind, address=address, user=user, language=language, facts=dict(facts or {}))
    hint(JOB)
    return letter


def write_when_asked(kind: str, *, address: str, user: User | None = None, language: str = "") -> None:
    """For a form that anybody can send: no more than LETTERS_ASKED_PER_HOUR of a kind go to one address, and no more
    than that are asked for by one user.
    """
    lately = Letter.objects.filter(kind=kind, created_at__gt=timezone.now() - timedelta(hours=1))
    asked = [lately.filter(address=address)]
    if user is not None:
        asked.append(lately.filter(user=user))
    if all(letters.count() < settings.LETTERS_ASKED_PER_HOUR for letters in asked):
        write(kind, address=address, user=user, language=language)


def tell_user(user: User, kind: str, *, facts: Mapping[str, Any] | None = None, address: str = "") -> None:
    """Tell a user about the safety of the account, at its address or an earlier one."""
    write(kind, address=address or user.email, user=user, language=user.language, facts=facts)


def tell_customer(customer: Customer, kind: str, *, facts: Mapping[str, Any] | None = None) -> bool:
    """Tell a customer about orders or money, unless he does not want such letters or his account is closed."""
    assert kind in CHOICES, kind
    if kind in customer.unwanted_letters or not customer.user.is_active:
        return False
    tell_user(customer.user, kind, facts=facts)
    return True
