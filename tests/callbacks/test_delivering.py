"""What arrives, in which order, how often it is tried, and when nobody is bothered any more."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer
from callbacks import claiming, delivering
from callbacks.claiming import claim, due_heads, due_scopes
from callbacks.models import CallbackAddress, CallbackMessage
from callbacks.outbox import CannotSend, send_again, send_test
from records.audit import SYSTEM
from records.jobs import run_job
from records.models import AuditEntry, JobRun
from tests.callbacks.builders import Got, Receiver, an_address, delivered, later, news, ok, saying
from tests.orders.builders import a_customer
from tests.providers.sockets import Connection, free_port

pytestmark = pytest.mark.django_db(transaction=True)


def numbers(receiver: Receiver) -> list[int]:
    return [got.data["number"] for got in receiver.got]


def test_a_message_arrives_once_signed_and_exactly_as_it_was_written(alice: Customer, receiver: Receiver) -> None:
    address, secret = an_address(alice, receiver)
    [message] = news(alice, 1)
    assert due_scopes() == [str(address.pk)]
    assert delivered(address) == {"delivered": 1}
    assert delivered(address) == {}
    [got] = receiver.got
    assert (got.id, got.body) == (message.message_id, message.body)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 30
    assert got.headers["content-type"] == "application/json"
    assert got.is_signed_with(secret)
    message.refresh_from_db()
    assert message.delivered_at is not None
    assert (message.last_status, message.last_error, message.tries, message.lease_until) == (200, "", 1, None)
    assert due_scopes() == []


def test_each_address_of_a_customer_is_told_and_nobody_elses(alice: Customer, receiver: Receiver) -> None:
    bert = a_customer("0", "bert@example.com")
    with Receiver() as second, Receiver() as berts:
        first_of, second_of, berts_own = (
            an_address(customer, server)[0] for customer, server in ((alice, receiver), (alice, second), (bert, berts))
        )
        news(alice, 1)
        for address in (first_of, second_of, berts_own):
            delivered(address)
        assert (numbers(receiver), numbers(second), berts.got) == ([1], [1], [])
    assert receiver.got[0].id != second.got[0].id


def test_what_is_rolled_back_was_never_a_message(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    with transaction.atomic():
        news(alice, 1)
        transaction.set_rollback(True)
    assert delivered(address) == {}
    assert not CallbackMessage.objects.exists()


def test_messages_of_one_order_keep_their_order_under_failures(alice: Customer, receiver: Receiver) -> None:
    """Each message fails twice before it is taken; other orders go on meanwhile."""
    address, _ = an_address(alice, receiver)
    seen: dict[str, int] = {}

    def twice_no(connection: Connection, got: Got) -> None:
        seen[got.id] = seen.get(got.id, 0) + 1
        connection.answer(b"", "500 Oops" if seen[got.id] <= 2 and got.data["number"] < 10 else "200 OK")

    receiver.answers = twice_no
    news(alice, 1, 2, 3)
    news(alice, 11, 12, subject="order:2")
    for _ in range(10):
        delivered(address)
        later(minutes=3)
    assert [number for number in numbers(receiver) if number < 10] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [number for number in numbers(receiver) if number > 10] == [11, 12]
    assert numbers(receiver).index(12) < numbers(receiver).index(2)
    assert not CallbackMessage.objects.filter(delivered_at=None).exists()


def reset(connection: Connection, got: Got) -> None:
    connection.reset()


def silent(connection: Connection, got: Got) -> None:
    connection.wait(3)


def dripping(connection: Connection, got: Got) -> None:
    connection.drip(b"HTTP/1.1 " + b"2" * 100, every=0.1)


@pytest.mark.parametrize(
    ("answers", "status", "error"),
    [
        (saying("500 Oops"), 500, "it answered 500"),
        (saying("404 Not Found"), 404, "it answered 404"),
        (saying("302 Found", Location="http://127.0.0.1:1/"), 302, "it answered 302; redirects are not followed"),
        (reset, None, "the connection broke"),
        (silent, None, "it did not answer within the deadline"),
        (dripping, None, "it did not answer within the deadline"),
    ],
    ids=["500", "404", "redirect", "reset", "silent", "dripping"],
)
def test_what_is_not_taken_is_kept_and_tried_again(
    alice: Customer, receiver: Receiver, answers: Any, status: int | None, error: str
) -> None:
    address, _ = an_address(alice, receiver)
    [message] = news(alice, 1)
    receiver.answers = answers
    began = time.monotonic()
    assert delivered(address) == {"failed": 1}
    assert time.monotonic() - began < 3
    message.refresh_from_db()
    assert (message.last_status, message.last_error) == (status, error)
    assert (message.delivered_at, message.parked_at) == (None, None)
    receiver.answers = ok
    assert delivered(address) == {}
    later(seconds=5)
    assert delivered(address) == {"delivered": 1}
    assert len({got.id for got in receiver.got}) == 1


def test_a_refused_connection_is_a_failure_like_others(alice: Customer) -> None:
    with free_port() as port:
        address, _ = an_address(alice, f"http://127.0.0.1:{port}/")
        [message] = news(alice, 1)
        assert delivered(address) == {"failed": 1}
    message.refresh_from_db()
    assert message.last_error == "the connection was refused"


def test_a_good_head_is_a_delivery_whatever_its_body_does(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    receiver.answers = lambda connection, got: connection.answer(b"x" * 1_000_000)
    news(alice, 1)
    assert delivered(address) == {"delivered": 1}


def test_pauses_grow_and_after_a_day_a_message_is_parked_and_lets_the_next_go(
    alice: Customer, receiver: Receiver, settings: Settings
) -> None:
    settings.CALLBACK_FAILURES_BEFORE_REST = 100
    address, _ = an_address(alice, receiver)
    first, _ = news(alice, 1, 2)
    receiver.answers = saying("500 Oops")
    pauses = []
    for _ in range(8):
        assert delivered(address) == {"failed": 1}
        first.refresh_from_db()
        pauses.append(round((first.next_try_at - timezone.now()).total_seconds()))
        later(seconds=pauses[-1] + 1)
    assert pauses == pytest.approx([5, 30, 120, 600, 1800, 3600, 7200, 7200], abs=1)
    CallbackMessage.objects.filter(pk=first.pk).update(give_up_at=timezone.now())
    receiver.answers = lambda connection, got: (ok if got.data["number"] == 2 else saying("500 Oops"))(connection, got)
    later(hours=3)
    assert delivered(address) == {"parked": 1, "delivered": 1}
    first.refresh_from_db()
    assert first.parked_at is not None
    assert first.last_error == "it answered 500"
    assert numbers(receiver) == [1] * 9 + [2]


@pytest.mark.parametrize(
    ("status", "wish", "seconds"),
    [("429 Too Many Requests", "600", 600), ("503 Service Unavailable", "999999", 7200), ("500 Oh", "600", 5)],
)
def test_a_receiver_that_asks_for_time_gets_it_within_bounds(
    alice: Customer, receiver: Receiver, status: str, wish: str, seconds: int
) -> None:
    address, _ = an_address(alice, receiver)
    [message] = news(alice, 1)
    receiver.answers = saying(status, **{"Retry-After": wish})
    delivered(address)
    message.refresh_from_db()
    wait = (message.next_try_at - timezone.now()).total_seconds()
    assert seconds - 5 < wait <= seconds


def test_a_parked_message_is_sent_again_under_its_own_id(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    [message] = news(alice, 1)
    CallbackMessage.objects.update(parked_at=timezone.now(), give_up_at=timezone.now(), tries=9)
    assert delivered(address) == {}
    send_again(message=message, actor=SYSTEM)
    assert delivered(address) == {"delivered": 1}
    send_again(message=message, actor=SYSTEM)  # his server lost it
    assert delivered(address) == {"delivered": 1}
    assert [got.id for got in receiver.got] == [message.message_id] * 2
    assert AuditEntry.objects.filter(action="callback.send_again", target_id=message.pk).count() == 2


def test_what_is_being_sent_is_not_sent_again_beside_it(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    [message] = news(alice, 1)
    assert claim(message)
    with pytest.raises(CannotSend, match="at this moment"):
        send_again(message=message, actor=SYSTEM)
    CallbackAddress.objects.update(active=False)
    with pytest.raises(CannotSend, match="switched off"):
        send_again(message=message, actor=SYSTEM)


def test_410_switches_the_address_off_and_says_so(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    news(alice, 1, 2)
    receiver.answers = saying("410 Gone")
    assert delivered(address) == {"parked": 1}
    address.refresh_from_db()
    assert (address.active, address.off_reason) == (False, "It answered 410 Gone: it wants no more messages.")
    assert AuditEntry.objects.get(action="callback.switch_off").target_id == address.pk
    later(days=2)
    assert delivered(address) == {}
    assert len(receiver.got) == 1
    assert news(alice, 3) == []


def test_an_address_that_fails_is_not_hammered_and_found_again(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    for number in range(40):
        news(alice, number, subject=f"order:{number}")
    receiver.answers = saying("503 Busy")
    delivered(address)
    assert len(receiver.got) == 12  # three waves of four; then it rests
    assert due_scopes() == []
    assert delivered(address) == {}
    rests = []
    for tries in range(13, 20):
        address.refresh_from_db()
        assert address.not_before is not None
        rests.append(round((address.not_before - timezone.now()).total_seconds()))
        later(seconds=rests[-1] + 1)
        assert due_scopes() == [str(address.pk)]
        delivered(address)
        assert len(receiver.got) == tries
    assert rests == pytest.approx([30, 60, 120, 240, 480, 600, 600], abs=2)
    receiver.answers = ok
    later(seconds=601)
    delivered(address)
    address.refresh_from_db()
    assert (address.failures, address.not_before) == (0, None)
    later(hours=1)
    delivered(address)
    assert not CallbackMessage.objects.filter(delivered_at=None).exists()


def test_messages_for_an_address_that_is_down_for_a_day_are_parked_even_untried(
    alice: Customer, receiver: Receiver
) -> None:
    address, _ = an_address(alice, receiver)
    receiver.answers = saying("503 Busy")
    for number in range(20):
        news(alice, number, subject=f"order:{number}")
    delivered(address)
    later(hours=25)
    delivered(address)
    open_still = CallbackMessage.objects.filter(delivered_at=None, parked_at=None)
    assert not open_still.exists()
    untried = CallbackMessage.objects.filter(tries=0)
    assert untried.exists()
    assert {message.last_error for message in untried} == {"The address did not answer for too long."}


def test_a_test_goes_before_all_that_waits_even_while_the_address_rests(alice: Customer, receiver: Receiver) -> None:
    address, secret = an_address(alice, receiver)
    news(alice, 1)
    CallbackAddress.objects.update(failures=9, not_before=timezone.now().replace(year=2099))
    assert delivered(address) == {}
    ping = send_test(address=address, actor=SYSTEM)
    with pytest.raises(CannotSend, match="on its way"):
        send_test(address=address, actor=SYSTEM)
    delivered(address)
    assert [got.type for got in receiver.got] == ["ping", "order.status"]
    assert receiver.got[0].id == ping.message_id
    assert receiver.got[0].is_signed_with(secret)
    assert AuditEntry.objects.get(action="callback.test").target_id == address.pk
    CallbackAddress.objects.update(active=False)
    with pytest.raises(CannotSend, match="switched off"):
        send_test(address=address, actor=SYSTEM)


def test_a_worker_that_dies_between_commit_and_delivery_loses_nothing(
    alice: Customer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _ = an_address(alice, receiver)
    [message] = news(alice, 1)

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(delivering, "send", killed)
        with pytest.raises(SystemExit):
            run_job("deliver_callbacks", str(address.pk))
    message.refresh_from_db()
    assert (message.tries, message.delivered_at) == (1, None)
    assert delivered(address) == {}  # until its lease is over somebody may be sending it
    later(minutes=1)
    assert delivered(address) == {"delivered": 1}
    assert numbers(receiver) == [1]


def test_a_worker_that_dies_after_sending_makes_a_second_delivery_with_the_same_id(
    alice: Customer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _ = an_address(alice, receiver)
    news(alice, 1)

    def killed(*_: object) -> str:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(delivering, "write_back", killed)
        with pytest.raises(SystemExit):
            run_job("deliver_callbacks", str(address.pk))
    later(minutes=1)
    delivered(address)
    assert len(receiver.got) == 2
    assert len({got.id for got in receiver.got}) == 1


def test_what_comes_back_after_a_later_try_began_changes_nothing(alice: Customer, receiver: Receiver) -> None:
    an_address(alice, receiver)
    [message] = news(alice, 1)
    assert claim(message)
    [again] = CallbackMessage.objects.all()
    CallbackMessage.objects.update(lease_until=timezone.now())
    assert claim(again)
    assert claiming.write_back(message, claiming.Outcome(500, "it answered 500")) == "late"
    again.refresh_from_db()
    assert (again.tries, again.last_error) == (2, "")
    assert again.lease_until is not None


def test_of_a_subject_only_the_oldest_open_message_is_a_head(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    first, second = news(alice, 1, 2)
    [other] = news(alice, 3, subject="order:2")
    assert due_heads(address, 10) == [first, other]
    assert claim(first)
    assert due_heads(address, 10) == [other]
    CallbackMessage.objects.filter(pk=first.pk).update(parked_at=timezone.now(), lease_until=None)
    assert due_heads(address, 10) == [second, other]


def test_a_slow_receiver_delays_nobody_else(alice: Customer, receiver: Receiver) -> None:
    bert = a_customer("0", "bert@example.com")
    address, _ = an_address(alice, receiver)
    with Receiver(silent) as slow:
        an_address(bert, slow)
        news(bert, 1)
        news(alice, 1)
        assert len(due_scopes()) == 2
        began = time.monotonic()
        delivered(address)
        assert time.monotonic() - began < 1


def test_a_secret_of_another_secret_key_signs_nothing(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    news(alice, 1)
    secret = "gAAAAA-not-ours"
    CallbackAddress.objects.update(secret=secret)
    run = run_job("deliver_callbacks", str(address.pk))
    assert run is not None
    assert run.error.startswith("SecretUnreadable")
    assert receiver.got == []
    assert JobRun.objects.count() == 1


def test_old_messages_are_forgotten_and_then_their_removed_address(alice: Customer, receiver: Receiver) -> None:
    address, _ = an_address(alice, receiver)
    old, young = news(alice, 1, 2)
    long_ago = timezone.now().replace(year=2020)
    CallbackMessage.objects.filter(pk=old.pk).update(created_at=long_ago)
    CallbackAddress.objects.update(removed_at=long_ago, active=False)
    run = run_job("prune_callbacks")
    assert run is not None
    assert run.counts == {"messages": 1, "addresses": 0}
    assert list(CallbackMessage.objects.all()) == [young]
    CallbackMessage.objects.update(created_at=long_ago)
    run = run_job("prune_callbacks")
    assert run is not None
    assert run.counts == {"messages": 1, "addresses": 1}
