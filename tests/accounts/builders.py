"""People for tests."""

from __future__ import annotations

from decimal import Decimal

from accounts.deposits import deposit
from accounts.keys import open_with
from accounts.models import Customer, User
from accounts.people import create_customer, create_operator
from records.audit import SYSTEM

PASSWORD = "correct horse battery"


def anna(*, balance: Decimal = Decimal(0)) -> Customer:
    """A customer, with money if wanted."""
    customer = create_customer(email="anna@example.com", password=PASSWORD)
    if balance:
        deposit(customer=customer, amount=balance, reference="annas-first", actor=SYSTEM)
        customer.wallet.refresh_from_db()
    return customer


def boss() -> User:
    """An operator."""
    return create_operator(email="boss@example.com", password=PASSWORD)


def customer_for_key(text: str) -> Customer | None:
    """Whose key this is; None for one that opens nothing."""
    opened = open_with(text, address="")
    return None if opened is None else opened.customer
