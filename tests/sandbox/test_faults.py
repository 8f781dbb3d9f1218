"""Every fault as a client meets it at the socket, and what the sandbox really did meanwhile."""

from __future__ import annotations

import http.client
import json
import socket
import time
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from providers.sandbox.faults import AFTER, BEFORE, KINDS, BadFault, Faults, read_fault
from providers.sandbox.server import Sandbox
from tests.sandbox.builders import ORDERS, TIMEOUT, ask, place, post

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Raw:
    """A connection that shows what really came over it."""

    def __init__(self, sandbox: Sandbox, timeout: float = TIMEOUT) -> None:
        self._key = sandbox.key
        self._connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=timeout)

    def ask(self, action: str, **fields: str) -> http.client.HTTPResponse:
        body = urlencode({"key": self._key, "action": action, **fields})
        self._connection.request("POST", "/api/v2", body, FORM)
        return self._connection.getresponse()

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def add(raw: Raw) -> http.client.HTTPResponse:
    return raw.ask("add", **ORDERS["Default"])


def made(sandbox: Sandbox) -> int:
    return len(sandbox.journal.orders())


@pytest.mark.parametrize(("kind", "orders"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_timeout_hangs_until_the_client_leaves(sandbox: Sandbox, kind: str, orders: int) -> None:
    sandbox.faults.add("add", kind)
    with Raw(sandbox, timeout=0.2) as raw, pytest.raises(TimeoutError):
        add(raw)
    assert made(sandbox) == orders


def test_a_timeout_may_end_by_hanging_up(sandbox: Sandbox) -> None:
    sandbox.faults.add("add", "timeout_after", 0.1)
    with Raw(sandbox) as raw, pytest.raises(http.client.RemoteDisconnected):
        add(raw)
    assert made(sandbox) == 1


@pytest.mark.parametrize(("kind", "orders"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_breaks_the_connection(sandbox: Sandbox, kind: str, orders: int) -> None:
    sandbox.faults.add("add", kind)
    with Raw(sandbox) as raw, pytest.raises(ConnectionResetError):
        add(raw)
    assert made(sandbox) == orders


def test_a_connection_may_be_closed_before_it_is_read(sandbox: Sandbox) -> None:
    fault = sandbox.faults.add("connect", "close_before_read", times=1)
    with Raw(sandbox) as raw, pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        add(raw)
    assert (made(sandbox), sandbox.journal.requests(), fault.fired) == (0, [], 1)
    assert len(sandbox.journal.of("connection")) == 1
    place(sandbox)


@pytest.mark.parametrize("code", [400, 403, 429, 500, 503, 520, 521, 524])
@pytest.mark.parametrize(("kind", "orders"), [("http", 0), ("http_after", 1)])
def test_a_status_code_comes_before_or_after(sandbox: Sandbox, code: int, kind: str, orders: int) -> None:
    sandbox.faults.add("add", kind, code)
    answer = post(sandbox, "add", **ORDERS["Default"])
    assert (answer.status_code, made(sandbox)) == (code, orders)


@pytest.mark.parametrize(("kind", "orders"), [("html", 0), ("html_after", 1), ("empty", 0), ("empty_after", 1)])
def test_something_else_than_json(sandbox: Sandbox, kind: str, orders: int) -> None:
    sandbox.faults.add("add", kind)
    answer = post(sandbox, "add", **ORDERS["Default"])
    assert answer.status_code == 200
    assert answer.text == "" if kind.startswith("empty") else answer.text.startswith("<!DOCTYPE html>")
    assert made(sandbox) == orders


def test_a_redirect_leads_elsewhere(sandbox: Sandbox) -> None:
    sandbox.faults.add("add", "redirect", times=1)
    sandbox.faults.add("add", "redirect_after", "https://elsewhere.example/")
    first, second = (post(sandbox, "add", **ORDERS["Default"]) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (301, "/api/v2/moved")
    assert (second.status_code, second.headers["Location"]) == (301, "https://elsewhere.example/")
    assert made(sandbox) == 1


def test_too_many_requests_say_when_to_come_again(sandbox: Sandbox) -> None:
    sandbox.faults.add("*", "rate_limit", 7)
    answer = post(sandbox, "balance")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(("kind", "orders"), [("answer", 0), ("answer_after", 1)])
def test_any_text_can_be_the_answer(sandbox: Sandbox, kind: str, orders: int) -> None:
    sandbox.faults.add("add", kind, '{"order": NaN}')
    assert post(sandbox, "add", **ORDERS["Default"]).text == '{"order": NaN}'
    assert made(sandbox) == orders


def test_a_delay_only_takes_time_and_other_faults_may_follow(sandbox: Sandbox) -> None:
    sandbox.faults.add("add", "delay", 0.2)
    sandbox.faults.add("add", "http_after", 502, times=1)
    start = time.monotonic()
    assert post(sandbox, "add", **ORDERS["Default"]).status_code == 502
    assert time.monotonic() - start >= 0.2
    place(sandbox)
    assert made(sandbox) == 2


def test_cut_json_is_whole_for_http_and_half_for_json(sandbox: Sandbox) -> None:
    sandbox.faults.add("add", "cut_json")
    answer = post(sandbox, "add", **ORDERS["Default"])
    assert '{"order": 23501}'.startswith(answer.text)
    assert (0 < len(answer.text) < 16, made(sandbox)) == (True, 1)


def test_a_cut_body_is_shorter_than_promised(sandbox: Sandbox) -> None:
    sandbox.faults.add("add", "cut_body")
    with Raw(sandbox) as raw, pytest.raises(http.client.IncompleteRead) as broken:
        add(raw).read()
    assert broken.value.partial == b'{"order"'
    assert made(sandbox) == 1


def test_a_slow_drip_gives_a_byte_at_a_time(sandbox: Sandbox) -> None:
    sandbox.faults.add("balance", "slow_drip", 0.02)
    start = time.monotonic()
    answer = post(sandbox, "balance")
    assert answer.json()["balance"] == "1000"
    assert time.monotonic() - start >= 0.02 * len(answer.content)


def test_a_huge_answer_is_huge(sandbox: Sandbox) -> None:
    sandbox.faults.add("balance", "huge", 3)
    answer = post(sandbox, "balance")
    assert len(answer.content) > 3_000_000
    assert answer.json()["currency"] == "USD"


def test_a_notice_or_a_mark_comes_before_the_json(sandbox: Sandbox) -> None:
    sandbox.faults.add("balance", "notice", times=1)
    sandbox.faults.add("balance", "bom", times=1)
    notice, mark = post(sandbox, "balance").text, post(sandbox, "balance").content
    assert notice.startswith("<br />\n<b>Notice</b>")
    assert notice.endswith('"USD"}')
    assert mark.startswith(b"\xef\xbb\xbf{")


def test_an_idle_connection_may_be_closed_without_a_word(sandbox: Sandbox) -> None:
    sandbox.faults.add("balance", "close_idle", times=1)
    with Raw(sandbox) as raw:
        first = raw.ask("balance")
        assert (first.headers["Connection"], json.loads(first.read())["balance"]) == ("keep-alive", "1000")
        time.sleep(0.05)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            raw.ask("balance")


def test_a_connection_that_idles_too_long_is_closed() -> None:
    with Sandbox(idle_seconds=0.05) as sandbox, socket.create_connection(("127.0.0.1", sandbox.port), TIMEOUT) as sock:
        assert sock.recv(1) == b""


@pytest.mark.parametrize(
    ("action", "kind", "answer"),
    [
        ("add", "wrong_types", {"order": {"value": 23502}}),
        ("add", "mixed_types", {"order": "23502"}),
        ("add", "unknown_word", {"status": "Fail"}),
        ("add", "unknown_word:queued", {"status": "queued"}),
        ("add", "duplicate_id", {"order": 23501}),
        ("balance", "wrong_types", {"balance": ["999.1"], "currency": ["USD"]}),
        ("balance", "mixed_types", {"balance": 999.1, "currency": "USD"}),
        ("cancel", "unknown_word", {"status": "Fail"}),
    ],
)
def test_an_answer_may_be_wrong_in_itself(sandbox: Sandbox, action: str, kind: str, answer: dict[str, Any]) -> None:
    order = place(sandbox)
    sandbox.faults.add_rule(read_fault(f"{action}={kind}"))
    fields = {"add": ORDERS["Default"], "cancel": {"order": str(order)}}.get(action, {})
    got = ask(sandbox, action, **fields)
    assert {name: got[name] for name in answer} == answer
    assert made(sandbox) == (2 if action == "add" else 1)


def test_states_may_be_wrong_in_themselves(sandbox: Sandbox) -> None:
    orders = ",".join(str(place(sandbox)) for _ in range(3))
    for kind in ("unknown_word", "missing_ids:2", "mixed_types", "wrong_types"):
        sandbox.faults.add_rule(read_fault(f"status={kind}x1"))
    words, missing, mixed, wrong = (ask(sandbox, "status", orders=orders) for _ in range(4))
    assert {item["status"] for item in words.values()} == {"Fail"}
    assert list(missing) == ["23503"]
    assert mixed["23501"] | {"remains": 1000, "charge": 0.9, "start_count": 0} == mixed["23501"]
    assert wrong["23501"]["charge"] == ["0.9"]


def test_a_refill_may_get_the_number_of_another(sandbox: Sandbox) -> None:
    first, second = place(sandbox), place(sandbox)
    sandbox.finish_all()
    sandbox.faults.add("refill", "duplicate_id")
    answers = [ask(sandbox, "refill", order=order)["refill"] for order in (first, second)]
    assert answers == ["12345", "12345"]
    assert list(sandbox.refills) == [12345, 12346]


def test_missing_ids_of_one_order_leave_nothing(sandbox: Sandbox) -> None:
    order = place(sandbox)
    sandbox.faults.add("status", "missing_ids")
    assert ask(sandbox, "status", order=order) == {}


@pytest.mark.parametrize(("word", "orders"), [("lost", 1), ("unsent", 0)])
def test_a_word_in_the_link_breaks_the_connection(sandbox: Sandbox, word: str, orders: int) -> None:
    fields = ORDERS["Default"] | {"link": f"https://example.com/?sandbox={word}"}
    with pytest.raises(requests.ConnectionError):
        post(sandbox, "add", **fields)
    assert made(sandbox) == orders
    assert sandbox.journal.requests("add")[0]["fault"].startswith("add=reset_")


@pytest.mark.parametrize("kind", [kind for kind in AFTER if kind not in {"timeout_after", "slow_drip", "huge"}])
def test_what_a_fault_after_hits_is_always_done(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults.add("add", kind)
    try:
        post(sandbox, "add", **ORDERS["Default"])
    except requests.RequestException:
        assert kind in {"reset_after", "cut_body"}
    assert made(sandbox) == 1


@pytest.mark.parametrize("kind", [kind for kind in BEFORE if kind not in {"delay", "timeout_before"}])
def test_what_a_fault_before_hits_is_never_done(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults.add("add", kind)
    try:
        post(sandbox, "add", **ORDERS["Default"])
    except requests.RequestException:
        assert kind == "reset_before"
    assert made(sandbox) == 0
    assert sandbox.journal.requests("add")[0]["fault"] == f"add={kind}"


def test_a_rule_hits_so_many_times_after_so_many_others(sandbox: Sandbox) -> None:
    fault = sandbox.faults.add("balance", "http", 500, times=2, skip=1)
    codes = [post(sandbox, "balance").status_code for _ in range(4)]
    assert codes == [200, 500, 500, 200]
    assert fault.fired == 2


def test_a_rule_may_be_for_some_orders_alone(sandbox: Sandbox) -> None:
    sandbox.faults.add("add", "http", 500, matching="/special")
    assert post(sandbox, "add", **ORDERS["Default"]).status_code == 200
    special = ORDERS["Default"] | {"link": "https://example.com/special"}
    assert post(sandbox, "add", **special).status_code == 500


def test_rules_can_be_taken_back(sandbox: Sandbox) -> None:
    sandbox.faults.add("*", "http", 500)
    assert post(sandbox, "services").status_code == 500
    sandbox.faults.clear()
    assert post(sandbox, "services").status_code == 200


def test_a_probability_gives_the_same_hits_for_a_seed() -> None:
    def hits(seed: int) -> list[bool]:
        faults = Faults(Random(seed))
        faults.add("add", "http", probability=0.3)
        return [bool(faults.hit("add", {})) for _ in range(200)]

    assert hits(1) == hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 90


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_is_written_as_it_is_read(kind: str) -> None:
    action = "connect" if kind == "close_before_read" else "add"
    text = f"{action}={kind}:5@0.05x3"
    assert str(read_fault(text)) == text
    assert str(read_fault(f" {action}={kind} x2 ")) == f"{action}={kind}x2"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("add", "A fault is written action=kind"),
        ("zzz=http", "There is no action 'zzz'"),
        ("add=zzz", "There is no fault 'zzz'"),
        ("add=http:abc", "takes a number, not 'abc'"),
        ("add=http@1.5", "A probability is between 0 and 1"),
        ("add=http@1.2.3", "A probability is between 0 and 1"),
        ("add=close_before_read", "does not fit the action add"),
        ("connect=http", "does not fit the action connect"),
    ],
)
def test_a_wrong_rule_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadFault, match=sentence):
        read_fault(text)


def test_what_is_no_http_ends_the_connection(sandbox: Sandbox) -> None:
    for sent in (b"hello\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"x" * 40_000):
        with socket.create_connection(("127.0.0.1", sandbox.port), TIMEOUT) as sock:
            sock.sendall(sent)
            try:
                assert sock.recv(10) == b""
            except ConnectionResetError:
                assert len(sent) > 30_000, "unread bytes make a close a reset"
    assert sandbox.journal.requests() == []


def test_half_a_request_makes_nothing(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), TIMEOUT) as sock:
        body = urlencode({"key": sandbox.key, "action": "add", **ORDERS["Default"]}).encode()
        sock.sendall(b"POST /api/v2 HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)
    assert made(sandbox) == 0


def test_a_stopping_sandbox_leaves_nobody_waiting() -> None:
    start = time.monotonic()
    with Sandbox() as sandbox:
        sandbox.faults.add("balance", "timeout_before")
        sock = socket.create_connection(("127.0.0.1", sandbox.port), TIMEOUT)
        sock.sendall(b"POST /api/v2 HTTP/1.1\r\nContent-Length: 14\r\n\r\naction=balance")
        while not sandbox.journal.requests("balance"):
            time.sleep(0.01)
    with sock:
        assert sock.recv(1) == b""
    assert time.monotonic() - start < 2
