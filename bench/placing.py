"""Placing orders against the least that the database must do for one: the wallet's update, the order, the transfer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count

from django.db import connection, transaction

from accounts.models import Customer, User
from bench.ratio import Row, compare
from catalog.models import Category, ProviderService, Route, Service
from ledger.accounts import house_account, open_provider_account, open_wallet
from ledger.models import Account, Transfer
from ledger.posting import Posting, post
from orders.models import Order
from orders.placing import Line, place_orders
from providers.models import Provider

ONE_BY_ONE, MASS = 100, 1000
FUNDS = Decimal(1_000_000)
_links: Iterator[int] = count()


def rows() -> list[Row]:
    """Both comparisons, on a database that is empty and migrated."""
    customer, service = _arrange()
    sales = house_account(Account.Kind.SALES, "USD")
    return [
        compare(
            "place_orders, one order a call",
            lambda: _place(customer, service, calls=ONE_BY_ONE, lines=1),
            floor="three raw statements, one transaction an order",
            against=lambda: _raw(customer, service, sales),
        ),
        compare(
            f"place_orders, {MASS} lines a call",
            lambda: _place(customer, service, calls=1, lines=MASS),
            floor="three raw statements, one transaction an order",
            against=lambda: _raw(customer, service, sales),
        ),
    ]


def _arrange() -> tuple[Customer, Service]:
    provider = Provider.objects.create(
        name="Bench", url="https://provider.example/api/v2", key="none", currency="USD",
        account=open_provider_account(currency="USD"),
    )  # fmt: skip
    category = Category.objects.create(name="Bench")
    service = Service.objects.create(
        category=category, name="Followers", type="default", rate=Decimal("1.125"), min=1, max=10_000, visible=True
    )
    bought = ProviderService.objects.create(
        provider=provider, external_id="1", name="Followers", type="Default", rate=Decimal("0.9"), min=1, max=10_000
    )
    Route.objects.create(service=service, provider_service=bought)
    user = User.objects.create(email="bench@example.com", password="!")  # noqa: S106 - nobody signs in with it
    customer = Customer.objects.create(user=user, wallet=open_wallet(currency="USD"))
    deposits = house_account(Account.Kind.DEPOSITS, "USD")
    with transaction.atomic():
        kind = Transfer.Kind.DEPOSIT
        post([Posting(debit=deposits, credit=customer.wallet, amount=FUNDS, kind=kind, reference="bench")])
    return customer, service


def _place(customer: Customer, service: Service, *, calls: int, lines: int) -> int:
    for _ in range(calls):
        asked = [
            Line(service_id=service.pk, fields={"link": f"https://example.com/{next(_links)}", "quantity": 1000})
            for _ in range(lines)
        ]
        place_orders(customer=customer, lines=asked)
    return calls * lines


def _raw(customer: Customer, service: Service, sales: Account) -> int:
    template = Order.objects.order_by("-id").values_list().first()
    columns = [str(field.column) for field in Order._meta.concrete_fields][1:]
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    assert template is not None
    row = [
        field.get_db_prep_save(value, connection)
        for field, value in zip(Order._meta.concrete_fields[1:], template[1:], strict=True)
    ]
    with connection.cursor() as cursor:
        for number in range(ONE_BY_ONE):
            with transaction.atomic():
                cursor.execute(
                    "UPDATE ledger_account SET balance = balance - %s WHERE id = %s AND balance - %s >= floor",
                    [1_125_000, customer.wallet_id, 1_125_000],
                )
                cursor.execute(f"INSERT INTO orders_order ({names}) VALUES ({marks}) RETURNING id", row)  # noqa: S608
                order_id = cursor.fetchone()[0]
                cursor.execute(
                    "INSERT INTO ledger_transfer (debit_id, credit_id, amount, kind, reference, order_id, note, at) "
                    "VALUES (%s, %s, %s, 'charge', %s, %s, '', CURRENT_TIMESTAMP)",
                    [customer.wallet_id, sales.pk, 1_125_000, f"raw:{order_id}:{number}", order_id],
                )
    return ONE_BY_ONE
