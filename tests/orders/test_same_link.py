"""One order a link at a time: who is queued, who goes next, and that nobody learns of another customer by it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Customer
from catalog.models import SameLink, Service
from orders import same_link, submitting
from orders.accepting import Acceptance, accept
from orders.cancelling import Cancelled, can_cancel, request_cancel
from orders.claiming import claim
from orders.deciding import refund_whole, send_again, settle_by_hand
from orders.models import Attempt, Order, State, Status
from orders.placing import place_orders
from orders.same_link import is_taken, own_order_under_way
from providers.models import Provider
from providers.sandbox.journal import Journal
from providers.sandbox.orders import ENDED
from providers.sandbox.server import Sandbox
from records.models import AttentionItem
from tests.orders.builders import (
    LINK,
    OPERATOR,
    a_customer,
    a_provider,
    a_route,
    a_service,
    an_order,
    balance,
    books_are_right,
    followed,
    line,
    sent,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)
ONE_A_LINK = "61"  # the sandbox refuses a second active order on a link of it
OTHER_SPELLING = "HTTP://www.Example.com/post/1/?utm_source=friend"


def queueing(provider: Provider | None, external_id: str = ONE_A_LINK, **changes: Any) -> Service:
    """A service that queues behind the active order of a link."""
    known = {"rate": "2.50", "same_link": SameLink.QUEUE, "refill": False, "refill_days": None}
    return a_service(provider, external_id, **{**known, **changes})


def state_of(*orders: Order) -> list[State]:
    for order in orders:
        order.refresh_from_db()
    return [State(order.state) for order in orders]


def most_active_at_once(journal: Journal) -> int:
    """The most orders of one link and service that the provider ever had open at the same time."""
    place: dict[int, tuple[object, str]] = {}
    active: Counter[tuple[object, str]] = Counter()
    most = 0
    for entry in journal:
        if entry["kind"] == "order":
            place[entry["order"]] = (entry["service"], entry["link"].casefold().split("?")[0].rstrip("/"))
            active[place[entry["order"]]] += 1
        elif entry["kind"] == "status" and entry["status"] in ENDED and entry["order"] in place:
            active[place.pop(entry["order"])] -= 1
        most = max(most, *active.values(), 0)
    return most


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that were hinted at by ends and turns."""
    names: list[str] = []
    monkeypatch.setattr(same_link, "hint", lambda name, scope="": names.append(name))
    return names


# placing


def test_a_second_order_for_a_link_waits_for_the_first_whoever_bought_it(sandbox: Sandbox) -> None:
    provider, alice, bob = a_provider(sandbox), a_customer(), a_customer(email="bob@example.com")
    service = queueing(provider)
    first = an_order(alice, service)
    second = an_order(bob, service, link=OTHER_SPELLING)
    assert state_of(first, second) == [State.WAITING, State.QUEUED]
    assert (second.status, balance(bob)) == (Status.PENDING, Decimal("97.5"))
    sent(provider, first, second)
    assert state_of(first, second) == [State.ACCEPTED, State.QUEUED]
    turn("send_queued")
    assert state_of(second) == [State.QUEUED], "the first is under way"
    sandbox.finish_all()
    followed(provider, first)
    assert first.status == Status.COMPLETED
    assert turn("send_queued") == {"sent_on": 1}
    sent(provider, second)
    assert second.state == State.ACCEPTED
    assert [made["link"] for made in sandbox.journal.orders()] == [LINK, OTHER_SPELLING], "each as it was written"
    assert most_active_at_once(sandbox.journal) == 1
    sandbox.finish_all()
    followed(provider, second)
    assert second.status == Status.COMPLETED
    books_are_right()


