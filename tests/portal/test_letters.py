"""What customers are written to about, as they like."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import Customer
from catalog.models import Service
from orders.models import RefillRequest
from orders.placing import Line, place_orders
from orders.refilling import decide_unknown
from records.audit import SYSTEM
from tests.portal.builders import LINK, a_service, ended
from tests.portal.letters import posted


def _buy(customer: Customer, service: Service, quantity: int) -> None:
    fields = {"link": LINK, "quantity": str(quantity)}
    place_orders(customer=customer, lines=[Line(service_id=service.pk, fields=fields)])


def test_a_balance_that_falls_low_is_told_once(alice: Customer) -> None:
    service = a_service(rate=Decimal(10))
    Customer.objects.update(low_balance=Decimal(60))
    fresh = Customer.objects.select_related("user", "wallet").get()
    _buy(fresh, service, 2000)
    assert posted() == []
    _buy(fresh, service, 3000)
    [letter] = posted()
    assert "50" in letter.subject
    _buy(fresh, service, 1000)
    assert posted() == []


@pytest.mark.parametrize("wanted", [True, False])
def test_a_rejected_refill_is_told_to_whoever_wants_it(alice: Customer, wanted: bool) -> None:
    alice.unwanted_letters = [] if wanted else ["refill_rejected"]
    alice.save()
    order = ended(alice, service=a_service(refill=True))
    refill = RefillRequest.objects.create(order=order, customer=order.customer, status=RefillRequest.Status.UNKNOWN)
    decide_unknown(refill=refill, upstream_id="", actor=SYSTEM, reason="the provider says no")
    letters = posted()
    assert len(letters) == wanted
    if wanted:
        assert f"/orders/{order.pk}/" in letters[0].body
        assert "the provider says no" not in letters[0].body
