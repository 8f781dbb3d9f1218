"""Whoever writes back names his attempt: what has moved on since is not touched by an answer that comes late."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from ledger.amounts import from_units
from orders.accepting import Acceptance, accept
from orders.jobs import providers_with
from orders.models import Order, State, Status
from orders.outcomes import become_unknown
from orders.refunding import Refund, refund_all
from orders.refusing import refuse
from orders.routing import ExchangeRates, promise_of, purchase_at
from orders.settling import Ending, refund_of, settle
from providers.models import Provider
from providers.outcomes import Cause, Evidence, Refusal, Rejected
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    books_are_right,
    followed,
    sent,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


def moved_on(provider: Provider) -> tuple[Order, Order]:
    """An order whose second attempt is being sent, and the same order as the first attempt's worker still sees it."""
    order = an_order(a_customer("100"), a_service(provider))
    Order.objects.filter(pk=order.pk).update(state=State.SENDING, attempt=2, lease_until=timezone.now())
    stale = Order.objects.select_related("provider_service__provider", "customer__wallet").get(pk=order.pk)
    stale.attempt = 1
    return order, stale


def test_an_id_for_the_first_attempt_does_not_accept_the_second() -> None:
    order, stale = moved_on(a_provider())
    late = Acceptance(order=stale, attempt=1, upstream_id="1", cost=Decimal("0.9"), exchange_rate=Decimal(1))
    with transaction.atomic():
        assert not accept(late)
    order.refresh_from_db()
    assert (order.state, order.upstream_id) == (State.SENDING, None)
    assert AttentionItem.objects.get().cause == "late_answer"


@pytest.mark.parametrize("cause", [Cause.FUNDS, Cause.SERVICE_GONE, Cause.LINK, Cause.OTHER])
def test_a_refusal_of_the_first_attempt_does_not_touch_the_second(cause: Cause) -> None:
    order, stale = moved_on(a_provider())
    assert stale.provider_service is not None
    purchase = purchase_at(stale.provider_service, promise_of(stale), ExchangeRates())
    refuse(stale, Rejected(Refusal.of(cause, "no"), Evidence(200, "{}")), purchase=purchase)
    order.refresh_from_db()
    assert (order.state, order.attempt) == (State.SENDING, 2)
    assert balance(order.customer) == Decimal("98.875")


def test_the_first_attempt_without_an_answer_does_not_make_the_second_unknown() -> None:
    order, stale = moved_on(a_provider())
    assert not become_unknown(stale, "no answer")
    order.refresh_from_db()
    assert order.state == State.SENDING


def test_what_was_given_back_before_counts_at_the_end(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider))
    sent(provider, order)
    with transaction.atomic():
        fresh = Order.objects.select_related("customer__wallet", "provider__account").get(pk=order.pk)
        refund_all([Refund(order=fresh, amount=Decimal("0.5"), why="goodwill")])
        assert refund_of(fresh, from_units(0), Status.CANCELED).amount == Decimal("0.625")
        settle([Ending(order=fresh, status=Status.CANCELED, remains=None, cost=None)])
    assert balance(alice) == 100
    books_are_right()


def test_a_charge_far_above_the_booked_cost_is_told_and_not_booked(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider))
    sent(provider, order)
    sandbox.set_order(int(str(order.upstream_id)), status="Completed", remains=0, show={"charge": "900000"})
    followed(provider, order)
    assert (order.status, order.cost) == (Status.COMPLETED, Decimal("0.9"))
    assert AttentionItem.objects.get(cause="contradiction").order_id == order.pk
    books_are_right()


def test_what_a_provider_took_is_followed_after_it_was_switched_off(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider))
    sent(provider, order)
    Provider.objects.update(active=False)
    sandbox.finish_all()
    assert list(providers_with(State.ACCEPTED)) == [str(provider.pk)]
    turn("sync_new", provider)
    order.refresh_from_db()
    assert order.status == Status.COMPLETED