def test_of_two_lines_of_one_placement_the_first_goes() -> None:
    service, open_to_all = queueing(a_provider()), a_service(a_provider(name="Other"), "1")
    lines = [
        line(service), line(service, link=OTHER_SPELLING), line(service, link=f"{LINK}0"), line(service),
        line(open_to_all), line(open_to_all),
    ]  # fmt: skip
    orders = place_orders(customer=a_customer(), lines=lines)
    waiting, queued = State.WAITING, State.QUEUED
    assert state_of(*orders) == [waiting, queued, waiting, queued, waiting, waiting]
    assert [event.kind for event in orders[1].events.all()] == ["queued"]


def test_an_order_of_a_service_that_allows_it_is_waited_for_but_waits_for_none() -> None:
    provider, alice = a_provider(), a_customer()
    allowing, service = a_service(provider), queueing(None)
    a_route(service, provider, "1")
    first = an_order(alice, allowing)
    second = an_order(alice, service)
    third = an_order(alice, allowing)
    assert state_of(first, second, third) == [State.WAITING, State.QUEUED, State.WAITING]
    [late, _] = place_orders(customer=alice, lines=[line(allowing, link=f"{LINK}0"), line(service, link=f"{LINK}0")])
    assert late.state == State.WAITING
    assert state_of(*Order.objects.order_by("-id")[:1]) == [State.QUEUED]


def test_another_link_another_provider_service_and_what_has_ended_are_no_reason_to_wait() -> None:
    provider, alice = a_provider(), a_customer()
    service = queueing(provider)
    first = an_order(alice, service)
    others = [an_order(alice, service, link=f"{LINK}/more"), an_order(alice, queueing(provider, "1"))]
    assert state_of(*others) == [State.WAITING] * 2
    request_cancel(order=first, actor=OPERATOR)
    assert state_of(an_order(alice, service)) == [State.WAITING]


def test_by_hand_there_is_no_provider_that_could_mind() -> None:
    alice, service = a_customer(), queueing(None)
    assert state_of(an_order(alice, service), an_order(alice, service)) == [State.BY_HAND] * 2


def test_all_lines_of_a_placement_are_looked_up_at_once() -> None:
    service = queueing(a_provider())
    lines = [line(service, 50, f"https://example.com/{number}") for number in range(40)]
    with CaptureQueriesContext(connection) as queries:
        place_orders(customer=a_customer("1000"), lines=lines)
    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT") and '"link_key" IN' in query["sql"]]
    assert len(asked) == 1


# sending


def waiting_twice(provider: Provider, **changes: Any) -> tuple[Order, Order]:
    """Two orders of a link that were placed at the same moment, so that neither saw the other."""
    service, alice = queueing(provider, **changes), a_customer()
    first, second = an_order(alice, service), an_order(alice, service)
    Order.objects.filter(pk=second.pk).update(state=State.WAITING)
    return first, second


def test_two_that_did_not_see_each_other_are_parted_at_the_last_look(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox, concurrency=1)
    first, second = waiting_twice(provider)
    counts = turn("submit_orders", provider)
    assert (counts["accepted"], counts["queued"]) == (1, 1)
    assert state_of(first, second) == [State.ACCEPTED, State.QUEUED]
    assert len(sandbox.journal.requests("add")) == 1
    assert second.events.filter(kind="queued").latest("id").note == f"behind order {first.pk}"
    provider.refresh_from_db()
    assert (provider.queue, AttentionItem.objects.count()) == (Provider.Queue.OPEN, 0)


def test_the_database_parts_those_whom_no_look_did(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submitting, "in_its_way", lambda order: None)
    provider = a_provider(sandbox, concurrency=1)
    first, second = waiting_twice(provider, external_id="1")
    counts = turn("submit_orders", provider)
    assert (counts["accepted"], counts["queued"]) == (1, 1)
    assert state_of(first, second) == [State.ACCEPTED, State.QUEUED]
    assert len(sandbox.journal.requests("add")) == 1
    assert second.lease_until is None
    assert not Attempt.objects.filter(order=second).exists()
    provider.refresh_from_db()
    assert (provider.queue, AttentionItem.objects.count()) == (Provider.Queue.OPEN, 0)
    sandbox.finish_all()
    followed(provider, first)
    turn("send_queued")
    sent(provider, second)
    assert second.state == State.ACCEPTED
    assert most_active_at_once(sandbox.journal) == 1


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN, State.REVIEW])
def test_what_may_be_at_the_provider_is_waited_for(state: State) -> None:
    alice, service = a_customer(), queueing(a_provider())
    first, second = an_order(alice, service), an_order(alice, service)
    Order.objects.filter(pk=first.pk).update(state=state)
    turn("send_queued")
    assert state_of(second, an_order(alice, service)) == [State.QUEUED] * 2


