"""Opening accounts.

A wallet belongs to one customer and a provider account to one provider (their rows point here, never the other way
round); house accounts exist once a currency and are made when they are first asked for.
"""

from __future__ import annotations

import re
from decimal import Decimal

from ledger.amounts import ZERO
from ledger.models import Account

HOUSE_KINDS = tuple(kind for kind in Account.Kind if kind not in (Account.Kind.WALLET, Account.Kind.PROVIDER))

_CURRENCY = re.compile(r"[A-Z][A-Z0-9]{1,11}", re.ASCII)


class NotACurrency(ValueError):
    """The currency is not a code such as USD: 2 to 12 capital letters and digits."""


def open_wallet(*, currency: str, floor: Decimal = ZERO) -> Account:
    """A customer's empty wallet. Its balance never goes below `floor`, which is 0 or, for a credit line, negative."""
    if floor > 0:
        raise ValueError(f"a wallet starts empty, so its floor cannot be {floor}")
    return Account.objects.create(
        kind=Account.Kind.WALLET, currency=check_currency(currency), balance=ZERO, floor=floor
    )


def open_provider_account(*, currency: str) -> Account:
    """The account of what is prepaid at one provider, in the provider's own currency."""
    return Account.objects.create(kind=Account.Kind.PROVIDER, currency=check_currency(currency))


def house_account(kind: Account.Kind, currency: str) -> Account:
    """The panel's own account of this kind and currency, made when it is missing.

    All kinds of a currency are made by one INSERT in one order, and rivals' rows are skipped: two transactions that
    need several new accounts cannot wait for each other in a circle, and neither is aborted by the unique key.
    """
    if kind not in HOUSE_KINDS:
        raise ValueError(f"{kind} is not a house account")
    existing = Account.objects.filter(kind=kind, currency=currency).first()
    if existing is not None:
        return existing
    currency = check_currency(currency)
    Account.objects.bulk_create(
        [Account(kind=house_kind, currency=currency) for house_kind in HOUSE_KINDS], ignore_conflicts=True
    )
    return Account.objects.get(kind=kind, currency=currency)


def check_currency(currency: str) -> str:
    """The code itself; raises NotACurrency."""
    if not _CURRENCY.fullmatch(currency):
        raise NotACurrency(f"{currency!r} is not a currency code such as USD")
    return currency
