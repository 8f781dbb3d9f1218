"""What a line costs us at a provider, in the provider's currency and in the panel's.

Costs are rounded up, as prices are: where a digit must be dropped, the books show the dearer side.
"""

from __future__ import annotations

from decimal import Decimal

from catalog.models import ProviderService
from catalog.pricing import per_thousand
from catalog.service_types import Charged, service_type
from ledger.amounts import EXCHANGE_PLACES, PER, divide_up, from_units, to_units
from providers.books import value_in_panel_currency
from providers.models import Provider

EXCHANGE_UNIT: int = 10**EXCHANGE_PLACES


def cost_of(provider_service: ProviderService, quantity: int | None) -> Decimal:
    """What the provider takes for this line, in its own currency; `quantity` is None for a package."""
    if quantity is not None:
        return per_thousand(provider_service.rate, quantity)
    return from_units(divide_up(to_units(provider_service.rate), _package_divisor(provider_service)))


def cost_in_panel_currency(provider_service: ProviderService, quantity: int | None, exchange_rate: Decimal) -> Decimal:
    """What the line costs in the panel's currency, as it will stand in the books."""
    return value_in_panel_currency(cost_of(provider_service, quantity), exchange_rate)


def unit_cost(provider_service: ProviderService, exchange_rate: Decimal) -> Decimal:
    """What a thousand (or one package) costs in the panel's currency: what a service's rate is compared with."""
    return from_units(divide_up(*exact_unit_cost(provider_service, exchange_rate)))


def exact_unit_cost(provider_service: ProviderService, exchange_rate: Decimal) -> tuple[int, int]:
    """The same in units of 10⁻⁶ as a fraction, for arithmetic that rounds only once."""
    above = to_units(provider_service.rate) * to_units(exchange_rate, EXCHANGE_PLACES)
    return above, EXCHANGE_UNIT * _rate_divisor(provider_service)


def would_lose(
    rate: Decimal, quantity: int | None, provider_service: ProviderService, exchange_rate: Decimal
) -> bool:
    """Whether this very line, sold at `rate`, brings less than it costs. Equal to the cost may be sold.

    The charge as it is taken is compared with the cost before any rounding: otherwise a service sold at cost would be
    refused for small quantities, for a millionth that only the books' rounding made.
    """
    charged: int = to_units(per_thousand(rate, quantity)) * EXCHANGE_UNIT
    price_upstream: int = to_units(provider_service.rate) * to_units(exchange_rate, EXCHANGE_PLACES)
    if quantity is None:
        return charged * _package_divisor(provider_service) < price_upstream
    return charged * PER < price_upstream * quantity


def _package_divisor(provider_service: ProviderService) -> int:
    unit = provider_service.provider.package_rate_unit
    return PER if unit == Provider.RateUnit.THOUSAND else 1


def _rate_divisor(provider_service: ProviderService) -> int:
    """Only packages can be listed per 1000 and sold whole; for the rest both rates are per 1000."""
    kind = service_type(provider_service.type)
    return _package_divisor(provider_service) if kind is not None and kind.charged is Charged.PACKAGE else 1
