"""Deciding on orders: found, read, decided once with a reason, and the money as it was announced."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.models import Order, OrderEvent, State, Status
from orders.refilling import request_refill
from providers.sandbox.server import Sandbox
from records.models import AttentionItem, AuditEntry
from tests.operations.desk import Desk, Page
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
    sent,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at(order: Order, step: str = "change") -> str:
    return f"orders/order/{order.pk}/{step}/"


def unknown_orders(sandbox: Sandbox, number: int = 1, fault: str = "reset_after") -> list[Order]:
    provider = a_provider(sandbox)
    customer, service = a_customer("100"), a_service(provider)
    orders = [an_order(customer, service, link=f"https://example.com/{each}") for each in range(number)]
    sandbox.faults.add("add", fault, times=number)
    due_now()
    sent(provider, *orders)
    assert {order.state for order in orders} == {State.UNKNOWN}
    return orders


def an_order_under_review(sandbox: Sandbox) -> Order:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider), link=saying("cancel_keep:20"))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    return order


def found(page: Page) -> list[int]:
    return [order.pk for order in page.response.context["cl"].result_list]


def test_an_order_is_found_by_ids_link_and_customer_and_by_nothing_else(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    service = a_service(provider)
    first = an_order(a_customer("100"), service, link="https://example.com/first")
    second = an_order(a_customer("100", "bob@example.com"), service, link="https://example.com/second")
    sent(provider, first, second)
    for term, order in (
        (str(first.pk), first), (f"#{first.pk}", first), (str(second.upstream_id), second),
        ("https://example.com/second", second), ("Bob@example.com", second),
    ):  # fmt: skip
        assert found(desk.open(f"orders/order/?q={term.replace('#', '%23')}")) == [order.pk], term
    assert found(desk.open("orders/order/?q=example")) == []
    assert found(desk.open(f"orders/order/?customer__id__exact={first.customer_id}")) == [first.pk]
    assert found(desk.open("orders/order/?state__exact=waiting")) == []


def test_the_page_of_an_order_tells_all_in_one_column(desk: Desk, sandbox: Sandbox) -> None:
    [order] = unknown_orders(sandbox)
    page = desk.open(at(order))
    for words in (
        "Not known whether the provider took it", "Attempt 1 at Sandbox: unknown", "Customer wallet → Sales",
        '"service": "1"', "may or may not have been placed",
    ):  # fmt: skip
        assert words in page.text, words
    assert sandbox.key not in page.source
    assert page.source.index("Placed by alice@example.com") < page.source.index("Attempt 1")
    assert "Save" not in page.text
    for button in ("It exists there", "Send again", "Refund", "Cancel", "Note"):
        assert button in page.text
    assert "Settle" not in page.text


def test_nobody_types_into_an_order_adds_or_deletes_one(desk: Desk) -> None:
    order = an_order(a_customer(), a_service(None))
    desk.client.post(f"/admin/{at(order)}", {"status": "Completed", "charge": "0"})
    assert desk.client.get("/admin/orders/order/add/").status_code == 403
    assert desk.client.post(f"/admin/{at(order, 'delete')}", {"post": "yes"}).status_code == 403
    order.refresh_from_db()
    assert order.status == Status.PENDING


def test_it_exists_under_this_id(desk: Desk, sandbox: Sandbox) -> None:
    [order] = unknown_orders(sandbox)
    [upstream_id] = sandbox.orders
    says = desk.open(at(order, "exists"))
    assert "Its cost is booked from the balance at Sandbox; the customer's 1.125 USD stay paid." in says.text
    missing = desk.send(at(order, "exists"), upstream_id=str(upstream_id))
    assert "This field is required" in missing.text
    page = desk.send(at(order, "exists"), upstream_id=str(upstream_id), reason="seen there")
    assert f"goes on as {upstream_id}" in page.text
    assert page.url == f"/admin/{at(order)}"
    order.refresh_from_db()
    assert order.state == State.ACCEPTED
    assert order.provider is not None
    assert booked(order.provider) == sandbox.balance
    entry = AuditEntry.objects.get(action="order.exists")
    assert (entry.actor_name, entry.reason) == ("olga@example.com", "seen there")
    books_are_right()


def test_an_id_that_the_provider_does_not_know_is_refused(desk: Desk, sandbox: Sandbox) -> None:
    [order] = unknown_orders(sandbox)
    page = desk.send(at(order, "exists"), upstream_id="abc def", reason="a slip")
    assert "Sandbox does not know an order abc def. Nothing was changed." in page.text
    assert page.form()["fields"]["reason"] == ["a slip"]
    order.refresh_from_db()
    assert (order.state, order.upstream_id) == (State.UNKNOWN, None)


def test_no_id_is_taken_while_the_provider_does_not_answer(desk: Desk, sandbox: Sandbox) -> None:
    [order] = unknown_orders(sandbox)
    [upstream_id] = sandbox.orders
    sandbox.faults.add("status", "html")
    page = desk.send(at(order, "exists"), upstream_id=str(upstream_id), reason="seen there")
    assert "The provider could not be asked" in page.text
    order.refresh_from_db()
    assert order.state == State.UNKNOWN


def test_an_id_that_another_order_holds_is_refused_in_a_sentence(desk: Desk, sandbox: Sandbox) -> None:
    [order] = unknown_orders(sandbox)
    assert order.provider is not None
    other = an_order(order.customer, order.service, link="https://example.com/other")
    sent(order.provider, other)
    page = desk.send(at(order, "exists"), upstream_id=str(other.upstream_id), reason="a guess")
    assert f"Order {other.pk} already holds the id {other.upstream_id} at this provider." in page.text
    assert page.form()["fields"]["reason"] == ["a guess"]


def test_a_refund_is_announced_and_given_once(desk: Desk, sandbox: Sandbox) -> None:
    [order] = unknown_orders(sandbox)
    form = desk.open(at(order, "refund"))
    assert "1.125 USD go back to alice@example.com" in form.text
    page = desk.send(at(order, "refund"), reason="the customer cannot wait")
    assert "1.125 USD went back to alice@example.com." in page.text
    assert balance(order.customer) == 100
    again = desk.client.post(f"/admin/{at(order, 'refund')}", {"reason": "a second click"})
    assert "this cannot be decided any more" in again.content.decode()
    assert "does not fit any more" in desk.open(at(order, "refund")).text
    assert balance(order.customer) == 100
    books_are_right()


def test_it_is_sent_again_by_the_operators_word(desk: Desk, sandbox: Sandbox) -> None:
    [order] = unknown_orders(sandbox, fault="reset_before")
    page = desk.send(at(order, "send-again"), reason="not in their panel")
    assert "waits to be sent again. No money moved." in page.text
    assert order.provider is not None
    sent(order.provider, order)
    assert (order.state, order.attempt) == (State.ACCEPTED, 2)
    assert "Attempt 2 at Sandbox: accepted" in desk.open(at(order)).text


@pytest.mark.parametrize(
    ("values", "said", "left"),
    [
        ({"status": "Completed"}, "ended as Completed. No money moved.", "98.875"),
        ({"status": "Canceled"}, "ended as Canceled. 1.125 USD went back", "100"),
        ({"status": "Partial", "delivered": "200"}, "ended as Partial. 0.90 USD went back", "99.775"),
        ({"status": "Partial"}, "Say how much was delivered", "98.875"),
        ({"status": "Partial", "delivered": "1001"}, "Delivered must be between 0 and 1,000.", "98.875"),
        ({"status": "Completed", "delivered": "5"}, "Only a Partial order has a delivered part.", "98.875"),
    ],
)
def test_what_was_delivered_is_settled(
    desk: Desk, sandbox: Sandbox, values: dict[str, str], said: str, left: str
) -> None:
    order = an_order_under_review(sandbox)
    assert "Partial keeps 1.125 USD for each 1000" in desk.open(at(order, "settle")).text
    page = desk.send(at(order, "settle"), reason="asked the provider", **values)
    assert said in page.text
    assert balance(order.customer) == Decimal(left)
    books_are_right()


def test_an_order_by_hand_goes_on_by_the_operators_word(desk: Desk) -> None:
    order = an_order(a_customer("100"), a_service(None))
    page = desk.send(at(order, "progress"), status="In progress", start_count="10", remains="400")
    assert f"Order {order.pk} is In progress. No money moved." in page.text
    wrong = desk.send(at(order, "progress"), status="In progress", remains="5000")
    assert "What remains is between 0 and the quantity." in wrong.text
    page = desk.send(at(order, "settle"), status="Completed", reason="done")
    assert "ended as Completed" in page.text
    order.refresh_from_db()
    assert (order.state, order.start_count) == (State.ENDED, 10)


def test_a_waiting_order_is_cancelled_and_says_so_first(desk: Desk) -> None:
    order = an_order(a_customer("100"), a_service(a_provider()))
    assert "1.125 USD go back to alice@example.com at once" in desk.open(at(order, "cancel")).text
    page = desk.send(at(order, "cancel"), reason="asked by mail")
    assert "is Canceled. 1.125 USD went back" in page.text
    assert AuditEntry.objects.get(action="order.cancel").reason == "asked by mail"
    assert "The order has ended" in str(desk.client.post(f"/admin/{at(order, 'cancel')}", {"reason": "x"}).content)


def test_a_note_is_for_operators(desk: Desk) -> None:
    order = an_order(a_customer("100"), a_service(None))
    page = desk.send(at(order, "note"), note="He called. <b>Twice</b>.")
    assert "He called. &lt;b&gt;Twice&lt;/b&gt;." in page.source
    event = OrderEvent.objects.get(kind="note")
    assert event.actor == "olga@example.com"


def test_one_decision_for_all_chosen_unknown_orders(desk: Desk, sandbox: Sandbox) -> None:
    orders = unknown_orders(sandbox, 3)
    other = an_order(a_customer("10", "bob@example.com"), a_service(None))
    chosen = [order.pk for order in [*orders, other]]
    asked = desk.client.post("/admin/orders/order/", {"action": "refund_chosen", "_selected_action": chosen})
    text = asked.content.decode()
    assert "3 of the chosen orders are unknown (1 others are not unknown and stay as they are)" in text
    assert "3.375 USD in all go back" in text
    assert balance(orders[0].customer) == Decimal("96.625")  # nothing before the reason is given
    page = desk.choose("orders/order/", "refund_chosen", *chosen, reason="their site is gone")
    assert "3 orders were refunded. 1 stayed as they were." in page.text
    assert balance(orders[0].customer) == 100
    assert balance(other.customer) == Decimal("8.875")
    assert AuditEntry.objects.filter(action="order.refund", reason="their site is gone").count() == 3
    assert not AttentionItem.objects.filter(closed_at__isnull=True, cause="unknown_submission").exists()
    books_are_right()


def test_all_chosen_unknown_orders_are_sent_again(desk: Desk, sandbox: Sandbox) -> None:
    orders = unknown_orders(sandbox, 2, "reset_before")
    page = desk.choose("orders/order/", "send_chosen_again", *[order.pk for order in orders], reason="not there")
    assert "2 orders were sent again." in page.text
    assert set(Order.objects.values_list("state", flat=True)) == {State.WAITING}


def test_an_unknown_refill_is_decided_on_the_orders_page(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer("100"), a_service(provider))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    assert "Decide the refill" not in desk.open(at(order)).text
    refill = request_refill(order=order, actor=OPERATOR)
    sandbox.faults.add("refill", "reset_after", times=1)
    turn("send_refills", provider)
    page = desk.send(at(order, "refill"), upstream_id=str(next(iter(sandbox.refills))), reason="seen in their panel")
    assert "is followed as" in page.text
    sandbox.finish_all()
    turn("refill_statuses", provider)
    refill.refresh_from_db()
    assert refill.status == "Completed"
