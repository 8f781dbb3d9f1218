"""Unknown orders and the ids they could have: attached only when nothing else can be meant, never sent again by a
guess.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders.accepting import Acceptance, accept
from orders.cancelling import request_cancel
from orders.deciding import refund_whole
from orders.models import Attempt, Order, State, Status, UpstreamPart
from providers.models import BalanceReading, Provider
from providers.sandbox.server import Sandbox
from records.models import AttentionItem, Restoration
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
    sent,
    turn,
)
from tests.orders.subscribed import a_drip_feed, a_drip_feed_service, a_subscription, a_subscription_service

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(minutes=20)


class Scene:
    """An order before, unknown ones, an order after; then twenty minutes go by, as the attempts' times tell."""

    def __init__(self, sandbox: Sandbox, *faults: str, **settings: Any) -> None:
        self.sandbox = sandbox
        self.provider: Provider = a_provider(sandbox, concurrency=1, **settings)
        self.service = a_service(self.provider)
        self.alice = a_customer("100")
        self.before = self._order("before")
        self._past()
        self.unknown: list[Order] = []
        for fault in faults:
            sandbox.faults.add("add", fault, times=1)
            self.unknown.append(self._order(f"unknown{len(self.unknown)}"))
        self._past()

    def _order(self, name: str) -> Order:
        order = an_order(self.alice, self.service, link=f"https://example.com/{name}")
        sent(self.provider, order)
        return order

    def _past(self) -> None:
        """Everything that has happened lies twenty minutes further back."""
        Attempt.objects.update(began_at=F("began_at") - LATER, ended_at=F("ended_at") - LATER)

    def after(self) -> Order:
        return self._order("after")

    def reconcile(self, *, asked_balance: bool = True) -> dict[str, int]:
        if asked_balance:
            turn("provider_balances", self.provider)
        counts = dict(turn("reconcile", self.provider))
        for order in self.unknown:
            order.refresh_from_db()
        return {name: count for name, count in counts.items() if count}


