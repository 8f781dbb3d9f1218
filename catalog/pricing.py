"""What a line of an order costs the customer: exact, in integers, rounded up at the last digit an account can hold.

A rate is for a thousand, or for the whole package where there is no quantity. Caps are checked here, before anything is
stored: the two databases fail differently on an amount that does not fit.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

from catalog.sentences import Sentence, number, say
from ledger.amounts import PER, divide_up, from_units, plain, to_units


class PriceOutOfRange(ValueError):
    """A rate, a quantity or a charge is beyond what the panel sells; `sentence` is for whoever asked."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def charge(rate: Decimal, quantity: int | None) -> Decimal:
    """⌈rate × quantity ÷ 1000⌉ at 10⁻⁶, or the rate itself for what has no quantity; raises PriceOutOfRange."""
    check_rate(rate)
    if quantity is not None and not 1 <= quantity <= settings.MAX_QUANTITY:
        raise PriceOutOfRange(
            say("The quantity must be between 1 and %(most)s.", most=number(settings.MAX_QUANTITY))
        )
    amount = per_thousand(rate, quantity)
    if amount > settings.MAX_CHARGE:
        most = f"{settings.MAX_CHARGE:,f} {settings.PANEL_CURRENCY}"
        raise PriceOutOfRange(say("One order may cost at most %(most)s.", most=most))
    return amount


def per_thousand(rate: Decimal, quantity: int | None) -> Decimal:
    """The same arithmetic without the caps, for what a provider takes."""
    if quantity is None:
        return rate
    return from_units(divide_up(to_units(rate) * quantity, PER))


def check_rate(rate: Decimal) -> None:
    """Raises PriceOutOfRange for a rate that no service may have: negative, or above MAX_RATE."""
    if not rate.is_finite() or not 0 <= rate <= settings.MAX_RATE:
        raise PriceOutOfRange(say("A rate must be between 0 and %(most)s.", most=plain(settings.MAX_RATE)))
