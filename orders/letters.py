"""What customers are written to about: a refill that was rejected, a balance that fell low. As each of them likes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from accounts.letters import LOW_BALANCE, REFILL_REJECTED, tell_customer
from accounts.models import Customer
from ledger.amounts import plain
from ledger.models import Account
from orders.models import OrderEvent


def write_of(events: Sequence[OrderEvent]) -> None:
    """Letters for those lines of the story that deserve one, in the transaction that writes them."""
    rejected = [event.order for event in events if event.kind == "refill_rejected" and event.order.parent_id is None]
    if not rejected:
        return
    customers = Customer.objects.select_related("user").in_bulk({order.customer_id for order in rejected})
    for order in rejected:
        facts = {"order": order.pk, "service": order.service_name[:200]}
        tell_customer(customers[order.customer_id], REFILL_REJECTED, facts=facts)


def write_of_low_balance(customer: Customer, charged: Decimal) -> None:
    """One letter when this charge took the balance below what the customer chose; none while it stays there."""
    lowest = customer.low_balance
    if lowest is None or not charged:
        return
    balance = Account.objects.values_list("balance", flat=True).get(pk=customer.wallet_id)
    if balance is not None and balance < lowest <= balance + charged:
        facts = {"balance": plain(balance), "currency": customer.wallet.currency, "lowest": plain(lowest)}
        tell_customer(customer, LOW_BALANCE, facts=facts)
