"""Wishes of before get their order's customer by the migration, however many pieces that takes."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from orders.models import CancelRequest, RefillRequest
from tests.orders.builders import a_customer, a_service, an_order

migration = import_module("orders.migrations.0010_wishes_of_a_customer")


@pytest.mark.django_db(transaction=True)
def test_every_wish_gets_the_customer_of_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "ROWS", 2)
    customers, service = [a_customer(), a_customer(email="bea@example.com")], a_service(None)
    orders = [an_order(customers[number % 2], service) for number in range(5)]
    latest = [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] == "orders"]
    before = MigrationExecutor(connection)
    try:
        state = before.migrate([("orders", "0009_whose_wish_it_is")])
        for name in ("RefillRequest", "CancelRequest"):
            wishes = state.apps.get_model("orders", name).objects
            for order in orders:
                wishes.create(order_id=order.pk)
    finally:
        MigrationExecutor(connection).migrate(latest)
    for rows in (RefillRequest.objects.order_by("id"), CancelRequest.objects.order_by("id")):
        assert [wish.customer_id for wish in rows] == [order.customer_id for order in orders]
