"""The seed's examples, by shape and type: the seed document is the contract."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from providers.sandbox.server import Sandbox
from tests.sandbox.builders import ORDERS, SUBSCRIPTION, TIMEOUT, ask, place, post, status


def shape(value: Any) -> Any:
    """A value with its leaves replaced by their types."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return type(value).__name__


def test_services_are_listed_as_in_the_seed(sandbox: Sandbox) -> None:
    services = ask(sandbox, "services")
    wanted = {
        "service": "int",
        "name": "str",
        "type": "str",
        "category": "str",
        "rate": "str",
        "min": "str",
        "max": "str",
        "desc": "str",
        "refill": "bool",
        "cancel": "bool",
        "dripfeed": "bool",
    }
    assert [shape(service) for service in services] == [wanted] * len(services)
    assert {service["type"] for service in services} >= set(ORDERS), "every type is sold"


def test_an_order_is_answered_with_its_number(sandbox: Sandbox) -> None:
    assert ask(sandbox, "add", service=1, link="https://example.com/a", quantity=1000) == {"order": 23501}


def test_order_numbers_rise(sandbox: Sandbox) -> None:
    assert [place(sandbox) for _ in range(3)] == [23501, 23502, 23503]


def test_status_of_one_order(sandbox: Sandbox) -> None:
    order = place(sandbox, quantity=309)
    sandbox.set_order(order, status="Partial", remains=157, start_count=3572)
    assert status(sandbox, order) == {
        "charge": "0.1368",
        "start_count": "3572",
        "status": "Partial",
        "remains": "157",
        "currency": "USD",
    }


def test_a_new_order_has_all_still_to_deliver(sandbox: Sandbox) -> None:
    answer = status(sandbox, place(sandbox))
    assert answer == {"charge": "0.9", "start_count": "0", "status": "Pending", "remains": "1000", "currency": "USD"}


def test_status_of_many_orders_mixes_the_seeds_four_shapes(sandbox: Sandbox) -> None:
    plain = place(sandbox)
    posts = place(sandbox, **ORDERS["Subscriptions"])
    drip = place(sandbox, runs=3, interval=10)
    sandbox.advance(10)
    answer = ask(sandbox, "status", orders=f"{plain},10,{posts},{drip}")
    assert list(answer) == [str(plain), "10", str(posts), str(drip)]
    assert shape(answer[str(plain)]) == dict.fromkeys(("charge", "start_count", "status", "remains", "currency"), "str")
    assert answer["10"] == {"error": "Incorrect order ID", "status": "104"}
    assert answer[str(posts)] == {"status": "Active", "posts": 1}
    assert answer[str(drip)] == {"status": "In Progress", "runs": 1}


def test_an_id_that_is_asked_twice_is_answered_once(sandbox: Sandbox) -> None:
    order = place(sandbox)
    assert list(ask(sandbox, "status", orders=f"{order}, {order},{order}")) == [str(order)]


@pytest.mark.parametrize("number", ["9", "0", "-1", "x", "", "1e3", "²", "9" * 40, "23501.0"])
def test_an_unknown_order_is_refused(sandbox: Sandbox, number: str) -> None:
    place(sandbox)
    for action in ("status", "refill", "cancel"):
        assert ask(sandbox, action, order=number) == {"error": "Incorrect order ID"}


def test_more_than_a_hundred_ids_are_refused(sandbox: Sandbox) -> None:
    ids = [str(number) for number in range(1, 102)]
    assert len(ask(sandbox, "status", orders=",".join(ids[:100]))) == 100
    assert ask(sandbox, "status", orders=",".join(ids)) == {"error": "Incorrect request"}


def test_refill_and_its_status(sandbox: Sandbox) -> None:
    order = place(sandbox)
    sandbox.finish_all()
    answer = ask(sandbox, "refill", order=order)
    assert answer == {"refill": "12345", "status": 200, "message": "Refill has been placed successfully!"}
    assert ask(sandbox, "refill_status", refill=12345) == {"status": "Pending"}
    sandbox.advance(4)
    assert ask(sandbox, "refill_status", refill=12345) == {"status": "In progress"}
    sandbox.finish_all()
    assert ask(sandbox, "refill_status", refill=12345) == {"status": "Completed"}
    assert ask(sandbox, "refill_status", refill=1) == {"error": "Incorrect refill ID"}


def test_cancel_of_one_order(sandbox: Sandbox) -> None:
    answer = ask(sandbox, "cancel", order=place(sandbox))
    assert answer == {
        "status": "success",
        "message": "Cancellation request added, we'll try our best to cancel it.",
    }


def test_lists_are_answered_to_orders_and_refills(sandbox: Sandbox) -> None:
    done, fresh = place(sandbox), 0
    sandbox.finish_all()
    fresh = place(sandbox)
    assert ask(sandbox, "refill", orders=f"{done},9") == [
        {"order": done, "refill": 12345},
        {"order": 9, "refill": {"error": "Incorrect order ID"}},
    ]
    assert ask(sandbox, "refill_status", refills="12345,3") == [
        {"refill": 12345, "status": "Pending"},
        {"refill": 3, "status": {"error": "Incorrect refill ID"}},
    ]
    assert ask(sandbox, "cancel", orders=f"{fresh},9") == [
        {"order": fresh, "cancel": 1},
        {"order": 9, "cancel": {"error": "Incorrect order ID"}},
    ]


