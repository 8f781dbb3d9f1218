"""How a price is made from a cost: cost × exchange rate × (1 + percent ÷ 100) + fixed, rounded up, with a floor.

Pure: it changes no price; `catalog.prices` does. The arithmetic is on integers and rounds once, at the end, so that a
price is never below the cost it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from catalog.costs import exact_unit_cost
from catalog.models import MarkupRule, ProviderService
from catalog.pricing import check_rate
from ledger.amounts import MONEY_PLACES, divide_up, from_units, to_units

HUNDRED_PERCENT = to_units(100)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is added to a cost. Money is per 1000 (or per package), in the panel's currency."""

    percent: Decimal
    fixed: Decimal = Decimal(0)
    rounding: Decimal = Decimal(1).scaleb(-MONEY_PLACES)
    floor: Decimal = Decimal(0)


def usual_rule() -> Rule:
    """What counts where no rule was ever made."""
    return Rule(percent=settings.DEFAULT_MARKUP_PERCENT)


def price_for(provider_service: ProviderService, exchange_rate: Decimal, rule: Rule) -> Decimal:
    """The rate to sell this at; raises PriceOutOfRange when no service may have such a rate."""
    above, below = exact_unit_cost(provider_service, exchange_rate)
    percent = HUNDRED_PERCENT + to_units(rule.percent)
    marked = divide_up(above * percent, below * HUNDRED_PERCENT) + to_units(rule.fixed)
    cost = divide_up(above, below)
    step = to_units(rule.rounding)
    price = from_units(max(divide_up(max(marked, cost), step) * step, to_units(rule.floor)))
    check_rate(price)
    return price


def margin_percent(price: Decimal, cost: Decimal) -> Decimal | None:
    """What is earned of the price, in percent with one decimal; None for a price of nothing."""
    return ((price - cost) * 100 / price).quantize(Decimal("0.1")) if price else None


class Rules:
    """All rules at once, for pricing many services. The most specific one wins, whole; they are never added up."""

    def __init__(self, rules: Iterable[MarkupRule]) -> None:
        self._of = {(rule.service_id, rule.provider_id, rule.category_id): as_rule(rule) for rule in rules}

    @classmethod
    def stored(cls) -> Rules:
        return cls(MarkupRule.objects.all())

    def with_provider_percent(self, provider_id: int, percent: Decimal) -> Rules:
        """As if the provider's rule had this percentage, for showing what would come of it."""
        other = Rules(())
        own = self._of.get((None, provider_id, None), usual_rule())
        changed = Rule(percent, own.fixed, own.rounding, own.floor)
        other._of = {**self._of, (None, provider_id, None): changed}
        return other

    def rule_for(self, *, service: int | None, provider: int | None, category: int | None) -> Rule:
        """Service, then provider and category, then category, then provider, then the one for all, then the setting."""
        places = (
            (service, None, None), (None, provider, category), (None, None, category), (None, provider, None),
            (None, None, None),
        )  # fmt: skip
        return next((self._of[place] for place in places if place in self._of), None) or usual_rule()


def as_rule(rule: MarkupRule) -> Rule:
    return Rule(rule.percent, rule.fixed, rule.rounding, rule.floor)
