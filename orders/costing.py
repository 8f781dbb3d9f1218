"""What orders cost us at their providers, in the books: booked when an order is accepted, corrected once when it
ends.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

from ledger.accounts import house_account
from ledger.models import Account, Transfer
from ledger.posting import Posting
from orders.models import Order
from providers.books import value_in_panel_currency


def can_be_booked(cost: Decimal, exchange_rate: Decimal) -> bool:
    """Whether one transfer can hold this cost, in the provider's currency and in the panel's."""
    return max(cost, value_in_panel_currency(cost, exchange_rate)) <= settings.LEDGER_MAX_AMOUNT


def cost_posting(order: Order) -> list[Posting]:
    """The transfer for a just accepted order's `cost`; none for what costs nothing."""
    assert order.cost is not None
    return _move(order, order.cost, reference=f"order:{order.pk}:cost")


def correction_posting(order: Order, final: Decimal) -> list[Posting]:
    """The one transfer that makes the booked cost the final one, in either direction; none where they are equal."""
    assert order.cost is not None
    return _move(order, final - order.cost, reference=f"order:{order.pk}:cost:final")


def later_return_posting(order: Order, amount: Decimal, *, when: int) -> list[Posting]:
    """Money the provider gave back after the order had ended; `when` numbers the occasions that it was asked again."""
    return _move(order, -amount, reference=f"order:{order.pk}:cost:later:{when}")


def _move(order: Order, amount: Decimal, *, reference: str) -> list[Posting]:
    if amount == 0:
        return []
    assert order.provider is not None
    assert order.exchange_rate is not None
    prepaid = order.provider.account
    cost = house_account(Account.Kind.COST, order.provider.currency)
    spent = amount > 0
    return [
        Posting(
            debit=prepaid if spent else cost,
            credit=cost if spent else prepaid,
            amount=abs(amount),
            kind=Transfer.Kind.COST if spent else Transfer.Kind.COST_RETURN,
            reference=reference,
            order_id=order.pk,
            value=value_in_panel_currency(abs(amount), order.exchange_rate),
        )
    ]
