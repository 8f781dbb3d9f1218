"""The four outcomes of sending, by what really happened at the sandbox."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from orders import outcomes, submitting
from orders.models import Attempt, Order, OrderEvent, State, Status
from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    a_customer,
    a_provider,
    a_route,
    a_service,
    an_order,
    balance,
    booked,
    books_are_right,
    due_now,
    saying,
    sent,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "fault", ["reset_after", "cut_json", "html_after", "empty_after", "http_after:502", "wrong_types", "cut_body"]
)
def test_an_order_that_was_made_but_not_answered_is_never_sent_again(sandbox: Sandbox, fault: str) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider))
    sandbox.faults.add("add", *fault.split(":"), times=1)
    sent(provider, order)
    assert order.state == State.UNKNOWN
    due_now()
    sent(provider, order)
    assert order.state == State.UNKNOWN
    assert len(sandbox.orders) == 1
    assert balance(alice) == Decimal("98.875"), "no refund by itself"
    assert AttentionItem.objects.get(cause="unknown_submission").order_id == order.pk


def test_a_slow_answer_is_unknown_at_the_deadline(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox, deadline_seconds=2)
    order = an_order(a_customer(), a_service(provider))
    sandbox.faults.add("add", "timeout_after", times=1)
    sent(provider, order)
    assert order.state == State.UNKNOWN
    assert len(sandbox.orders) == 1


@pytest.mark.parametrize("fault", ["rate_limit:1", "http:521"])
def test_a_provider_that_took_nothing_gets_the_order_later(sandbox: Sandbox, fault: str) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    sandbox.faults.add("add", *fault.split(":"), times=1)
    sent(provider, order)
    assert order.state == State.WAITING
    assert order.not_before > timezone.now()
    due_now()
    sent(provider, order)
    assert order.state == State.ACCEPTED
    assert [attempt.outcome for attempt in order.attempts.order_by("number")] == ["not_sent", "accepted"]
    assert len(sandbox.orders) == 1


def test_a_provider_that_cannot_be_reached_leaves_the_order_waiting() -> None:
    provider = a_provider()
    order = an_order(a_customer(), a_service(provider))
    sent(provider, order)
    assert (order.state, order.status) == (State.WAITING, Status.PENDING)
    assert order.attempts.get().outcome == Attempt.Outcome.NOT_SENT


@pytest.mark.parametrize("word", ["refuse:link", "refuse"])
def test_a_refused_order_is_given_back(sandbox: Sandbox, word: str) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), link=saying(word))
    sent(provider, order)
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(alice) == 100
    assert booked(provider) == sandbox.balance
    books_are_right()


def test_no_funds_upstream_pauses_the_queue_and_the_order_waits(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), link=saying("refuse:funds"))
    sent(provider, order)
    provider.refresh_from_db()
    assert order.state == State.WAITING
    assert provider.queue == Provider.Queue.PAUSED
    assert balance(alice) == Decimal("98.875")
    assert AttentionItem.objects.filter(cause="provider_paused").count() == 1
    due_now()
    assert turn("submit_orders", provider) == {}
    assert len(sandbox.journal.requests("add")) == 1


def test_after_a_pause_one_trial_order_goes_before_the_rest(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    service = a_service(provider)
    alice = a_customer()
    orders = [an_order(alice, service, link=f"https://example.com/{n}") for n in range(4)]
    sandbox.set_balance("0")
    turn("submit_orders", provider)
    provider.refresh_from_db()
    assert provider.queue == Provider.Queue.PAUSED
    sandbox.set_balance("50")
    turn("probe_providers", provider)
    provider.refresh_from_db()
    assert provider.queue == Provider.Queue.TRIAL
    due_now()
    sent(provider, *orders)
    assert {order.state for order in orders} == {State.ACCEPTED}
    provider.refresh_from_db()
    assert provider.queue == Provider.Queue.OPEN


def test_a_service_that_is_refused_goes_to_the_next_route(sandbox: Sandbox) -> None:
    first, second = a_provider(sandbox, name="First"), a_provider(sandbox, name="Second")
    service = a_service(first, "9999")
    a_route(service, second, "1", position=1)
    alice = a_customer("100")
    order = an_order(alice, service)
    sent(first, order)
    assert (order.state, order.provider) == (State.WAITING, second)
    sent(second, order)
    assert order.state == State.ACCEPTED
    assert [attempt.outcome for attempt in order.attempts.order_by("number")] == ["rejected", "accepted"]


def test_a_service_that_is_refused_everywhere_is_given_back(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider, "9999"))
    sent(provider, order)
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(alice) == 100


def test_a_busy_link_waits(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider), link=saying("refuse:duplicate"))
    sent(provider, order)
    assert order.state == State.WAITING
    assert order.not_before > timezone.now() + timedelta(minutes=5)


def test_only_the_providers_own_refusals_count_as_waiting_for_a_busy_link(sandbox: Sandbox) -> None:
    """An order that waited in our own queue for days still gets its day at the provider."""
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider), link=saying("refuse:duplicate"))
    Order.objects.update(created_at=timezone.now() - timedelta(days=3))
    sent(provider, order)
    assert order.state == State.WAITING
    Attempt.objects.update(began_at=timezone.now() - timedelta(hours=25))
    due_now()
    sent(provider, order)
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(alice) == 100


def test_a_refusal_in_unclassified_words_holds_the_order(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    order = an_order(alice, a_service(provider))
    sandbox.faults.add("add", "answer", '{"error": "Kein Anschluss unter dieser Nummer"}', times=1)
    sent(provider, order)
    assert (order.state, order.status) == (State.HELD, Status.PENDING)
    assert "Kein Anschluss" in order.reason
    assert balance(alice) == Decimal("98.875")


def test_an_id_that_another_order_holds_is_not_believed(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    service, alice = a_service(provider), a_customer()
    first = an_order(alice, service)
    sent(provider, first)
    sandbox.faults.add("add", "duplicate_id", times=1)
    second = an_order(alice, service, link="https://example.com/2")
    sent(provider, first, second)
    assert (first.state, second.state) == (State.ACCEPTED, State.UNKNOWN)
    assert second.upstream_id is None
    books_are_right()


def test_five_unknowns_in_a_row_pause_the_provider(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox, concurrency=1)
    service, alice = a_service(provider), a_customer()
    orders = [an_order(alice, service, link=f"https://example.com/{n}") for n in range(7)]
    sandbox.faults.add("add", "reset_after")
    sent(provider, *orders)
    provider.refresh_from_db()
    assert provider.queue == Provider.Queue.PAUSED
    assert sorted(order.state for order in orders) == [State.UNKNOWN] * 5 + [State.WAITING] * 2
    assert len(sandbox.orders) == 5


def test_an_order_whose_process_died_becomes_unknown(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    Order.objects.filter(pk=order.pk).update(
        state=State.SENDING, attempt=1, lease_until=timezone.now() - timedelta(seconds=1)
    )
    turn("tidy_orders")
    sent(provider, order)
    assert order.state == State.UNKNOWN
    assert len(sandbox.orders) == 0


def test_a_claim_whose_process_died_is_simply_claimed_again(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    Order.objects.filter(pk=order.pk).update(attempt=1, lease_until=timezone.now() - timedelta(seconds=1))
    sent(provider, order)
    assert (order.state, order.attempt) == (State.ACCEPTED, 2)
    assert len(sandbox.orders) == 1


def test_an_order_that_would_lose_by_now_is_held(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    service = a_service(provider)
    order = an_order(alice, service)
    bought = service.routes.get().provider_service
    bought.rate = Decimal(2)
    bought.save()
    sent(provider, order)
    assert (order.state, order.status) == (State.HELD, Status.PENDING)
    assert len(sandbox.journal.requests("add")) == 0
    bought.rate = Decimal("0.9")
    bought.save()
    Order.objects.filter(pk=order.pk).update(not_before=timezone.now() - timedelta(hours=1))
    turn("tidy_orders")
    sent(provider, order)
    assert order.state == State.ACCEPTED


def test_an_order_held_too_long_is_given_back(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), a_provider(sandbox)
    service = a_service(provider)
    order = an_order(alice, service)
    service.routes.get().provider_service.__class__.objects.update(max=100)
    sent(provider, order)
    assert order.state == State.HELD
    order.events.filter(kind="held").update(at=timezone.now() - timedelta(hours=25))
    Order.objects.filter(pk=order.pk).update(not_before=timezone.now() - timedelta(hours=25))
    turn("tidy_orders")
    order.refresh_from_db()
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(alice) == 100
    books_are_right()


def test_a_provider_that_answers_with_one_id_for_all_is_paused(sandbox: Sandbox) -> None:
    provider, alice = a_provider(sandbox, concurrency=1), a_customer("100")
    service = a_service(provider)
    first = an_order(alice, service, link="https://example.com/first")
    sent(provider, first)
    sandbox.faults.add("add", "answer_after", f'{{"order": {first.upstream_id}}}')
    orders = [an_order(alice, service, link=f"https://example.com/{number}") for number in range(7)]
    sent(provider, *orders)
    provider.refresh_from_db()
    assert provider.queue == Provider.Queue.PAUSED
    assert len(sandbox.orders) == 6
    assert orders[0].attempts.get().outcome == Attempt.Outcome.UNKNOWN


def test_orders_of_a_provider_that_was_switched_off_go_elsewhere_or_are_given_back(sandbox: Sandbox) -> None:
    off, on, alice = a_provider(sandbox), a_provider(sandbox, name="Other"), a_customer("100")
    both, one = a_service(off), a_service(off, "2", name="Likes")
    a_route(both, on, "1", position=1)
    moves, stays = an_order(alice, both), an_order(alice, one)
    Provider.objects.filter(pk=off.pk).update(active=False)
    turn("tidy_orders")
    Order.objects.update(not_before=timezone.now() - timedelta(hours=1))
    turn("tidy_orders")
    sent(on, moves, stays)
    assert (moves.state, moves.provider) == (State.ACCEPTED, on)
    assert stays.state == State.HELD
    OrderEvent.objects.filter(order=stays, kind="held").update(at=timezone.now() - timedelta(hours=25))
    Order.objects.filter(pk=stays.pk).update(not_before=timezone.now() - timedelta(hours=1))
    turn("tidy_orders")
    assert balance(alice) == 100 - moves.charge
    books_are_right()


def test_our_own_limit_leaves_no_trace_and_is_no_fault_of_the_provider(sandbox: Sandbox, settings: Settings) -> None:
    settings.PROVIDER_ADD_PATIENCE_SECONDS = 0.2
    settings.JOB_BUDGET_SECONDS = 1.0
    provider = a_provider(sandbox, concurrency=1)
    provider.__class__.objects.update(requests_per_minute=2)
    alice, service = a_customer(), a_service(provider)
    orders = [an_order(alice, service, link=f"https://example.com/{n}") for n in range(4)]
    sent(provider, *orders)
    assert Counter(order.state for order in orders) == {State.ACCEPTED: 2, State.WAITING: 2}
    waiting = [order for order in orders if order.state == State.WAITING]
    assert not Attempt.objects.filter(order__in=waiting).exists()
    assert all(order.not_before < timezone.now() + timedelta(seconds=5) for order in waiting)


def test_without_an_exchange_rate_an_order_is_held(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    Provider.objects.update(currency="EUR")
    sent(provider, order)
    assert order.state == State.HELD
    assert len(sandbox.orders) == 0


def test_a_route_without_an_exchange_rate_hides_none_behind_it(sandbox: Sandbox) -> None:
    euros = a_provider(name="Euros", currency="EUR")
    service = a_service(euros)
    dollars = a_provider(sandbox, name="Dollars")
    a_route(service, dollars, "1", position=1)
    order = an_order(a_customer(), service)
    sent(dollars, order)
    assert (order.state, order.provider) == (State.ACCEPTED, dollars)


def test_a_database_that_is_away_for_a_moment_loses_no_answer(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    tries = []

    def away_at_first(sent: outcomes.Sent) -> None:
        tries.append(sent)
        if len(tries) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        outcomes.write_outcome(sent)

    monkeypatch.setattr(submitting, "write_outcome", away_at_first)
    sent(provider, order)
    assert order.state == State.ACCEPTED
    assert len(tries) == 2
    books_are_right()


def test_a_refusal_is_an_answer_and_breaks_the_row_of_unknowns(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox, concurrency=1)
    service, alice = a_service(provider), a_customer()
    sandbox.faults.add("add", "reset_after", times=4)
    sent(provider, *[an_order(alice, service, link=f"https://example.com/{n}") for n in range(4)])
    sent(provider, an_order(alice, service, link=saying("refuse:link")))
    sandbox.faults.add("add", "reset_after", times=1)
    sent(provider, an_order(alice, service, link="https://example.com/last"))
    provider.refresh_from_db()
    assert (provider.queue, provider.unknowns_in_a_row) == (Provider.Queue.OPEN, 1)


def test_a_trial_order_without_an_answer_pauses_again(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox, queue=Provider.Queue.TRIAL)
    service, alice = a_service(provider), a_customer()
    orders = [an_order(alice, service, link=f"https://example.com/{n}") for n in range(3)]
    sandbox.faults.add("add", "reset_after")
    sent(provider, *orders)
    provider.refresh_from_db()
    assert provider.queue == Provider.Queue.PAUSED
    assert sorted(order.state for order in orders) == [State.UNKNOWN] + [State.WAITING] * 2
