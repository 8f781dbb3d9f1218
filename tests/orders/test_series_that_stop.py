"""Drip-feeds that the panel runs: stopped, decided, interrupted, refilled, and exact to the last digit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog.models import ProviderService
from ledger.amounts import PER, divide_up, from_units, to_units
from orders import deciding, placing, series, submitting
from orders.asking_again import _share
from orders.books import check_orders
from orders.cancelling import Cancelled, CannotCancel, can_cancel, request_cancel
from orders.claiming import mark
from orders.deciding import CannotDecide
from orders.models import CancelRequest, Order, State, Status
from orders.reading import News
from orders.refilling import CannotRefill, can_refill, request_refill
from orders.routing import ExchangeRates
from orders.syncing import write_news
from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    books_are_right,
    due_now,
    turn,
)
from tests.orders.in_runs import (
    ALICE,
    INTERVAL,
    a_drip_feed,
    an_hour_later,
    an_unknown_run,
    begun,
    finished,
    runs_of,
    sent_on,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_decision_about_the_drip_feed_itself_is_refused(sandbox: Sandbox) -> None:
    parent = a_drip_feed(a_provider(sandbox))
    with pytest.raises(CannotDecide, match="is a drip-feed: decide about its runs, or cancel it"):
        deciding.refund_whole(order=parent, actor=OPERATOR, reason="no")
    with pytest.raises(CannotDecide, match="is a drip-feed"):
        deciding.settle_by_hand(order=parent, status=Status.COMPLETED, delivered=None, actor=OPERATOR, reason="no")


def test_a_cancel_before_the_first_run_gives_everything_back(sandbox: Sandbox) -> None:
    parent = a_drip_feed(a_provider(sandbox))
    assert request_cancel(order=parent, actor=ALICE) == Cancelled.DONE
    assert (parent.state, parent.status, parent.refunded) == (State.ENDED, Status.CANCELED, parent.charge)
    assert balance(parent.customer) == 100
    assert turn("run_series") == {}
    books_are_right()


@pytest.mark.parametrize("state", [State.WAITING, State.HELD, State.QUEUED])
def test_a_cancel_while_the_run_was_not_sent_gives_everything_back(sandbox: Sandbox, state: State) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    run = begun(parent)
    Order.objects.filter(pk=run.pk).update(state=state)
    assert request_cancel(order=parent, actor=ALICE) == Cancelled.DONE
    assert parent.refunded == parent.charge
    turn("submit_orders", provider)
    assert sandbox.orders == {}
    books_are_right()


def test_a_cancel_between_two_runs_gives_back_what_was_not_begun_at_once(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    run = sent_on(parent, provider)
    finished(sandbox, provider, parent, run)
    assert request_cancel(order=parent, actor=ALICE) == Cancelled.REST
    assert (parent.state, parent.status, parent.refunded) == (State.ENDED, Status.PARTIAL, Decimal("2.25"))
    assert parent.remains == 2000
    books_are_right()


def test_a_cancel_while_a_run_is_unknown_keeps_the_wish(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent, run = an_unknown_run(sandbox, provider)
    assert request_cancel(order=parent, actor=ALICE) == Cancelled.STOPPED
    run.refresh_from_db()
    assert run.cancel_wished_at is not None
    assert (parent.state, parent.refunded) == (State.SERIES, Decimal("2.25"))
    [upstream] = sandbox.orders
    deciding.it_exists(order=run, upstream_id=str(upstream), actor=OPERATOR, reason="found")
    parent.refresh_from_db()
    assert parent.next_run_at is None
    assert CancelRequest.objects.get().order_id == run.pk
    finished(sandbox, provider, parent, run)
    assert (parent.state, parent.status, parent.refunded) == (State.ENDED, Status.PARTIAL, Decimal("2.25"))
    books_are_right()


@pytest.mark.parametrize(
    ("words", "fault"), [("", "rate_limit:1"), ("refuse:link", ""), ("refuse:funds", "")], ids=["away", "link", "funds"]
)
def test_a_cancel_while_a_run_is_being_sent_is_kept_until_the_answer(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, words: str, fault: str
) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words=words)
    if fault:
        sandbox.faults.add("add", *fault.split(":"), times=1)
    said: list[Cancelled] = []

    def marked_and_canceled(order: Order, *args: Any, **kwargs: Any) -> bool:
        marked = mark(order, *args, **kwargs)
        said.append(request_cancel(order=Order.objects.get(pk=parent.pk), actor=ALICE))
        return marked

    monkeypatch.setattr(submitting, "mark", marked_and_canceled)
    run = sent_on(parent, provider)
    assert said == [Cancelled.STOPPED]
    assert (run.state, parent.state, parent.status) == (State.ENDED, State.ENDED, Status.CANCELED)
    assert balance(parent.customer) == 100
    assert sandbox.orders == {}
    books_are_right()


def test_a_cancel_while_runs_are_with_the_provider_asks_for_each(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    first = sent_on(parent, provider)
    an_hour_later(parent)
    second = sent_on(parent, provider)
    assert request_cancel(order=parent, actor=ALICE) == Cancelled.STOPPED
    assert set(CancelRequest.objects.values_list("order_id", flat=True)) == {first.pk, second.pk}
    assert parent.refunded == Decimal("1.125")
    assert can_cancel(parent).why == "Cancellation has been requested."
    with pytest.raises(CannotCancel):
        request_cancel(order=parent, actor=ALICE)

    turn("send_cancels", provider)
    finished(sandbox, provider, parent)
    assert (parent.state, parent.status, parent.refunded) == (State.ENDED, Status.CANCELED, parent.charge)
    assert balance(parent.customer) == 100
    books_are_right()


def test_a_cancel_of_what_cannot_be_canceled_lets_the_run_go_to_its_end(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, cancel=False)
    run = sent_on(parent, provider)
    assert request_cancel(order=parent, actor=ALICE) == Cancelled.STOPPED
    assert not CancelRequest.objects.exists()
    finished(sandbox, provider, parent, run)
    assert (parent.status, parent.refunded) == (Status.PARTIAL, Decimal("2.25"))
    books_are_right()


def test_a_canceled_run_of_an_operator_ends_the_series(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    run = begun(parent)
    assert request_cancel(order=run, actor=OPERATOR) == Cancelled.DONE
    parent.refresh_from_db()
    assert (parent.state, parent.refunded) == (State.ENDED, parent.charge)
    books_are_right()


def test_a_process_that_dies_while_it_makes_a_run_leaves_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = a_drip_feed(a_provider(sandbox))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(series, "tell", dies)
        with pytest.raises(KeyboardInterrupt):
            series.begin_run(parent, ExchangeRates())
    before = parent.runs_left
    parent.refresh_from_db()
    assert parent.runs_left == before
    assert parent.next_run_at is not None
    assert runs_of(parent) == []
    assert begun(parent).run == 1


def test_a_second_hand_with_the_same_reading_makes_no_run(sandbox: Sandbox) -> None:
    parent = a_drip_feed(a_provider(sandbox))
    [mine], [theirs] = list(series.due_series()), list(series.due_series())
    assert series.begin_run(mine, ExchangeRates()) is not None
    assert series.begin_run(theirs, ExchangeRates()) is None
    assert len(runs_of(parent)) == 1


def test_a_stopped_series_is_begun_by_nobody(sandbox: Sandbox) -> None:
    parent = a_drip_feed(a_provider(sandbox))
    [stale] = series.due_series()
    request_cancel(order=parent, actor=ALICE)
    assert series.begin_run(stale, ExchangeRates()) is None
    assert runs_of(parent) == []


def test_the_runs_of_a_switched_off_provider_go_elsewhere(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    run = begun(parent)
    Provider.objects.update(active=False)
    turn("tidy_orders")
    run.refresh_from_db()
    assert run.state == State.HELD
    Provider.objects.update(active=True)
    Order.objects.filter(pk=run.pk).update(not_before=timezone.now() - timedelta(hours=1))
    turn("tidy_orders")
    due_now()
    turn("submit_orders", provider)
    parent.refresh_from_db()
    assert parent.next_run_at is not None


def test_a_refill_is_asked_for_each_run_that_was_completed(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    assert can_refill(parent).why == "Each run can be refilled from Completed on, within 30 days."
    first = sent_on(parent, provider)
    an_hour_later(parent)
    finished(sandbox, provider, parent, first)
    second = sent_on(parent, provider)
    fresh = Order.objects.get(pk=parent.pk)
    assert can_refill(fresh).allowed
    request = request_refill(order=fresh, actor=ALICE)
    assert request.order == first
    assert not second.refills.exists()
    with pytest.raises(CannotRefill):
        request_refill(order=fresh, actor=ALICE)


def test_a_refill_of_runs_ends_with_the_last_ones_days(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    run = sent_on(parent, provider)
    finished(sandbox, provider, parent, run)
    Order.objects.filter(pk=run.pk).update(ended_at=timezone.now() - timedelta(days=31))
    with pytest.raises(CannotRefill, match="30 days of refill are over"):
        request_refill(order=parent, actor=ALICE)


def test_of_a_later_refund_the_share_is_of_what_the_run_delivered(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words="partial:30")
    run = sent_on(parent, provider)
    finished(sandbox, provider, parent, run)
    assert run.cost is not None
    assert _share(run, run.cost / 2) == Decimal("0.16875")  # half of 300 at 1.125 a thousand


@st.composite
def ends(draw: st.DrawFn) -> tuple[int, int, list[list[tuple[int, int]]]]:
    """A rate, the quantity of each run, and batches of (run, delivered) in which all runs end."""
    each = draw(st.integers(1, 5000))
    order = draw(st.permutations(range(1, draw(st.integers(2, 6)) + 1)))
    ended = [(run, draw(st.sampled_from([0, 1, each // 3, each - 1, each]))) for run in order]
    cuts = sorted(draw(st.sets(st.integers(1, len(ended) - 1))))
    batches = [ended[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(ended)], strict=True)]
    return draw(st.integers(1, 10_000_000)), each, batches


@pytest.mark.django_db(transaction=False)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=ends())
def test_a_drip_feed_keeps_to_the_last_digit_what_one_order_would(
    case: tuple[int, int, list[list[tuple[int, int]]]],
) -> None:
    rate, each, batches = case
    runs = sum(map(len, batches))
    with transaction.atomic():
        provider = a_provider()
        service = a_service(provider, rate=str(from_units(rate)), min=1, dripfeed=True)
        ProviderService.objects.update(rate=0)
        customer = a_customer("1000000")
        parent = an_order(customer, service, each, runs=runs, interval=INTERVAL)
        with_the_provider(parent)
        for batch in batches:
            write_news([_end(parent, run, each, delivered) for run, delivered in batch])
        parent.refresh_from_db()
        delivered = sum(came for batch in batches for _, came in batch)
        kept = parent.charge - parent.refunded
        whole = divide_up(rate * each * runs, PER)
        assert parent.state == State.ENDED
        assert to_units(kept) == (whole if delivered == each * runs else min(whole, divide_up(rate * delivered, PER)))
        assert balance(customer) == 1_000_000 - kept
        assert parent.remains == parent.undelivered == each * runs - delivered
        assert list(check_orders()) == []
        transaction.set_rollback(True)


def with_the_provider(parent: Order) -> None:
    """All runs at once, each with an id there."""
    for number in range(parent.runs or 0):
        Order.objects.filter(pk=parent.pk).update(next_run_at=timezone.now())
        [due] = series.due_series()
        run = series.begin_run(due, ExchangeRates())
        assert run is not None
        Order.objects.filter(pk=run.pk).update(
            state=State.ACCEPTED, upstream_id=str(number), accepted_at=timezone.now(), cost=0, exchange_rate=1
        )


def _end(parent: Order, number: int, each: int, delivered: int) -> News:
    run = Order.objects.get(parent=parent, run=number)
    status = Status.COMPLETED if delivered == each else Status.PARTIAL if delivered else Status.CANCELED
    return News(
        order_id=run.pk, status=status, word=status.value, start_count=0, remains=each - delivered,
        remains_said=each - delivered, charge=None, cost=None,
    )  # fmt: skip


def test_a_series_that_was_placed_is_hinted_and_needs_no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    hinted: list[str] = []
    monkeypatch.setattr(placing, "hint", lambda name, scope="": hinted.append(name))
    an_order(a_customer(), a_service(a_provider(), dripfeed=True), runs=2, interval=60)
    assert hinted == ["run_series"]


def test_a_run_that_became_too_dear_is_held_with_what_it_was_sold_for(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    an_order(a_customer(), a_service(provider, dripfeed=True), runs=2, interval=60)
    turn("run_series")
    ProviderService.objects.update(rate=Decimal("2"))
    turn("submit_orders", provider)
    run = Order.objects.get(run=1)
    assert (run.state, run.reason) == (State.HELD, "It costs 2.00 now and was sold for 1.125.")
    assert AttentionItem.objects.get(cause="order_held").evidence["sold for"] == "1.125"
