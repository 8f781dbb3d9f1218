"""What `add` takes and refuses, and what it costs."""

from __future__ import annotations

import json

import pytest
import requests

from providers.sandbox.amounts import UNIT, price_of, read_amount, write_amount
from providers.sandbox.server import Sandbox
from tests.sandbox.builders import (
    COMMENTS,
    FAST_LIKES,
    FOLLOWERS,
    ONE_A_LINK,
    ORDERS,
    TIMEOUT,
    UNKNOWN_TYPE,
    ask,
    place,
)

CHARGES = {
    "Default": "0.9",
    "Package": "0.25",
    "SEO": "0.675",
    "Custom Comments": "0.08",
    "Custom Comments Package": "0.12",
    "Mentions": "0.031",
    "Mentions with Hashtags": "0.033",
    "Mentions Custom List": "0.018",
    "Mentions Hashtag": "0.0275",
    "Mentions User Followers": "0.029",
    "Mentions Media Likers": "0.029",
    "Comment Likes": "0.012",
    "Comment Replies": "0.0095",
    "Poll": "0.0105",
    "Invites from Groups": "0.44",
    "Subscriptions": "0.048",
    "Web Traffic": "0.32",
}
OPTIONAL = {("Subscriptions", "posts")}


@pytest.mark.parametrize("kind", ORDERS)
def test_every_type_can_be_ordered_at_its_price(sandbox: Sandbox, kind: str) -> None:
    assert sandbox.services[int(ORDERS[kind]["service"])]["type"] == kind
    order = place(sandbox, **ORDERS[kind])
    assert write_amount(sandbox.orders[order].charge) == CHARGES[kind]
    assert write_amount(int((sandbox.opening - sandbox.balance) * UNIT)) == CHARGES[kind]


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind in ORDERS for field in ORDERS[kind] if (kind, field) not in OPTIONAL],
)
def test_a_field_that_is_left_out_is_refused(sandbox: Sandbox, kind: str, field: str) -> None:
    fields = {name: value for name, value in ORDERS[kind].items() if name != field}
    answer = ask(sandbox, "add", **fields)
    assert set(answer) == {"error"}
    assert sandbox.journal.orders() == []
    assert sandbox.balance == sandbox.opening


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"service": "999"}, "Incorrect service ID"),
        ({"service": "x"}, "Incorrect service ID"),
        ({"service": str(UNKNOWN_TYPE)}, "Incorrect service ID"),
        ({"link": " "}, "Bad link"),
        ({"link": "two words"}, "Bad link"),
        ({"link": "x" * 3000}, "Bad link"),
        ({"quantity": "49"}, "Quantity less than minimal 50"),
        ({"quantity": "10001"}, "Quantity more than maximum 10000"),
        ({"quantity": "-50"}, "Quantity less than minimal 50"),
        ({"quantity": "50.5"}, "Quantity less than minimal 50"),
        ({"quantity": "٥٠"}, "Quantity less than minimal 50"),
        ({"runs": "3"}, "Incorrect request"),
        ({"runs": "0", "interval": "5"}, "Incorrect request"),
        ({"runs": "3", "interval": "0"}, "Incorrect request"),
        ({"runs": "1001", "interval": "5"}, "Incorrect request"),
        ({"service": "2", "runs": "3", "interval": "5"}, "Drip-feed is not available for this service"),
    ],
)
def test_a_wrong_order_is_refused_in_the_words_of_providers(
    sandbox: Sandbox, changes: dict[str, str], error: str
) -> None:
    assert ask(sandbox, "add", **(ORDERS["Default"] | changes)) == {"error": error}
    assert sandbox.balance == sandbox.opening


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("Poll", {"answer_number": "second"}),
        ("Web Traffic", {"device": "6"}),
        ("Web Traffic", {"type_of_traffic": "4"}),
        ("Web Traffic", {"type_of_traffic": "2"}),
        ("Subscriptions", {"delay": "7"}),
        ("Subscriptions", {"min": "51"}),
        ("Subscriptions", {"expiry": "2026-01-31"}),
        ("Subscriptions", {"posts": "1001"}),
    ],
)
def test_a_wrong_choice_is_an_incorrect_request(sandbox: Sandbox, kind: str, changes: dict[str, str]) -> None:
    assert ask(sandbox, "add", **(ORDERS[kind] | changes)) == {"error": "Incorrect request"}


def test_traffic_of_the_third_kind_needs_no_source(sandbox: Sandbox) -> None:
    fields = ORDERS["Web Traffic"] | {"type_of_traffic": "3", "google_keyword": ""}
    assert "order" in ask(sandbox, "add", **fields)


def test_a_comma_is_part_of_a_comment_and_blank_lines_are_none(sandbox: Sandbox) -> None:
    comments = "\n".join(f"nice, really {number}\r\n" for number in range(10))
    order = place(sandbox, service=COMMENTS, comments=comments)
    assert sandbox.orders[order].quantity == 10


def test_all_runs_of_a_drip_feed_are_charged_at_once(sandbox: Sandbox) -> None:
    place(sandbox, runs=3, interval=5)
    assert sandbox.journal.orders()[0]["charge"] == "2.7"