def test_the_balance_is_two_strings() -> None:
    with Sandbox() as sandbox:
        assert ask(sandbox, "balance") == {"balance": "100.84292", "currency": "USD"}


def test_the_currency_is_the_accounts() -> None:
    with Sandbox(currency="RUB", balance="5") as sandbox:
        assert ask(sandbox, "balance") == {"balance": "5", "currency": "RUB"}
        assert status(sandbox, place(sandbox))["currency"] == "RUB"


def test_what_is_no_order_of_the_api_is_refused_with_status_200(sandbox: Sandbox) -> None:
    assert ask(sandbox, "zzz") == {"error": "Unknown action specified!"}
    answers = [
        requests.post(sandbox.url, data={"action": "balance"}, timeout=TIMEOUT),
        requests.post(sandbox.url, data={"key": "no", "action": "balance"}, timeout=TIMEOUT),
        requests.post(f"{sandbox.url}?key={sandbox.key}&action=balance", timeout=TIMEOUT),
        requests.get(sandbox.url, params={"key": sandbox.key, "action": "balance"}, timeout=TIMEOUT),
        requests.post(sandbox.url, data={"key": sandbox.key}, timeout=TIMEOUT),
    ]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [answer.json()["error"] for answer in answers] == ["Invalid API key"] * 4 + ["Incorrect request"]


def test_a_trailing_slash_json_and_a_key_in_a_header_are_understood(sandbox: Sandbox) -> None:
    body = {"key": sandbox.key, "action": "status", "orders": [place(sandbox), 9]}
    answer = requests.post(f"{sandbox.url}/", json=body, timeout=TIMEOUT)
    assert list(answer.json()) == ["23501", "9"]
    for header in ({"X-API-Key": sandbox.key}, {"Authorization": f"Bearer {sandbox.key}"}):
        answer = requests.post(sandbox.url, data={"action": "balance"}, headers=header, timeout=TIMEOUT)
        assert answer.json()["balance"]


def test_another_address_is_a_page_that_is_not_there(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.root}/api/v1", timeout=TIMEOUT)
    assert answer.status_code == 404
    assert answer.text.startswith("<!DOCTYPE html>")


def test_connections_are_kept_alive(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        for _ in range(3):
            answer = session.post(sandbox.url, data={"key": sandbox.key, "action": "balance"}, timeout=TIMEOUT)
            assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert len({entry["connection"] for entry in sandbox.journal.requests("balance")}) == 1


def test_the_rich_dialect_tells_what_the_seed_leaves_out() -> None:
    with Sandbox(dialect="rich", balance="10") as sandbox:
        drip = place(sandbox, runs=2, interval=1)
        posts = place(sandbox, **ORDERS["Subscriptions"])
        sandbox.finish_all()
        children = [str(order.id) for order in sandbox.orders.values() if order.parent == drip]
        assert status(sandbox, drip) == {
            "charge": "1.8",
            "currency": "USD",
            "orders": children,
            "status": "Completed",
            "runs": 2,
        }
        answer = status(sandbox, posts)
        assert answer["expiry"] is None
        assert len(answer["orders"]) == answer["posts"] == 3


def test_the_common_dialect_speaks_as_most_providers_do() -> None:
    with Sandbox(dialect="common", balance="10") as sandbox:
        order, drip = place(sandbox), place(sandbox, runs=2, interval=100)
        assert ask(sandbox, "status", orders="9") == {"9": {"error": "Incorrect order ID"}}
        assert ask(sandbox, "cancel", order=order) == {"error": "Incorrect request"}
        assert ask(sandbox, "cancel", orders=order) == [{"order": order, "cancel": 1}]
        sandbox.advance(10)
        assert status(sandbox, drip)["status"] == "In progress"
        sandbox.finish_all()
        assert ask(sandbox, "refill", order=place_and_finish(sandbox)) == {"refill": "12345"}


def place_and_finish(sandbox: Sandbox) -> int:
    order = place(sandbox)
    sandbox.finish_all()
    return order


def test_answers_can_be_bent_for_a_test(sandbox: Sandbox) -> None:
    order = place(sandbox)
    sandbox.set_order(order, show={"remains": "Unknown", "currency": "RUB", "charge": None}, hide=("start_count",))
    assert status(sandbox, order) == {"charge": None, "status": "Pending", "remains": "Unknown", "currency": "RUB"}


def test_a_hundred_states_take_one_request(sandbox: Sandbox) -> None:
    orders = [place(sandbox) for _ in range(100)]
    answer = post(sandbox, "status", orders=",".join(map(str, orders)))
    assert len(answer.json()) == 100
    assert answer.elapsed.total_seconds() < 1


def test_subscriptions_have_a_service(sandbox: Sandbox) -> None:
    assert sandbox.services[SUBSCRIPTION]["type"] == "Subscriptions"