def test_what_is_held_lets_others_go_and_queues_when_it_is_let_go_itself(sandbox: Sandbox) -> None:
    provider, alice = a_provider(sandbox), a_customer()
    service = queueing(provider)
    first, second = an_order(alice, service), an_order(alice, service)
    Order.objects.filter(pk=first.pk).update(state=State.HELD)
    turn("send_queued")
    sent(provider, second)
    Order.objects.filter(pk=first.pk).update(state=State.WAITING)
    sent(provider, first)
    assert state_of(first, second) == [State.QUEUED, State.ACCEPTED]


def test_an_order_that_is_refused_elsewhere_meets_the_one_that_is_at_its_next_route(sandbox: Sandbox) -> None:
    provider, alice = a_provider(sandbox, concurrency=1), a_customer()
    there, two_ways = queueing(provider, "1"), queueing(provider, "9999")
    a_route(two_ways, provider, "1", position=1)
    first, moved = an_order(alice, there), an_order(alice, two_ways)
    assert state_of(first, moved) == [State.WAITING, State.WAITING], "two services of the provider"
    sent(provider, first, moved)
    assert [first.state, moved.state] == [State.ACCEPTED, State.QUEUED]
    assert moved.provider_service == first.provider_service


def test_a_queued_order_that_would_lose_by_then_is_held_when_its_turn_comes(sandbox: Sandbox) -> None:
    provider, alice = a_provider(sandbox), a_customer()
    service = queueing(provider)
    first, second = an_order(alice, service), an_order(alice, service)
    request_cancel(order=first, actor=OPERATOR)
    bought = service.routes.get().provider_service
    bought.rate = Decimal("9")
    bought.save(update_fields=["rate"])
    turn("send_queued")
    sent(provider, second)
    assert second.state == State.HELD


# whose turn it is


def test_they_go_by_age_one_a_link() -> None:
    alice, service = a_customer(), queueing(a_provider())
    first, *rest = (an_order(alice, service) for _ in range(4))
    other = [an_order(alice, service, link=f"{LINK}0") for _ in range(2)]
    request_cancel(order=first, actor=OPERATOR)
    request_cancel(order=other[0], actor=OPERATOR)
    assert turn("send_queued") == {"sent_on": 2}
    assert state_of(*rest, other[1]) == [State.WAITING, State.QUEUED, State.QUEUED, State.WAITING]
    assert turn("send_queued") == {"sent_on": 0}
    assert [event.kind for event in rest[0].events.all()] == ["queued", "next_in_line"]


def test_an_end_hints_at_those_who_wait_for_it(sandbox: Sandbox, hints: list[str]) -> None:
    provider, alice = a_provider(sandbox), a_customer()
    settled, by_hand = (an_order(alice, queueing(provider, str(number))) for number in (1, 2))
    given_back = an_order(alice, queueing(a_provider(name="Other")))
    sent(provider, settled, by_hand)
    sandbox.finish_all()
    Order.objects.filter(pk=by_hand.pk).update(state=State.REVIEW)
    hints.clear()
    followed(provider, settled)
    assert hints == ["send_queued"]
    settle_by_hand(order=by_hand, status=Status.COMPLETED, delivered=None, actor=OPERATOR, reason="seen")
    assert hints == ["send_queued"] * 2
    request_cancel(order=given_back, actor=OPERATOR)
    assert hints == ["send_queued"] * 3