def test_an_order_beyond_the_balance_is_refused() -> None:
    with Sandbox(balance="0.9") as sandbox:
        place(sandbox)
        assert ask(sandbox, "add", **ORDERS["Default"]) == {"error": "Not enough funds on balance"}
        assert sandbox.balance == 0


def test_a_second_order_for_a_link_waits_until_the_first_is_done(sandbox: Sandbox) -> None:
    place(sandbox, service=ONE_A_LINK)
    again = {"service": ONE_A_LINK, "link": "https://example.com/p", "quantity": 1000}
    assert ask(sandbox, "add", **again) == {"error": "neworder.error.link_duplicate"}
    sandbox.finish_all()
    assert "order" in ask(sandbox, "add", **again)


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("refuse", "Bad link"),
        ("refuse:funds", "Not enough funds on balance"),
        ("refuse:service", "Incorrect service ID"),
        ("refuse:duplicate", "neworder.error.link_duplicate"),
        ("refuse:maintenance", "Maintenance, please try again later"),
        ("refuse:inactive", "user_inactive"),
    ],
)
def test_a_word_in_the_link_makes_add_refuse(sandbox: Sandbox, word: str, error: str) -> None:
    fields = ORDERS["Default"] | {"link": f"https://example.com/?sandbox={word}"}
    assert ask(sandbox, "add", **fields) == {"error": error}


def test_an_idempotency_parameter_gives_the_same_order_again() -> None:
    with Sandbox(idempotency="request_id") as sandbox:
        first, again = (place(sandbox, request_id="a1") for _ in range(2))
        assert first == again
        assert place(sandbox, request_id="a2") == first + 1
        assert len(sandbox.journal.orders()) == 2
    with Sandbox() as sandbox:
        assert place(sandbox, request_id="a1") != place(sandbox, request_id="a1")


def test_an_order_by_hand_is_in_the_account_but_in_no_request(sandbox: Sandbox) -> None:
    order = sandbox.place_by_hand(service=str(FAST_LIKES), link="https://example.com/h", quantity="100")
    assert [(entry["order"], entry["by"]) for entry in sandbox.journal.orders()] == [(order, "hand")]
    assert sandbox.journal.requests() == []
    assert ask(sandbox, "status", order=order)["status"] == "Pending"


def test_the_journal_tells_the_order_and_the_request_that_made_it(sandbox: Sandbox) -> None:
    order = place(sandbox)
    (request,), (entry,) = sandbox.journal.requests("add"), sandbox.journal.orders()
    assert entry["request"] == request["seq"]
    assert request["fields"] == {"service": "1", "link": "https://example.com/p", "quantity": "1000"}
    assert (entry["order"], entry["service"], entry["quantity"], entry["charge"], entry["balance"], entry["by"]) == (
        order,
        FOLLOWERS,
        1000,
        "0.9",
        "999.1",
        "api",
    )
    assert not any(sandbox.key in str(line) for line in sandbox.journal)


def test_the_journal_keeps_the_body_of_an_order_byte_for_byte_but_never_the_key(sandbox: Sandbox) -> None:
    form = "application/x-www-form-urlencoded"
    whole = f"k%65y={sandbox.key}&service=1&link=https://e.example/%70&quantity=50&action=add&key={sandbox.key}&x=+%0d"
    for body, media_type in ((whole, form), (json.dumps({"action": "add", "key": sandbox.key}), "application/json")):
        requests.post(sandbox.url, data=body, headers={"Content-Type": media_type}, timeout=TIMEOUT)
    ask(sandbox, "balance")
    first, second = sandbox.journal.requests("add")
    assert first["body"] == "service=1&link=https://e.example/%70&quantity=50&action=add&x=+%0d"
    assert second["body"] == ""
    assert "body" not in sandbox.journal.requests("balance")[0]
    assert not any(sandbox.key in str(line) for line in sandbox.journal)


@pytest.mark.parametrize(
    ("text", "amount"), [("0.90", 900_000), ("8", 8_000_000), ("0.0000001", 1), ("1e2", 100_000_000), ("0", 0)]
)
def test_amounts_are_read_to_a_millionth_and_rounded_up(text: str, amount: int) -> None:
    assert read_amount(text) == amount


@pytest.mark.parametrize("text", ["", "x", "-1", "NaN", "Infinity", "1e30", None])
def test_what_is_no_amount_is_not_read(text: str | None) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        read_amount(text)


@pytest.mark.parametrize(
    ("rate", "quantity", "charge"), [(1, 1, 1), (1, 1000, 1), (1, 1001, 2), (900_000, 309, 278_100)]
)
def test_a_charge_is_rounded_up(rate: int, quantity: int, charge: int) -> None:
    assert price_of(rate, quantity) == charge


@pytest.mark.parametrize(("amount", "text"), [(278_190, "0.27819"), (100_000_000, "100"), (0, "0"), (-1, "-0.000001")])
def test_amounts_are_written_as_in_the_seed(amount: int, text: str) -> None:
    assert write_amount(amount) == text
