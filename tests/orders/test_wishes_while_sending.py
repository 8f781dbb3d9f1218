"""A cancel that is asked for while the order is being sent: it is not sent after that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orders import submitting
from orders.cancelling import Cancelled, request_cancel
from orders.claiming import mark
from orders.models import Order, State, Status
from providers.sandbox.server import Sandbox
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    books_are_right,
    due_now,
    sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


def _cancel_at_the_first_byte(monkeypatch: pytest.MonkeyPatch) -> list[Cancelled]:
    """The customer asks just after the order was marked, before anything was answered."""
    said: list[Cancelled] = []

    def marked_and_cancelled(order: Order, *args: object, **kwargs: object) -> bool:
        done = bool(_mark(order, *args, **kwargs))
        said.append(request_cancel(order=Order.objects.get(pk=order.pk), actor=OPERATOR))
        return done

    _mark: Callable[..., bool] = mark
    monkeypatch.setattr(submitting, "mark", marked_and_cancelled)
    return said


@pytest.mark.parametrize("fault", ["rate_limit:1", "http:521"])
def test_an_order_that_was_turned_away_is_given_back_and_not_sent_later(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider))
    sandbox.faults.add("add", *fault.split(":"), times=1)
    said = _cancel_at_the_first_byte(monkeypatch)
    sent(provider, order)
    assert said == [Cancelled.WISHED]
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(alice) == 100
    due_now()
    sent(provider, order)
    assert len(sandbox.orders) == 0
    books_are_right()
