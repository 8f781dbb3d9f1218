"""Steering a sandbox that runs as a process, over its own port."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from providers.sandbox.control import Control
from providers.sandbox.server import Sandbox
from providers.sandbox.wire import Request
from tests.sandbox.builders import TIMEOUT, place, post, status


def steer(sandbox: Sandbox, what: str, **body: object) -> Any:
    return requests.post(f"{sandbox.root}/sandbox/{what}", json=body, timeout=TIMEOUT).json()


def look(sandbox: Sandbox, what: str, **query: int) -> Any:
    return requests.get(f"{sandbox.root}/sandbox/{what}", params=query, timeout=TIMEOUT).json()


def test_faults_are_added_listed_and_taken_back(sandbox: Sandbox) -> None:
    steer(sandbox, "faults", faults=["balance=http:503x1", "add=timeout_after@0.05"])
    assert [post(sandbox, "balance").status_code for _ in range(2)] == [503, 200]
    assert look(sandbox, "faults") == [
        {"fault": "balance=http:503x1", "fired": 1},
        {"fault": "add=timeout_after@0.05", "fired": 0},
    ]
    assert steer(sandbox, "faults", clear=True) == []


def test_the_clock_is_moved(sandbox: Sandbox) -> None:
    order = place(sandbox)
    before = look(sandbox, "clock")["now"]
    assert steer(sandbox, "clock", advance=15) == {"now": before + 15, "speed": 0.0}
    assert status(sandbox, order)["status"] == "In progress"
    steer(sandbox, "clock", finish=True)
    assert status(sandbox, order)["status"] == "Completed"
    assert steer(sandbox, "clock", speed=10)["speed"] == 10


def test_the_journal_is_read_from_an_entry_on(sandbox: Sandbox) -> None:
    place(sandbox)
    whole = look(sandbox, "journal")
    assert [entry["kind"] for entry in whole] == ["started", "request", "order"]
    assert look(sandbox, "journal", after=whole[1]["seq"]) == whole[2:]


def test_an_order_and_the_balance_are_set(sandbox: Sandbox) -> None:
    order = place(sandbox)
    assert steer(sandbox, "order", order=order, status="Partial", remains=500, hide=["start_count"]) == {
        "order": order,
        "status": "Partial",
        "charge": "0.45",
    }
    assert "start_count" not in status(sandbox, order)
    assert steer(sandbox, "balance", balance="3.5") == {"balance": "3.5"}


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("faults", {"faults": ["add=zzz"]}),
        ("clock", {"advance": -1}),
        ("clock", {"speed": "fast"}),
        ("clock", {"speed": -1}),
        ("clock", {"advance": float("inf")}),
        ("order", {"order": 1, "status": "Partial"}),
        ("order", {"order": 1, "colour": "red"}),
        ("order", {}),
        ("balance", {"balance": "-1"}),
    ],
)
def test_wrong_steering_is_answered_with_a_sentence(sandbox: Sandbox, what: str, body: dict[str, object]) -> None:
    answer = requests.post(
        f"{sandbox.root}/sandbox/{what}",
        data=json.dumps(body),
        headers={"Content-Type": "application/json"},
        timeout=TIMEOUT,
    )
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("That cannot be done: ")


def test_a_web_page_elsewhere_cannot_steer(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.root}/sandbox/clock", data={"advance": "60"}, timeout=TIMEOUT)
    assert (answer.status_code, "application/json" in answer.json()["error"]) == (400, True)


def test_only_this_machine_steers(sandbox: Sandbox) -> None:
    request = Request("GET", "/sandbox/journal", "", {}, b"")
    control = Control(sandbox)
    assert control.reply(request, peer="127.0.0.1") is not None
    assert control.reply(request, peer="192.0.2.7") is None


def test_the_front_page_says_what_this_is(sandbox: Sandbox) -> None:
    answer = requests.get(sandbox.root, timeout=TIMEOUT)
    assert sandbox.url in answer.text


def test_an_unknown_steering_address_is_not_there(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.root}/sandbox/zzz", timeout=TIMEOUT).status_code == 404