def test_an_end_of_what_nobody_queues_behind_costs_no_message(hints: list[str]) -> None:
    request_cancel(order=an_order(a_customer(), a_service(a_provider())), actor=OPERATOR)
    assert hints == []


def test_going_on_hints_at_its_provider(hints: list[str]) -> None:
    alice, service = a_customer(), queueing(a_provider())
    request_cancel(order=[an_order(alice, service) for _ in range(2)][0], actor=OPERATOR)
    turn("send_queued")
    assert hints == ["send_queued", "submit_orders"]


# leaving the queue otherwise


def test_a_queued_order_is_canceled_at_once_and_for_nothing(sandbox: Sandbox) -> None:
    provider, alice, bob = a_provider(sandbox), a_customer(), a_customer(email="bob@example.com")
    service = queueing(provider)
    first, second, third = an_order(alice, service), an_order(bob, service), an_order(bob, service)
    assert can_cancel(second).allowed
    assert request_cancel(order=second, actor=OPERATOR) is Cancelled.DONE
    assert (second.state, second.status, balance(bob)) == (State.ENDED, Status.CANCELED, Decimal("97.5"))
    request_cancel(order=first, actor=OPERATOR)
    turn("send_queued")
    sent(provider, third)
    assert third.state == State.ACCEPTED
    books_are_right()


def test_the_operator_can_give_a_queued_order_back() -> None:
    alice, service = a_customer(), queueing(a_provider())
    second = [an_order(alice, service) for _ in range(2)][1]
    refund_whole(order=second, actor=OPERATOR, reason="asked for it")
    assert (second.state, balance(alice)) == (State.ENDED, Decimal("97.5"))
    books_are_right()


def test_a_queued_order_of_a_provider_that_was_switched_off_is_held(sandbox: Sandbox) -> None:
    gone, alice = a_provider(name="Gone"), a_customer()
    service = queueing(gone)
    a_route(service, a_provider(sandbox), ONE_A_LINK, position=1)
    first, second = an_order(alice, service), an_order(alice, service)
    Order.objects.filter(pk=first.pk).update(state=State.UNKNOWN)
    gone.active = False
    gone.save(update_fields=["active"])
    assert turn("tidy_orders")["stranded"] == 1
    assert state_of(second) == [State.HELD]


# late answers


def sent_again_beside_another(sandbox: Sandbox) -> tuple[Order, Order]:
    """An order that the operator lets be sent again, while another of its link was accepted meanwhile."""
    provider = a_provider(sandbox)
    alice, service = a_customer(), queueing(provider, "1")
    lost = an_order(alice, service)
    sandbox.faults.add("add", "reset_after", times=1)
    sent(provider, lost)
    assert lost.state == State.UNKNOWN
    send_again(order=lost, actor=OPERATOR, reason="not there")
    other = an_order(alice, service)
    Order.objects.filter(pk=other.pk).update(state=State.ACCEPTED, upstream_id="77", accepted_at=timezone.now())
    return lost, other


def arrives(order: Order, upstream_id: str) -> bool:
    cost = Acceptance(
        order=order, attempt=order.attempt, upstream_id=upstream_id, cost=Decimal("0.9"), exchange_rate=Decimal(1)
    )
    with transaction.atomic():
        return accept(cost)


def test_a_late_answer_is_a_fact_even_where_another_is_under_way(sandbox: Sandbox) -> None:
    lost, other = sent_again_beside_another(sandbox)
    assert arrives(lost, "78")
    assert state_of(lost, other) == [State.ACCEPTED, State.ACCEPTED]
    assert (lost.upstream_id, lost.cost) == ("78", Decimal("0.9"))
    third = an_order(lost.customer, lost.service)
    Order.objects.filter(pk=other.pk).update(state=State.ENDED, status=Status.COMPLETED, ended_at=timezone.now())
    turn("send_queued")
    assert state_of(third) == [State.QUEUED], "it is waited for all the same"


