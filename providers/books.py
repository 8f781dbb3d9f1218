"""What we hold at a provider: exchange rates, top-ups, and what the provider says beside what our books say.

A provider's prepaid balance is an account in the provider's own currency. Orders book its cost at acceptance; here
are the movements that are not of orders, and the comparison. Amounts are in the provider's currency but where said
otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger.accounts import house_account
from ledger.amounts import EXCHANGE_PLACES, MONEY_PLACES, ZERO, divide_up, from_units, plain, to_units
from ledger.balances import balance_of
from ledger.models import Account, Transfer
from ledger.posting import Posting, post
from providers import outcomes
from providers.models import BalanceReading, ExchangeRate, Provider
from records.attention import close_attention, raise_attention
from records.audit import Actor, audit

ONE = Decimal(1)


class NoExchangeRate(LookupError):
    """The provider's currency is not the panel's and no exchange rate was set."""


class CurrencyMismatch(ValueError):
    """The provider answers in another currency than the one it is booked in."""


class NotATopUp(ValueError):
    """The amounts of a top-up make no sense together; the text says which."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What may have left the provider's balance without being booked yet, at most: the cost of orders under way."""

    amount: Decimal = ZERO
    evidence: Mapping[str, Any] = field(default_factory=dict)


Explainer = Callable[[Provider], Explained]


def _nothing_under_way(provider: Provider) -> Explained:
    return Explained()


_explainer: Explainer = _nothing_under_way


def explain_drift_by(explain: Explainer) -> None:
    """The room of orders says here, when it is ready, how to find what orders under way cost."""
    global _explainer
    _explainer = explain


def value_in_panel_currency(amount: Decimal, rate: Decimal) -> Decimal:
    """The amount in the panel's currency, rounded up: a cost is never understated."""
    return from_units(divide_up(to_units(amount) * to_units(rate, EXCHANGE_PLACES), 10**EXCHANGE_PLACES))


def exchange_rate_of(provider: Provider, *, at: datetime | None = None) -> Decimal:
    """Units of the panel's currency for one of the provider's, now or at a moment. Raises NoExchangeRate."""
    known = ExchangeRate.objects.filter(provider=provider, since__lte=at or timezone.now()).order_by("-since").first()
    if known is not None:
        rate: Decimal = known.rate
        return rate
    if provider.currency == settings.PANEL_CURRENCY:
        return ONE
    raise NoExchangeRate(
        f"{provider.name} is in {provider.currency}: set what one unit of it is worth in {settings.PANEL_CURRENCY}."
    )


def set_exchange_rate(
    *, provider: Provider, rate: Decimal, actor: Actor, since: datetime | None = None, reason: str = ""
) -> ExchangeRate:
    """A new rate from `since` (now) on; what was booked before keeps its own."""
    if not (rate.is_finite() and rate > 0):
        raise ValueError("An exchange rate is above zero.")
    with transaction.atomic():
        before = ExchangeRate.objects.filter(provider=provider).order_by("-since").first()
        new = ExchangeRate.objects.create(provider=provider, rate=rate, since=since or timezone.now())
        audit(
            actor=actor,
            action="provider.exchange_rate",
            target=provider,
            reason=reason,
            before={} if before is None else {"rate": str(before)},
            after={"rate": str(new), "since": new.since.isoformat()},
        )
    return new


def post_opening_balance(provider: Provider, amount: Decimal) -> list[Transfer]:
    """What was there when the provider was added; nothing for an empty account. In the caller's transaction."""
    if amount == ZERO:
        return []
    funding = house_account(Account.Kind.FUNDING, provider.currency)
    debit, credit = (funding, provider.account) if amount > ZERO else (provider.account, funding)
    return post(
        [
            Posting(
                debit=debit,
                credit=credit,
                amount=abs(amount),
                kind=Transfer.Kind.OPENING,
                reference=f"provider:{provider.pk}:opening",
                value=value_in_panel_currency(abs(amount), exchange_rate_of(provider)),
            )
        ]
    )


def top_up(
    *,
    provider: Provider,
    amount: Decimal,
    reference: str,
    actor: Actor,
    fee: Decimal = ZERO,
    bonus: Decimal = ZERO,
    note: str = "",
) -> list[Transfer]:
    """Money sent to the provider: `amount` was paid, `fee` is the part of it that never arrived, `bonus` what came on
    top.

    The provider then holds amount − fee + bonus more. `reference` is the payment's own (an invoice, a transaction
    id): the same one twice raises AlreadyPosted. Raises NotATopUp.
    """
    if not reference.strip():
        raise NotATopUp("A top-up needs the payment's reference.")
    if amount < ZERO or fee < ZERO or bonus < ZERO or fee > amount or amount + bonus == ZERO:
        raise NotATopUp("A top-up has an amount above zero, a fee of at most the amount, and no negative part.")
    rate = exchange_rate_of(provider)
    funding, fees, bonuses = (
        house_account(kind, provider.currency)
        for kind in (Account.Kind.FUNDING, Account.Kind.FEES, Account.Kind.BONUSES)
    )
    base = f"provider:{provider.pk}:topup:{reference.strip()}"
    parts = [
        (funding, provider.account, amount - fee, Transfer.Kind.TOP_UP, base),
        (funding, fees, fee, Transfer.Kind.FEE, f"{base}:fee"),
        (bonuses, provider.account, bonus, Transfer.Kind.BONUS, f"{base}:bonus"),
    ]
    with transaction.atomic():
        transfers = post(
            [
                Posting(
                    debit=debit,
                    credit=credit,
                    amount=part,
                    kind=kind,
                    reference=name,
                    value=value_in_panel_currency(part, rate),
                    note=note,
                )
                for debit, credit, part, kind, name in parts
                if part > ZERO
            ]
        )
        audit(
            actor=actor,
            action="provider.top_up",
            target=provider,
            reason=note,
            after={"amount": plain(amount), "fee": plain(fee), "bonus": plain(bonus), "reference": reference},
        )
    return transfers