def test_the_only_record_that_nobody_holds_is_the_unknown_order(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after")
    scene.after()
    assert scene.reconcile() == {"attached": 1}
    [order] = scene.unknown
    assert order.state == State.ACCEPTED
    assert int(str(order.upstream_id)) == sorted(sandbox.orders)[1]
    assert booked(scene.provider) == sandbox.balance
    assert not AttentionItem.objects.filter(cause="unknown_submission", closed_at__isnull=True).exists()
    books_are_right()


def test_without_an_order_after_it_there_is_no_upper_bound(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after")
    assert scene.reconcile() == {"open": 1}
    assert scene.unknown[0].state == State.UNKNOWN


def test_an_order_sent_too_soon_after_it_is_no_upper_bound(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after")
    scene.after()
    Attempt.objects.filter(order=scene.unknown[0]).update(ended_at=timezone.now() - timedelta(minutes=10))
    assert scene.reconcile() == {}
    assert scene.unknown[0].state == State.UNKNOWN


def test_two_unknown_orders_in_one_gap_are_the_operators(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after", "reset_before")
    scene.after()
    assert scene.reconcile() == {"open": 2}
    assert {order.state for order in scene.unknown} == {State.UNKNOWN}
    assert AttentionItem.objects.filter(cause="unknown_submission", closed_at__isnull=True).count() == 2


def test_an_order_that_was_not_placed_is_shown_so_and_left_to_the_operator(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_before")
    scene.after()
    assert scene.reconcile() == {"not_placed": 1}
    assert scene.unknown[0].state == State.UNKNOWN
    assert len(sandbox.orders) == 2
    evidence = AttentionItem.objects.get(cause="unknown_submission").evidence
    assert "does not exist upstream" in evidence["finding"]


def test_where_the_operator_allows_it_a_not_placed_order_is_sent_again(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_before", resend_when_not_placed=True)
    scene.after()
    scene.reconcile()
    [order] = scene.unknown
    assert order.state == State.WAITING
    due_now()
    sent(scene.provider, order)
    assert (order.state, order.attempt) == (State.ACCEPTED, 2)
    assert len(sandbox.orders) == 3


@pytest.mark.parametrize(
    ("ago", "fault", "state"),
    [
        (timedelta(minutes=1), "reset_before", State.UNKNOWN),
        (timedelta(minutes=1), "reset_after", State.UNKNOWN),
        (timedelta(days=1), "reset_before", State.WAITING),
        (timedelta(days=1), "reset_after", State.ACCEPTED),
    ],
)
def test_nothing_is_decided_across_a_restore(
    sandbox: Sandbox, ago: timedelta, fault: str, state: State
) -> None:
    """Its ids may be of orders that are gone from the books, or it may have gone elsewhere; a restore of before the gap
    is no reason.
    """
    scene = Scene(sandbox, fault, resend_when_not_placed=True)
    restored_at = timezone.now() - ago
    Restoration.objects.create(taken_at=restored_at - timedelta(minutes=1), restored_at=restored_at)
    scene.after()
    scene.reconcile()
    [order] = scene.unknown
    assert order.state == state
    if state == State.UNKNOWN:
        evidence = AttentionItem.objects.get(cause="unknown_submission").evidence
        assert "restored from a backup" in evidence["finding"]
        assert len(evidence["records nobody holds"]) == (fault == "reset_after")


@pytest.mark.parametrize(("quantity", "shown"), [(700, "open"), (1000, "not_placed")])
def test_a_record_that_another_order_holds_by_a_wrong_id_is_not_overlooked(
    sandbox: Sandbox, quantity: int, shown: str
) -> None:
    """The lost order exists as the id that a later one was given. The provider cancels that one's own record and gives
    its money back, so that the balance tells nothing: the charge alone does, and the twin shows that without it the
    lost order would be taken for one that was never placed.
    """
    scene = Scene(sandbox, "reset_after", resend_when_not_placed=True)
    lost = max(sandbox.orders)
    sandbox.faults.add("add", "duplicate_id", times=1)
    thief = an_order(scene.alice, scene.service, quantity, link="https://example.com/thief")
    sent(scene.provider, thief)
    assert thief.upstream_id == str(lost)
    sandbox.set_order(max(sandbox.orders), status="Canceled")
    scene.after()
    assert scene.reconcile() == {shown: 1}
    [order] = scene.unknown
    if shown == "open":
        assert order.state == State.UNKNOWN
        evidence = AttentionItem.objects.get(cause="unknown_submission", closed_at__isnull=True).evidence
        assert str(lost) in evidence["finding"]
        assert evidence["charged as another"] == {str(lost): "0.90"}


def test_an_order_that_was_answered_with_anothers_id_is_never_shown_not_placed(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "duplicate_id", resend_when_not_placed=True)
    assert scene.unknown[0].state == State.UNKNOWN
    sandbox.faults.add("add", "duplicate_id", times=1)
    other = an_order(scene.alice, scene.service, 1000, link="https://example.com/other")
    sent(scene.provider, other)
    sandbox.set_order(max(sandbox.orders), status="Canceled")
    scene.after()
    assert scene.reconcile() == {"open": 1}
    assert scene.unknown[0].state == State.UNKNOWN


def test_missing_money_speaks_against_not_placed(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_before", resend_when_not_placed=True)
    scene.after()
    sandbox.set_balance(sandbox.balance - Decimal("0.90"))
    assert scene.reconcile() == {"open": 1}
    assert scene.unknown[0].state == State.UNKNOWN


def test_without_a_balance_since_then_nothing_is_shown(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_before", resend_when_not_placed=True)
    scene.after()
    assert scene.reconcile(asked_balance=False) == {"open": 1}
    assert not BalanceReading.objects.exists()


def test_a_wish_to_cancel_is_honoured_when_it_was_not_placed(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_before", resend_when_not_placed=True)
    [order] = scene.unknown
    request_cancel(order=order, actor=OPERATOR)
    after = scene.after()
    assert scene.reconcile() == {"not_placed": 1}
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert balance(scene.alice) == 100 - scene.before.charge - after.charge
    books_are_right()


def test_a_record_with_another_charge_is_not_taken_for_ours(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_before")
    sandbox.place_by_hand(service="1", link="https://example.com/by-hand", quantity="500")
    scene.after()
    assert scene.reconcile() == {"open": 1}
    assert scene.unknown[0].state == State.UNKNOWN


@pytest.mark.parametrize("fault", [("missing_ids", "1"), ("http", "500"), ("cut_json",)])
def test_ids_that_are_not_answered_clearly_decide_nothing(sandbox: Sandbox, fault: tuple[str, ...]) -> None:
    scene = Scene(sandbox, "reset_before", resend_when_not_placed=True)
    sandbox.place_by_hand(service="1", link="https://example.com/by-hand", quantity="1000")
    scene.after()
    turn("provider_balances", scene.provider)
    sandbox.faults.add("status", *fault)
    counts = turn("reconcile", scene.provider)
    scene.unknown[0].refresh_from_db()
    assert scene.unknown[0].state == State.UNKNOWN
    assert counts["attached"] == 0


def test_an_account_that_is_also_used_by_hand_is_never_reconciled(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after", used_by_hand=True)
    scene.after()
    assert scene.reconcile() == {}
    assert scene.unknown[0].state == State.UNKNOWN


def test_a_gap_wider_than_the_cap_is_not_asked_for(sandbox: Sandbox, settings: object) -> None:
    settings.RECONCILE_MOST_IDS = 1  # type: ignore[attr-defined]
    scene = Scene(sandbox, "reset_after", "reset_after")
    scene.after()
    asked = len(sandbox.journal.requests("status"))
    assert scene.reconcile() == {"open": 2}
    assert len(sandbox.journal.requests("status")) == asked


def test_an_answer_that_comes_late_resolves_the_order(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after")
    [order] = scene.unknown
    upstream_id = str(max(sandbox.orders))
    with transaction.atomic():
        assert accept(
            Acceptance(
                order=order,
                attempt=order.attempt,
                upstream_id=upstream_id,
                cost=Decimal("0.9"),
                exchange_rate=Decimal(1),
            )
        )
    order.refresh_from_db()
    assert order.state == State.ACCEPTED


def test_a_late_answer_after_a_newer_attempt_goes_to_the_operator(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_before")
    [order] = scene.unknown
    Order.objects.filter(pk=order.pk).update(state=State.WAITING)
    sent(scene.provider, order)
    assert (order.state, order.attempt) == (State.ACCEPTED, 2)
    held = order.upstream_id
    with transaction.atomic():
        taken = accept(
            Acceptance(order=order, attempt=1, upstream_id="1", cost=Decimal("0.9"), exchange_rate=Decimal(1))
        )
    order.refresh_from_db()
    assert not taken
    assert order.upstream_id == held
    assert AttentionItem.objects.get(cause="late_answer").order_id == order.pk
    books_are_right()


def test_an_order_that_is_being_sent_now_lies_above_the_gap(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after")
    scene.after()
    busy = an_order(scene.alice, scene.service, link="https://example.com/busy")
    assert busy.provider_service is not None
    Attempt.objects.create(
        order=busy, number=1, provider=scene.provider, provider_service=busy.provider_service, asked={}
    )
    Order.objects.filter(pk=busy.pk).update(
        state=State.SENDING, attempt=1, lease_until=timezone.now() + timedelta(minutes=1)
    )
    assert scene.reconcile() == {"attached": 1}


def test_the_record_of_an_order_that_was_given_back_is_nobody_elses(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after", "reset_before")
    made, not_made = scene.unknown
    refund_whole(order=made, actor=OPERATOR, reason="the customer could not wait")
    scene.after()
    assert scene.reconcile() == {"open": 1}
    not_made.refresh_from_db()
    assert not_made.state == State.UNKNOWN


def test_many_unknown_orders_of_one_outage_are_asked_for_together(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, "reset_after", "reset_after", "reset_before", "reset_after")
    scene.after()
    asked = len(sandbox.journal.requests("status"))
    assert scene.reconcile() == {"open": 4}
    assert len(sandbox.journal.requests("status")) == asked + 1


# records that a subscription or a drip-feed may have made


class ScenePlus(Scene):
    """The same, with a subscription of Alice's that the provider has."""

    def __init__(self, sandbox: Sandbox, *faults: str, first: bool = True, **settings: Any) -> None:
        self.subscription: Order | None = None
        self._first = first
        super().__init__(sandbox, *faults, **settings)

    def _order(self, name: str) -> Order:
        order = super()._order(name)
        if name == "before" and self._first:
            self.subscribe()
        return order

    def subscribe(self) -> None:
        self.subscription = a_subscription(self.alice, a_subscription_service(self.provider))
        sent(self.provider, self.subscription)

    def ended(self, at: datetime) -> None:
        assert self.subscription is not None
        Order.objects.filter(pk=self.subscription.pk).update(
            state=State.ENDED, status=Status.COMPLETED, ended_at=at, ask_again_at=at + timedelta(days=1)
        )


def finding() -> str:
    return str(AttentionItem.objects.get(cause="unknown_submission").evidence["finding"])


def test_while_a_subscription_is_alive_a_record_may_be_one_of_its_posts(sandbox: Sandbox) -> None:
    scene = ScenePlus(sandbox, "reset_after")
    scene.after()
    assert scene.reconcile() == {"open": 1}
    assert scene.unknown[0].state == State.UNKNOWN
    assert finding() == "One order is there, but it may be a part of a drip-feed or a subscription there."


def test_without_candidates_it_is_shown_not_placed_all_the_same(sandbox: Sandbox) -> None:
    scene = ScenePlus(sandbox, "reset_before")
    scene.after()
    assert scene.reconcile() == {"not_placed": 1}


@pytest.mark.parametrize("state", [State.UNKNOWN, State.REVIEW])
def test_a_subscription_that_may_go_on_there_is_alive(sandbox: Sandbox, state: State) -> None:
    scene = ScenePlus(sandbox, "reset_after")
    scene.after()
    assert scene.subscription is not None
    Order.objects.filter(pk=scene.subscription.pk).update(state=state)
    Attempt.objects.filter(order=scene.subscription).update(ended_at=timezone.now())  # not looked at by itself
    assert scene.reconcile()["open"] == 1
    assert scene.unknown[0].state == State.UNKNOWN


def test_a_subscription_that_was_lost_and_given_back_may_still_make_orders(sandbox: Sandbox) -> None:
    scene = ScenePlus(sandbox, "reset_after", first=False)
    sandbox.faults.add("add", "reset_after", times=1)
    scene.subscribe()
    assert scene.subscription is not None
    refund_whole(order=scene.subscription, actor=OPERATOR, reason="she could not wait")
    Attempt.objects.filter(order=scene.subscription).update(
        began_at=timezone.now() - timedelta(days=3), ended_at=timezone.now() - timedelta(days=3)
    )
    scene.after()
    assert scene.reconcile() == {"open": 1}
    assert scene.unknown[0].state == State.UNKNOWN


def test_one_that_ended_before_the_gap_made_none_of_its_orders(sandbox: Sandbox) -> None:
    scene = ScenePlus(sandbox, "reset_after")
    scene.ended(timezone.now() - 4 * LATER)
    scene.after()
    assert scene.reconcile() == {"attached": 1}


def test_one_that_ended_within_the_gap_may_have(sandbox: Sandbox) -> None:
    scene = ScenePlus(sandbox, "reset_after")
    scene.ended(timezone.now() - LATER - timedelta(minutes=1))  # before the unknown request, after the bound below it
    Attempt.objects.filter(order=scene.unknown[0]).update(
        began_at=timezone.now() - LATER, ended_at=timezone.now() - LATER
    )
    scene.after()
    assert scene.reconcile() == {"open": 1}


def test_one_that_was_placed_after_the_gap_made_none_of_its_orders(sandbox: Sandbox) -> None:
    scene = ScenePlus(sandbox, "reset_after", first=False)
    scene.after()
    scene.subscribe()
    assert scene.reconcile() == {"attached": 1}


def test_known_parts_are_no_candidates(sandbox: Sandbox) -> None:
    scene = ScenePlus(sandbox, "reset_before", first=False)
    made = sandbox.place_by_hand(service="1", link="https://example.com/part", quantity="1000")
    UpstreamPart.objects.create(order=scene.before, provider=scene.provider, upstream_id=str(made))
    sandbox.set_balance(sandbox.balance + Decimal("0.9"))  # what the part costs was paid with its whole
    scene.after()
    assert scene.reconcile() == {"not_placed": 1}


@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
@pytest.mark.parametrize("kind", ["subscription", "drip_feed"])
def test_a_subscription_or_a_drip_feed_is_found_or_given_up_by_a_person_alone(
    sandbox: Sandbox, fault: str, kind: str
) -> None:
    scene = Scene(sandbox, resend_when_not_placed=True)
    sandbox.faults.add("add", fault, times=1)
    if kind == "subscription":
        order = a_subscription(scene.alice, a_subscription_service(scene.provider))
    else:
        order = a_drip_feed(scene.alice, a_drip_feed_service(scene.provider), link="https://example.com/drip")
    sent(scene.provider, order)
    scene.unknown.append(order)
    scene._past()
    scene.after()
    assert scene.reconcile() == {"open": 1}
    assert order.state == State.UNKNOWN
    assert finding() == "A drip-feed or a subscription is found or given up by a person alone: look there."
    assert len(AttentionItem.objects.get(cause="unknown_submission").evidence["records nobody holds"]) == (
        fault == "reset_after"
    )
    books_are_right()