def test_a_late_answer_with_an_id_that_another_order_holds_is_still_not_believed(sandbox: Sandbox) -> None:
    lost, other = sent_again_beside_another(sandbox)
    assert not arrives(lost, "77")
    assert state_of(lost, other) == [State.WAITING, State.ACCEPTED]
    assert AttentionItem.objects.filter(cause="unknown_submission", order_id=lost.pk).exists()


def test_only_the_databases_own_words_name_the_link() -> None:
    alice, service = a_customer(), queueing(a_provider())
    first, second = an_order(alice, service), an_order(alice, service)
    Order.objects.filter(pk=first.pk).update(state=State.UNKNOWN, upstream_id="1")
    with pytest.raises(IntegrityError) as taken, transaction.atomic():
        Order.objects.filter(pk=second.pk).update(state=State.SENDING)
    assert is_taken(taken.value)
    hostile = "one_order_a_link_at_a_time orders_order.link_key"
    Order.objects.filter(pk=first.pk).update(upstream_id=hostile)
    with pytest.raises(IntegrityError) as held, transaction.atomic():
        Order.objects.filter(pk=second.pk).update(upstream_id=hostile)
    assert not is_taken(held.value)
    assert not is_taken(IntegrityError())


# what a customer may be told


def own(customer: Customer, service: Service, link: str = OTHER_SPELLING) -> Order | None:
    return own_order_under_way(customer=customer, service=service, link=link)


def test_a_customer_is_told_of_his_own_order_and_of_no_other() -> None:
    alice, bob = a_customer(), a_customer(email="bob@example.com")
    service = queueing(a_provider(), same_link=SameLink.WARN)
    order = an_order(alice, service)
    assert own(alice, service) == order
    assert own(bob, service) is None
    assert own(alice, service, f"{LINK}0") is None
    assert own(alice, service, "") is None
    newer = an_order(alice, service)
    assert own(alice, service) == newer
    for each in (order, newer):
        request_cancel(order=each, actor=OPERATOR)
    assert own(alice, service) is None


def test_of_a_drip_feed_the_order_that_was_sold_is_named() -> None:
    alice, service = a_customer(), queueing(a_provider(), same_link=SameLink.WARN)
    run = an_order(alice, service)
    parent = an_order(alice, queueing(None))
    Order.objects.filter(pk=run.pk).update(parent=parent, run=1, charge=0)
    assert own(alice, service) == parent


def test_where_it_would_queue_a_held_order_is_no_reason() -> None:
    alice, service = a_customer(), queueing(a_provider())
    order = an_order(alice, service)
    Order.objects.update(state=State.HELD)
    assert own(alice, service) is None
    service.same_link = SameLink.WARN
    assert own(alice, service) == order


def test_where_it_would_be_bought_by_now_counts() -> None:
    alice, service, gone = a_customer(), queueing(a_provider()), a_provider(name="Gone", active=False)
    route = service.routes.get()
    an_order(alice, service)
    route.position = 1
    route.save(update_fields=["position"])
    a_route(service, gone, "9", position=0)
    assert own(alice, service) is not None
    a_route(service, a_provider(name="First"), "9", position=2)
    service.routes.filter(provider_service=route.provider_service_id).update(position=3)
    assert own(alice, service) is None
    assert own(alice, queueing(None)) is None


# runs of a drip-feed


def test_the_second_run_waits_for_the_first() -> None:
    alice, service = a_customer(), queueing(a_provider())
    parent = an_order(alice, queueing(None))
    runs = [an_order(alice, service) for _ in range(2)]
    for number, run in enumerate(runs, start=1):
        Order.objects.filter(pk=run.pk).update(parent=parent, run=number, charge=0, state=State.WAITING)
    claimed = claim(Provider.objects.get(), 2)
    assert [same_link.in_its_way(run) for run in claimed] == [None, runs[0].pk]