def in_books(amount: Decimal) -> Decimal:
    """A reported amount as the books can hold it: digits beyond the sixth place are cut, so that we never hold too
    much.
    """
    return amount.quantize(Decimal(1).scaleb(-MONEY_PLACES), rounding=ROUND_DOWN)


def record_balance(provider: Provider, reading: outcomes.BalanceReading) -> BalanceReading:
    """Keep what the provider says beside what the books say now. Raises CurrencyMismatch, with nothing kept."""
    if reading.currency is not None and reading.currency.upper() != provider.currency:
        raise CurrencyMismatch(
            f"{provider.name} answers in {reading.currency.upper()}, but is booked in {provider.currency}."
        )
    with transaction.atomic():
        now = timezone.now()
        kept = BalanceReading.objects.create(
            provider=provider, at=now, reported=in_books(reading.amount), booked=balance_of(provider.account)
        )
        Provider.objects.filter(pk=provider.pk).update(balance=kept.reported, balance_at=now)
    provider.balance, provider.balance_at = kept.reported, now
    return kept


def drift(provider: Provider) -> Decimal | None:
    """Reported less booked at the last reading: below zero the provider holds less than the books; None: never asked.
    """
    last = BalanceReading.objects.filter(provider=provider).order_by("-at", "-id").first()
    return None if last is None else last.reported - last.booked


def compare(provider: Provider, reading: outcomes.BalanceReading) -> BalanceReading:
    """Record a balance that was just asked for, and tell the operator what does not fit or runs low.

    What orders under way may have cost is asked after the provider answered and before the books are read: an order
    that the provider has charged and the books have not is under way at that moment.
    """
    explained = _explainer(provider)
    kept = record_balance(provider, reading)
    missing = kept.booked - kept.reported - explained.amount
    _raise_or_close(
        provider,
        "provider_drift",
        missing > settings.PROVIDER_DRIFT_TOLERANCE,
        f"{provider.name} holds {plain(missing)} {provider.currency} less than the books say.",
        {
            "reported": plain(kept.reported),
            "booked": plain(kept.booked),
            "under_way": plain(explained.amount),
            **explained.evidence,
        },
    )
    rise = _lasting_rise(provider)
    _raise_or_close(
        provider,
        "provider_rise",
        rise > settings.PROVIDER_DRIFT_TOLERANCE,
        f"{provider.name} holds {plain(rise)} {provider.currency} more than the books say. Record what you paid in.",
        {"reported": plain(kept.reported), "booked": plain(kept.booked), "top-up to record": plain(rise)},
    )
    low = settings.PROVIDER_LOW_BALANCE
    value = _value_of_balance(provider, kept.reported)
    _raise_or_close(
        provider,
        "provider_low",
        value is not None and value < low,
        f"{provider.name} has {plain(kept.reported)} {provider.currency} left: top it up before orders have to wait.",
        {"balance": plain(kept.reported), "limit": f"{plain(low)} {settings.PANEL_CURRENCY}"},
    )
    return kept


def _lasting_rise(provider: Provider) -> Decimal:
    """What the provider holds beyond our books at both of the last two readings; 0 where it does not.

    One reading alone says little: an order that was given back upstream and not yet asked for looks the same, and so
    does one that was booked while the answer was under way. Those are gone at the next reading.
    """
    last = BalanceReading.objects.filter(provider=provider).order_by("-at", "-id")[:2]
    rises = [reading.reported - reading.booked for reading in last]
    return max(min(rises), ZERO) if len(rises) == 2 else ZERO


def _value_of_balance(provider: Provider, balance: Decimal) -> Decimal | None:
    try:
        return value_in_panel_currency(balance, exchange_rate_of(provider))
    except NoExchangeRate:
        return None


def _raise_or_close(provider: Provider, cause: str, holds: bool, summary: str, evidence: Mapping[str, Any]) -> None:
    key = f"provider:{provider.pk}:{cause.removeprefix('provider_')}"
    if holds:
        raise_attention(cause=cause, key=key, summary=summary, evidence=evidence, provider_id=provider.pk)
    else:
        close_attention(key=key, decision="The next balance was right.")
