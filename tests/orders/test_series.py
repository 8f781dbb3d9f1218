"""Drip-feeds that the panel runs: one charge, many orders; the interval kept, the money exact, each run once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog.models import ProviderService
from ledger.models import Transfer
from orders import deciding, series
from orders.models import Order, State, Status
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    OPERATOR,
    a_provider,
    balance,
    booked,
    books_are_right,
    followed,
    turn,
)
from tests.orders.in_runs import (
    INTERVAL,
    a_drip_feed,
    all_sent,
    an_hour_later,
    an_unknown_run,
    begun,
    finished,
    runs_of,
    sent_on,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_drip_feed_is_paid_once_and_sent_run_by_run(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    assert (parent.state, parent.quantity, parent.charge) == (State.SERIES, 3000, Decimal("3.375"))
    assert balance(parent.customer) == Decimal("96.625")

    runs = all_sent(parent, provider)
    assert [run.run for run in runs] == [1, 2, 3]
    assert {(run.quantity, run.charge, run.state) for run in runs} == {(1000, Decimal(0), State.ACCEPTED)}
    parent.refresh_from_db()
    assert (parent.status, parent.runs_left, parent.next_run_at) == (Status.IN_PROGRESS, 0, None)
    asked = [request["fields"] for request in sandbox.journal.requests("add")]
    assert asked == [{"service": "1", "link": "https://example.com/post/1", "quantity": "1000"}] * 3

    finished(sandbox, provider, parent)
    assert (parent.state, parent.status, parent.remains) == (State.ENDED, Status.COMPLETED, 0)
    assert (parent.refunded, parent.ask_again_at) == (Decimal(0), None)
    assert parent.ended_at is not None
    assert balance(parent.customer) == Decimal("96.625")
    assert booked(provider) == sandbox.balance
    books_are_right()


def test_a_run_is_what_was_sold(sandbox: Sandbox) -> None:
    parent = a_drip_feed(a_provider(sandbox))
    run = begun(parent)
    for name in (
        "customer_id", "service_id", "service_name", "service_type", "rate", "refill", "refill_days", "cancel", "link",
        "link_key", "one_at_a_time", "details",
    ):  # fmt: skip
        assert getattr(run, name) == getattr(parent, name), name
    assert (run.runs, run.interval, run.runs_left, run.next_run_at) == (None, None, None, None)


def test_the_next_run_waits_for_the_interval_after_the_last_was_sent(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    run = sent_on(parent, provider)
    assert run.accepted_at is not None
    assert parent.next_run_at == run.accepted_at + timedelta(minutes=INTERVAL)
    assert turn("run_series") == {}
    an_hour_later(parent)
    assert turn("run_series") == {"begun": 1}
    assert turn("run_series") == {}


def test_an_outage_is_not_made_up_for_by_a_burst(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    sent_on(parent, provider)
    Order.objects.filter(pk=parent.pk).update(next_run_at=timezone.now() - timedelta(hours=10))
    run = sent_on(parent, provider)
    turn("run_series")
    assert len(runs_of(parent)) == 2
    assert run.accepted_at is not None
    assert parent.next_run_at == run.accepted_at + timedelta(minutes=INTERVAL), "counted from the last, not the plan"


def test_a_run_that_waits_holds_the_series(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    begun(parent)
    assert parent.next_run_at is None
    assert turn("run_series") == {}
    assert parent.status == Status.PENDING


def test_a_run_below_cost_is_held_and_goes_on_when_it_can(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    ProviderService.objects.update(rate=Decimal(2))
    run = begun(parent)
    assert (run.state, run.reason, run.provider) == (State.HELD, "It would be sold below its cost.", None)
    assert AttentionItem.objects.get(cause="order_held").order_id == run.pk
    assert [event.kind for event in run.events.all()] == ["held"]
    assert not series.due_series().exists()

    ProviderService.objects.update(rate=Decimal("0.90"))
    Order.objects.filter(pk=run.pk).update(not_before=timezone.now() - timedelta(hours=1))
    assert turn("tidy_orders")["sent_on"] == 1
    turn("submit_orders", provider)
    run.refresh_from_db()
    parent.refresh_from_db()
    assert run.state == State.ACCEPTED
    assert parent.next_run_at is not None
    assert not AttentionItem.objects.filter(closed_at__isnull=True).exists()
    books_are_right()


def test_a_run_held_too_long_ends_the_series_and_what_was_not_run_goes_back(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    first = sent_on(parent, provider)
    an_hour_later(parent)
    ProviderService.objects.update(rate=Decimal(2))
    run = begun(parent)
    run.events.update(at=timezone.now() - timedelta(hours=25))
    Order.objects.filter(pk=run.pk).update(not_before=timezone.now() - timedelta(hours=1))
    assert turn("tidy_orders")["given_back"] == 1
    parent.refresh_from_db()
    assert (parent.state, parent.runs_left, parent.next_run_at) == (State.SERIES, 0, None)
    assert (parent.undelivered, parent.refunded) == (2000, Decimal("2.25"))

    finished(sandbox, provider, parent, first)
    assert (parent.state, parent.status, parent.remains) == (State.ENDED, Status.PARTIAL, 2000)
    assert parent.refunded == Decimal("2.25")
    assert balance(parent.customer) == Decimal("98.875")
    books_are_right()


def test_a_refused_run_ends_the_series(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words="refuse:link")
    run = sent_on(parent, provider)
    assert run.state == State.ENDED
    assert (parent.state, parent.status, parent.refunded) == (State.ENDED, Status.CANCELED, parent.charge)
    assert balance(parent.customer) == 100
    assert turn("run_series") == {}
    books_are_right()


def test_an_unknown_run_holds_the_series_until_it_is_found(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent, run = an_unknown_run(sandbox, provider)
    assert parent.next_run_at is None
    assert turn("run_series") == {}
    [upstream] = sandbox.orders
    deciding.it_exists(order=run, upstream_id=str(upstream), actor=OPERATOR, reason="found")
    parent.refresh_from_db()
    run.refresh_from_db()
    assert run.accepted_at is not None
    assert parent.next_run_at == run.accepted_at + timedelta(minutes=INTERVAL)
    books_are_right()


def test_an_unknown_run_that_is_sent_again_goes_on(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent, run = an_unknown_run(sandbox, provider)
    deciding.send_again(order=run, actor=OPERATOR, reason="not there")
    assert turn("run_series") == {}
    turn("submit_orders", provider)
    parent.refresh_from_db()
    assert parent.next_run_at is not None


def test_an_unknown_run_that_is_given_back_ends_the_series(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent, run = an_unknown_run(sandbox, provider)
    deciding.refund_whole(order=run, actor=OPERATOR, reason="not there")
    parent.refresh_from_db()
    assert (parent.state, parent.status) == (State.ENDED, Status.CANCELED)
    assert balance(parent.customer) == 100


def test_a_partial_run_gives_back_its_part_and_the_series_goes_on(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words="partial:30")
    run = sent_on(parent, provider)
    finished(sandbox, provider, parent, run)
    assert (run.status, run.undelivered, run.refunded) == (Status.PARTIAL, 700, Decimal(0))
    assert (parent.undelivered, parent.refunded, parent.runs_left) == (700, Decimal("0.7875"), 2)
    assert parent.remains == 2700
    assert parent.next_run_at is not None
    assert Transfer.objects.get(reference=f"order:{parent.pk}:refund:run1").amount == Decimal("0.7875")
    assert booked(provider) == sandbox.balance
    books_are_right()


def test_a_run_canceled_by_its_provider_does_not_stop_the_series(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words="cancel", runs=2)
    run = sent_on(parent, provider)
    finished(sandbox, provider, parent, run)
    assert run.status == Status.CANCELED
    assert (parent.state, parent.runs_left, parent.refunded) == (State.SERIES, 1, Decimal("1.125"))
    an_hour_later(parent)
    second = sent_on(parent, provider)
    finished(sandbox, provider, parent, second)
    assert (parent.state, parent.status, parent.refunded) == (State.ENDED, Status.CANCELED, parent.charge)
    books_are_right()


def test_runs_that_end_together_make_one_refund(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words="partial:30")
    all_sent(parent, provider)
    finished(sandbox, provider, parent)
    refunds = Transfer.objects.filter(order_id=parent.pk, kind=Transfer.Kind.REFUND)
    assert [(each.reference, each.amount) for each in refunds] == [
        (f"order:{parent.pk}:refund:run3", Decimal("2.3625"))
    ]
    assert (parent.state, parent.status, parent.remains) == (State.ENDED, Status.PARTIAL, 2100)
    books_are_right()


def test_progress_of_the_runs_shows_on_the_drip_feed(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    run = sent_on(parent, provider)
    sandbox.advance(15)
    followed(provider, parent, run)
    assert run.remains is not None
    assert run.quantity is not None
    assert 0 < run.remains < 1000
    assert parent.remains == 2000 + run.remains


def test_a_run_whose_end_is_unclear_is_decided_through_its_parents_money(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words="cancel_keep:20", runs=2)
    run = sent_on(parent, provider)
    finished(sandbox, provider, parent, run)
    assert run.state == State.REVIEW
    assert (parent.undelivered, parent.refunded) == (0, Decimal(0))
    assert parent.next_run_at is not None, "it had been accepted: the next run is not its matter"

    deciding.settle_by_hand(order=run, status=Status.PARTIAL, delivered=200, actor=OPERATOR, reason="counted")
    parent.refresh_from_db()
    assert (parent.undelivered, parent.refunded, parent.remains) == (800, Decimal("0.9"), 1800)
    books_are_right()


@pytest.mark.parametrize(("status", "back"), [(Status.COMPLETED, "0"), (Status.CANCELED, "1.125")])
def test_a_run_settled_whole_by_hand(sandbox: Sandbox, status: Status, back: str) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words="cancel_keep:20", runs=2)
    run = sent_on(parent, provider)
    finished(sandbox, provider, parent, run)
    deciding.settle_by_hand(order=run, status=status, delivered=None, actor=OPERATOR, reason="looked")
    parent.refresh_from_db()
    assert parent.refunded == Decimal(back)
    books_are_right()
