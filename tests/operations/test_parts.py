"""A subscription at the operator's desk: its orders upstream with ids and prices, settled by what was delivered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from orders.models import Order, State
from providers.sandbox.server import Sandbox
from tests.operations.desk import Desk
from tests.orders.builders import a_customer, a_provider, a_service, an_order, balance, books_are_right
from tests.orders.subscribed import a_subscription, a_subscription_service, made_for, sent_and_followed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One that lists the orders it makes."""
    with Sandbox(balance="1000", dialect="rich") as running:
        yield running


def at(order: Order, step: str = "change") -> str:
    return f"orders/order/{order.pk}/{step}/"


def under_review(sandbox: Sandbox) -> Order:
    """Three posts, one of them without a price."""
    provider = a_provider(sandbox)
    order = a_subscription(a_customer(), a_subscription_service(provider))
    sent_and_followed(provider, order)
    while len(made_for(sandbox, order)) < 3:
        sandbox.advance(2)
    sandbox.set_order(made_for(sandbox, order)[1].id, hide=("charge",))
    sandbox.finish_all()
    sent_and_followed(provider, order)
    assert order.state == State.REVIEW
    return order


def test_the_page_lists_its_orders_there_with_ids_and_prices(desk: Desk, sandbox: Sandbox) -> None:
    order = under_review(sandbox)
    page = desk.open(at(order)).text
    first, second, _ = made_for(sandbox, order)
    assert f"{first.id} Completed 0.032 USD" in page
    assert f"{second.id} Completed —" in page
    for said in ("Held 0.12 USD", "Username alice", "Made so far 3", "Orders that the provider made for it"):
        assert said in page


def test_its_columns_stand_under_their_heads_and_scroll_where_they_do_not_fit(desk: Desk, sandbox: Sandbox) -> None:
    source = desk.open(at(under_review(sandbox))).source
    table = source[source.index("Orders that the provider made for it") : source.index("What happened")]
    assert re.search(r'<div class="desk-scroll">\s*<table class="desk-table">', table)
    assert table.count('<th class="is-num">') == 3
    assert table.count('<td class="is-num">') == 9
    assert "desk-num" not in table  # a block: as a cell it leaves its column


@pytest.mark.parametrize(
    ("values", "said", "left"),
    [
        (
            {"status": "Expired", "delivered": "250"},
            "ended as Expired. 0.10 USD was taken and 0.02 USD released to alice@example.com.",
            "99.9",
        ),
        (
            {"status": "Completed", "delivered": "300"},
            "ended as Completed. 0.12 USD was taken and 0.00 USD released to alice@example.com.",
            "99.88",
        ),
        ({"status": "Canceled", "delivered": "301"}, "Delivered must be between 0 and 300.", "99.88"),
        ({"status": "Completed", "delivered": ""}, "This field is required.", "99.88"),
    ],
)
def test_it_is_settled_by_what_was_delivered_and_the_page_says_before_what_that_does(
    desk: Desk, sandbox: Sandbox, values: dict[str, str], said: str, left: str
) -> None:
    order = under_review(sandbox)
    before = desk.open(at(order, "settle-subscription"))
    assert "0.12 USD is held for at most 300. 0.40 USD for each 1000 delivered is taken of it" in before.text
    assert "Partial" not in before.text
    assert before.form()["fields"]["status"] == ["Completed"]  # the provider's word
    page = desk.send(at(order, "settle-subscription"), reason="asked the provider", **values)
    assert said in page.text
    assert balance(order.customer) == Decimal(left)
    books_are_right()


def test_each_kind_of_order_has_its_own_form(desk: Desk) -> None:
    alice = a_customer()
    order, plain = a_subscription(alice, a_subscription_service(None)), an_order(alice, a_service(None))
    for each, own, other in ((order, "settle-subscription", "settle"), (plain, "settle", "settle-subscription")):
        page = desk.open(at(each)).source
        assert f"{each.pk}/{own}/" in page
        assert f"{each.pk}/{other}/" not in page
    settle = desk.open(at(plain, "settle"))
    assert "Expired" not in settle.text
    assert settle.form()["fields"]["status"] == [""]  # nobody said an end: none is begun with
    assert "This field is required." in desk.send(at(plain, "settle"), reason="no idea").text


@pytest.mark.parametrize(
    ("word", "begins_with"),
    [("Canceled", "Canceled"), ("refunded", "Canceled"), ("Partial", "Partial"), ("Failed", "Canceled"),
     ("In progress", ""), ("Expired", ""), ("whatever", "")],
)  # fmt: skip
def test_settling_begins_with_the_providers_word(desk: Desk, word: str, begins_with: str) -> None:
    provider = a_provider(word_map={"status": {"Failed": "Canceled"}})
    order = an_order(a_customer(), a_service(provider))
    Order.objects.filter(pk=order.pk).update(state=State.REVIEW, upstream_id="1", upstream_status=word)
    assert desk.open(at(order, "settle")).form()["fields"]["status"] == [begins_with]
