"""A subscription at a sandbox that lists the orders it makes, brought to a moment of its life."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ledger.models import Transfer
from orders.models import Order, State, UpstreamPart
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    a_customer,
    a_provider,
    books_are_right,
    followed,
    sent,
)
from tests.orders.subscribed import (
    a_subscription,
    a_subscription_service,
    made_for,
)

D = Decimal


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One that lists the orders it makes."""
    with Sandbox(balance="1000", dialect="rich") as running:
        yield running


class Scene:
    """Alice's subscription with its provider: three posts of exactly 100."""

    def __init__(self, sandbox: Sandbox, **fields: str) -> None:
        self.sandbox = sandbox
        self.provider = a_provider(sandbox)
        self.alice = a_customer()
        self.order = a_subscription(self.alice, a_subscription_service(self.provider), **fields)
        sent(self.provider, self.order)

    def follow(self) -> Order:
        followed(self.provider, self.order)
        return self.order

    def says(self, **changes: Any) -> Order:
        """The provider says this of the order."""
        self.sandbox.set_order(str(self.order.upstream_id), **changes)
        return self.follow()

    def posts(self, number: int) -> Order:
        """Lets posts come until there are so many."""
        while len(made_for(self.sandbox, self.order)) < number:
            self.sandbox.advance(2)
        return self.follow()

    def finish_parts(self) -> None:
        for part in made_for(self.sandbox, self.order):
            if not part.ended:
                self.sandbox.set_order(part.id, status="Completed")


def parts(order: Order) -> list[tuple[str, Decimal | None]]:
    rows = UpstreamPart.objects.filter(order=order).order_by("id")
    return [(part.status, part.charge) for part in rows]


def items(cause: str) -> list[AttentionItem]:
    return list(AttentionItem.objects.filter(cause=cause, closed_at__isnull=True))


def moved(order: Order) -> dict[str, Decimal]:
    kinds = [Transfer.Kind.CAPTURE, Transfer.Kind.RELEASE, Transfer.Kind.REFUND]
    return {each.kind: each.amount for each in Transfer.objects.filter(order_id=order.pk, kind__in=kinds)}


def is_in_review(order: Order, why: str) -> None:
    assert (order.state, order.refunded, moved(order)) == (State.REVIEW, D(0), {})
    [item] = items("settlement_unclear")
    assert why in item.summary
    books_are_right()
