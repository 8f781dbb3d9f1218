"""Drip-feeds that the panel runs: one charge, many orders; the interval kept, the money exact, each run once."""

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

from accounts.models import Customer
from catalog.models import ProviderService, Service
from ledger.amounts import PER, divide_up, from_units, to_units
from ledger.models import Transfer
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
from records.audit import Actor
from records.models import AttentionItem
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    booked,
    books_are_right,
    due_now,
    followed,
    saying,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = Actor("alice@example.com")
INTERVAL = 60  # minutes


def a_drip_feed(provider: Provider, *, runs: int = 3, words: str = "", **changes: Any) -> Order:
    """Runs of 1,000 at 1.125 a thousand, an hour apart; `words` say how each run fares at the sandbox."""
    service = Service.objects.filter(name="Drops").first() or a_service(
        provider, name="Drops", dripfeed=True, **changes
    )
    customer = Customer.objects.first() or a_customer("100")
    link = saying(words) if words else "https://example.com/post/1"
    return an_order(customer, service, 1000, link, runs=runs, interval=INTERVAL)


def runs_of(parent: Order) -> list[Order]:
    return list(Order.objects.filter(parent=parent).order_by("run"))


def begun(parent: Order) -> Order:
    """Begins what is due; the newest run."""
    turn("run_series")
    parent.refresh_from_db()
    return runs_of(parent)[-1]


def sent_on(parent: Order, provider: Provider) -> Order:
    """Begins the due run and sends it."""
    run = begun(parent)
    turn("submit_orders", provider)
    parent.refresh_from_db()
    run.refresh_from_db()
    return run


def an_hour_later(parent: Order) -> None:
    """The moment in which the next run is due."""
    assert parent.next_run_at is not None
    Order.objects.filter(pk=parent.pk).update(next_run_at=timezone.now())


def finished(sandbox: Sandbox, provider: Provider, *orders: Order) -> None:
    sandbox.finish_all()
    followed(provider, *orders)


def all_sent(parent: Order, provider: Provider) -> list[Order]:
    """Every run begun and sent, each when it was due."""
    assert parent.runs is not None
    for number in range(parent.runs):
        if number:
            an_hour_later(parent)
        sent_on(parent, provider)
    return runs_of(parent)


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


def an_unknown_run(sandbox: Sandbox, provider: Provider) -> tuple[Order, Order]:
    parent = a_drip_feed(provider)
    sandbox.faults.add("add", "reset_after", times=1)
    run = sent_on(parent, provider)
    assert run.state == State.UNKNOWN
    return parent, run


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
