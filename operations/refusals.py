"""Every way in which a verb of the core says no to an operator, and the sentence for each.

A refusal is an answer, not a failure: the page shows it and keeps what was typed. Anything else is a fault and goes
where faults go.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from accounts.deposits import MoneyRefused
from accounts.keys import KeyRefused
from accounts.people import PersonRefused
from accounts.roles import StaffRefused
from catalog.importing import ImportRefused
from catalog.pricing import PriceOutOfRange
from catalog.shelves import NotConfirmable
from conversations.talking import CannotWrite
from ledger.accounts import NotACurrency
from ledger.amounts import InexactAmount
from ledger.posting import AlreadyPosted, BalanceTooLarge, InsufficientFunds, InvalidPosting
from orders.cancelling import CannotCancel
from orders.deciding import CannotDecide
from orders.refilling import CannotRefill
from providers.books import CurrencyMismatch, NoExchangeRate, NotATopUp
from providers.registering import NotAdded
from providers.upstream import UpstreamTrouble


class Refused(Exception):
    """A refusal of the operator's side itself, as a sentence."""


REFUSALS = (
    Refused, ValidationError, MoneyRefused, KeyRefused, PersonRefused, StaffRefused, ImportRefused, PriceOutOfRange,
    NotConfirmable, NotACurrency, InexactAmount, AlreadyPosted, BalanceTooLarge, InsufficientFunds, InvalidPosting,
    CannotCancel, CannotDecide, CannotRefill, CannotWrite, CurrencyMismatch, NoExchangeRate, NotATopUp, NotAdded,
    UpstreamTrouble, ProtectedError,
)  # fmt: skip


def sentence(error: Exception) -> str:
    """What the operator reads."""
    match error:
        case ValidationError():
            return " ".join(error.messages)
        case AlreadyPosted():
            return "This reference was recorded before. No money moved."
        case InvalidPosting() | BalanceTooLarge() | InsufficientFunds() | InexactAmount():
            return f"It cannot be posted: {error}. No money moved."
        case UpstreamTrouble():
            return f"The provider could not be asked: {error.reason.rstrip('.')}. Nothing was changed."
        case ProtectedError():
            return "It is still in use, so it stays."
    text = str(error)
    return text if text.endswith((".", "…")) else f"{text}."
