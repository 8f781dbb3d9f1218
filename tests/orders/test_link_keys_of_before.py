"""Orders that were open before links had keys get theirs by the migration."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from catalog.links import link_key
from orders.models import Order, State, Status
from tests.orders.builders import LINK, a_customer, a_service, an_order

pytestmark = pytest.mark.django_db
fill = import_module("orders.migrations.0005_link_keys_of_open_orders").fill


def test_open_orders_get_the_key_of_their_link_and_ended_ones_need_none() -> None:
    alice, service = a_customer(), a_service(None)
    live, ended = an_order(alice, service), an_order(alice, service)
    Order.objects.update(link_key="")
    Order.objects.filter(pk=ended.pk).update(
        state=State.ENDED, status=Status.COMPLETED, ended_at=ended.created_at, link_key=""
    )
    fill(apps, None)
    live.refresh_from_db()
    ended.refresh_from_db()
    assert (live.link_key, ended.link_key) == (link_key(LINK), "")
