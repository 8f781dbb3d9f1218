"""Orders whose money is held until it is known how much was delivered: subscriptions.

What is placed leaves the wallet for the house's account of held money; at the order's end what was delivered is
captured from there and the rest released to the wallet, in the transaction that writes the end. The order's counter of
refunds counts what was released (`refunding` moves it), so that its CHECK is the ceiling of both:
captured + released = held.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from catalog.service_types import service_type
from ledger.accounts import house_account
from ledger.models import Account, Transfer
from ledger.posting import Posting
from orders.models import Order


def holds(order: Order) -> bool:
    """Whether the order's charge is held until its end, rather than taken when it was placed."""
    kind = service_type(order.service_type)
    return kind is not None and kind.by_post


@dataclass(frozen=True, slots=True)
class Houses:
    """The panel's own accounts that orders' money goes through, looked up once for many orders."""

    sales: Account
    held: Account

    @classmethod
    def of_the_panel(cls) -> Houses:
        currency = settings.PANEL_CURRENCY
        return cls(house_account(Account.Kind.SALES, currency), house_account(Account.Kind.HELD, currency))


def end_of_hold(order: Order, houses: Houses, *, captured: Decimal, released: Decimal, note: str) -> list[Posting]:
    """The transfers that end a hold, in full and once each; none for an amount of zero."""
    assert captured >= 0
    assert released >= 0
    assert captured + released == order.charge, "a hold is ended whole"
    ways = (
        (captured, houses.sales, Transfer.Kind.CAPTURE, "capture"),
        (released, order.customer.wallet, Transfer.Kind.RELEASE, "release"),
    )
    return [
        Posting(
            debit=houses.held, credit=to, amount=amount, kind=kind, reference=f"order:{order.pk}:{name}",
            order_id=order.pk, note=note[:300],
        )
        for amount, to, kind, name in ways
        if amount > 0
    ]  # fmt: skip


def released_of(order: Order) -> Decimal:
    """What was released of the order's hold; 0 while it stands."""
    released = Transfer.objects.filter(reference=f"order:{order.pk}:release").values_list("amount", flat=True).first()
    return Decimal(0) if released is None else released
