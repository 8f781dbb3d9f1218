"""A problem with an order: said by its customer, answered by staff, and what an answer does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Customer, User
from conversations.models import Thread
from conversations.talking import (
    CannotWrite,
    answer,
    open_thread,
    resolve_by_note,
    resolve_by_refill,
    resolve_by_refund,
    write,
)
from ledger.balances import balance_of
from orders.models import Order, Status
from orders.refilling import CannotRefill
from records.audit import Actor, actor_of
from records.models import AttentionItem, AuditEntry
from tests.portal.builders import a_service, an_order, ended, under_way
from tests.portal.letters import posted

pytestmark = pytest.mark.django_db
STAFF = Actor("bob@example.com")


def _say(client: Client, order: Order, **fields: str) -> Any:
    words = {"topic": "dropped", "text": "It fell by half.", **fields}
    return client.post(f"/orders/{order.pk}/problem/", words, follow=True)


def _thread(order: Order, text: str = "It fell by half.") -> Thread:
    return open_thread(order=order, topic="dropped", text=text, actor=actor_of(order.customer.user))


def _open_items() -> list[str]:
    found = AttentionItem.objects.filter(cause="customer_problem", closed_at__isnull=True)
    return list(found.order_by("pk").values_list("summary", flat=True))


def test_a_customer_tells_and_reads_the_answer_where_his_orders_are(as_alice: Client, alice: Customer) -> None:
    order = ended(alice)
    page = _say(as_alice, order).content.decode()
    assert "It is sent." in page
    assert "It fell by half." in page
    assert _open_items() == [f"Order {order.pk}: The count has dropped"]
    answer(thread=Thread.objects.get(), text="We look into it.\n<b>Soon</b>", actor=STAFF)
    assert _open_items() == []
    assert "You have an answer:" in as_alice.get("/orders/").content.decode()
    assert "Read the answer" in as_alice.get(f"/orders/{order.pk}/").content.decode()
    assert "Read the answer" not in as_alice.get(f"/orders/{ended(alice).pk}/").content.decode()
    page = as_alice.get(f"/orders/{order.pk}/problem/").content.decode()
    assert "We look into it." in page
    assert "&lt;b&gt;Soon" in page
    assert STAFF.name not in page  # who of the staff wrote is for the staff
    assert "You have an answer:" not in as_alice.get("/orders/").content.decode()
    [letter] = posted()
    assert f"/orders/{order.pk}/problem/" in str(letter.body)


def test_more_words_go_into_the_same_thread_and_call_staff_again(as_alice: Client, alice: Customer) -> None:
    order = ended(alice)
    _say(as_alice, order)
    answer(thread=Thread.objects.get(), text="Wait a day.", actor=STAFF)
    _say(as_alice, order, text="A day is over.")
    [thread] = Thread.objects.all()
    assert [message.text for message in thread.messages.order_by("id")] == [
        "It fell by half.", "Wait a day.", "A day is over.",
    ]  # fmt: skip
    assert thread.waits_since is not None
    assert len(_open_items()) == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"topic": "nonsense"}, "Choose what is wrong."),
        ({"text": " \n "}, "Write a few words first."),
        ({"text": "x" * 4001}, "At most 4000 characters."),
    ],
)
def test_what_cannot_be_sent_is_said_and_kept(
    as_alice: Client, alice: Customer, fields: dict[str, str], why: str
) -> None:
    order = ended(alice)
    page = _say(as_alice, order, **fields)
    assert page.status_code == 422
    assert why in page.content.decode()
    assert fields.get("text", "It fell by half.").strip() in page.content.decode()
    assert not Thread.objects.exists()


def test_a_flood_is_stopped(alice: Customer, settings: Settings) -> None:
    settings.CONVERSATION_MESSAGES_AN_HOUR = 2
    thread = _thread(ended(alice))
    write(thread=thread, text="Hello?", actor=actor_of(alice.user))
    with pytest.raises(CannotWrite, match="very often"):
        write(thread=thread, text="Hello??", actor=actor_of(alice.user))
    with pytest.raises(CannotWrite, match="very often"):
        _thread(ended(alice))


def test_an_order_has_one_open_question(alice: Customer) -> None:
    order = ended(alice)
    _thread(order)
    with pytest.raises(CannotWrite, match="is open already"):
        _thread(order)
    assert Thread.objects.count() == 1


def test_resolved_by_a_word_it_takes_no_more_and_a_new_one_may_be_opened(as_alice: Client, alice: Customer) -> None:
    order = ended(alice)
    thread = _thread(order)
    resolve_by_note(thread=thread, text="The count is right again.", actor=STAFF)
    for verb in (write, answer, resolve_by_note):
        with pytest.raises(CannotWrite, match="was resolved"):
            verb(thread=thread, text="More", actor=STAFF)
    assert "tell us again" in as_alice.get(f"/orders/{order.pk}/problem/").content.decode()
    _say(as_alice, order, text="Wrong once more.")
    assert Thread.objects.count() == 2


def test_resolved_by_a_refill(alice: Customer) -> None:
    order = ended(alice, service=a_service(refill=True))
    thread = _thread(order)
    resolve_by_refill(thread=thread, text="A refill is on its way.", actor=STAFF)
    thread.refresh_from_db()
    assert (thread.resolved, order.refills.count()) == ("refill", 1)


def test_a_refill_that_cannot_be_leaves_the_question_open(alice: Customer) -> None:
    thread = _thread(under_way(alice, a_service(refill=True)))
    with pytest.raises(CannotRefill):
        resolve_by_refill(thread=thread, text="A refill is on its way.", actor=STAFF)
    thread.refresh_from_db()
    assert thread.is_open
    assert thread.messages.count() == 1


def test_resolved_by_a_refund_of_at_most_what_is_left_of_the_charge(as_alice: Client, alice: Customer) -> None:
    order = ended(alice, charge=Decimal("0.90"))
    before = balance_of(alice.wallet)
    thread = _thread(order)
    for amount in ("0", "-1", "0.900001"):
        with pytest.raises(CannotWrite, match="Nothing was changed"):
            resolve_by_refund(thread=thread, amount=Decimal(amount), text="Sorry.", actor=STAFF)
    resolve_by_refund(thread=thread, amount=Decimal("0.40"), text="Sorry.", actor=STAFF)
    order.refresh_from_db()
    assert (order.refunded, balance_of(alice.wallet)) == (Decimal("0.40"), before + Decimal("0.40"))
    entry = AuditEntry.objects.get(action="problem.refund")
    assert (str(entry.after["amount"]), entry.target_id) == ("0.40", thread.pk)
    assert "$0.40 came back to your balance." in as_alice.get(f"/orders/{order.pk}/").content.decode()
    second = _thread(order)
    with pytest.raises(CannotWrite, match="Between 0 and 0.50"):
        resolve_by_refund(thread=second, amount=Decimal("0.60"), text="Sorry.", actor=STAFF)


def test_before_its_end_nothing_is_paid_back_by_hand(alice: Customer) -> None:
    thread = _thread(under_way(alice))
    with pytest.raises(CannotWrite, match="Between 0 and 0.00"):
        resolve_by_refund(thread=thread, amount=Decimal("0.10"), text="Sorry.", actor=STAFF)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time: this race cannot begin")
def test_eight_refunds_at_once_pay_once(alice: Customer) -> None:
    from tests.ledger.test_races import at_once

    order = ended(alice, charge=Decimal("0.90"))
    thread = _thread(order)

    def pay(_: int) -> bool:
        try:
            resolve_by_refund(thread=thread, amount=Decimal("0.90"), text="Sorry.", actor=STAFF)
        except CannotWrite:
            return False
        return True

    assert sorted(map(str, at_once(pay, threads=8))) == ["False"] * 7 + ["True"]
    order.refresh_from_db()
    assert order.refunded == Decimal("0.90")


def test_another_customers_question_is_not_there(client: Client, alice: Customer, charlie: Customer) -> None:
    order = ended(alice)
    _thread(order)
    client.force_login(charlie.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/orders/{order.pk}/problem/").status_code == 404
    assert client.post(f"/orders/{order.pk}/problem/", {"text": "Mine?"}).status_code == 404
    assert Thread.objects.get().messages.count() == 1


def test_staff_answer_and_pay_back_from_their_side(client: Client, alice: Customer, bob: User) -> None:
    order = ended(alice, Status.COMPLETED, charge=Decimal("0.90"))
    thread = _thread(order)
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    base = f"/admin/conversations/thread/{thread.pk}/"
    assert "It fell by half." in client.get(f"{base}change/").content.decode()
    assert "It fell by half." not in client.get("/admin/conversations/thread/").content.decode()
    says = client.get(f"{base}refund/").content.decode()
    assert "At most $0.90" in says or "0.90" in says
    client.post(f"{base}answer/", {"text": "We look into it."})
    done = client.post(f"{base}refund/", {"amount": "0.25", "text": "Sorry."}, follow=True).content.decode()
    assert "went back to" in done
    order.refresh_from_db()
    assert order.refunded == Decimal("0.25")
    assert "Resolved" in client.get(f"{base}change/").content.decode()


def test_a_thread_that_fails_in_the_middle_changes_nothing(alice: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    from conversations import talking

    order = ended(alice, charge=Decimal("0.90"))
    thread = _thread(order)
    before = balance_of(alice.wallet)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("in between")

    monkeypatch.setattr(talking, "_close", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        resolve_by_refund(thread=thread, amount=Decimal("0.40"), text="Sorry.", actor=STAFF)
    order.refresh_from_db()
    assert (order.refunded, balance_of(alice.wallet), thread.messages.count()) == (Decimal(0), before, 1)


def test_an_order_without_a_question_offers_the_form(as_alice: Client, alice: Customer) -> None:
    order = an_order(alice)
    assert f'href="/orders/{order.pk}/problem/"' in as_alice.get(f"/orders/{order.pk}/").content.decode()
    page = as_alice.get(f"/orders/{order.pk}/problem/").content.decode()
    for words in ("It has not started", "The link is wrong", "Something else"):
        assert words in page


WAITS = "You have an answer to read."


def test_every_page_says_that_an_answer_waits_until_it_is_read(
    as_alice: Client, alice: Customer, charlie: Customer
) -> None:
    order = ended(alice)
    thread = _thread(order)
    assert WAITS not in as_alice.get("/funds/").content.decode()
    with CaptureQueriesContext(connection) as before:
        as_alice.get("/funds/")
    answer(thread=thread, text="We look into it.", actor=STAFF)
    with CaptureQueriesContext(connection) as asked:
        page = as_alice.get("/funds/").content.decode()
    assert page.count(WAITS) == 2  # in the rail and in the bar of a phone
    assert len(asked) == len(before), "it comes with the customer"
    for address in ("/account/", "/services/", "/updates/"):  # whose customers are loaded in other ways
        assert as_alice.get(address).content.decode().count(WAITS) == 2, address
    assert WAITS not in as_alice.get(f"/orders/{order.pk}/problem/").content.decode()
    assert WAITS not in as_alice.get("/funds/").content.decode()


def test_an_answer_about_another_order_still_waits(as_alice: Client, alice: Customer) -> None:
    first, second = ended(alice), ended(alice)
    for order in (first, second):
        answer(thread=_thread(order), text="Done.", actor=STAFF)
    assert WAITS in as_alice.get(f"/orders/{first.pk}/problem/").content.decode()
    assert WAITS not in as_alice.get(f"/orders/{second.pk}/problem/").content.decode()


def test_anothers_answer_is_not_mine(as_alice: Client, charlie: Customer) -> None:
    answer(thread=_thread(ended(charlie)), text="Done.", actor=STAFF)
    assert WAITS not in as_alice.get("/orders/").content.decode()
