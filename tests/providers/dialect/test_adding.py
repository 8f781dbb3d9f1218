"""What came of `add`: one line a decision, since each wrong one is an order made twice, or lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.dialect.adding import read_add
from providers.dialect.answer import EVIDENCE_LENGTH
from providers.dialect.words import WordMap
from providers.outcomes import Accepted, Cause, NotSent, Rejected, Scope, Unknown
from tests.providers.dialect.builders import CHALLENGE_PAGE, KEY, PAGE, answer

FUNDS = {"error": "Not enough funds on balance"}


@pytest.mark.parametrize(
    ("body", "upstream_id"),
    [
        ({"order": 23501}, "23501"),
        ({"order": "23501"}, "23501"),
        ({"order": "ref_01HG8Z"}, "ref_01HG8Z"),
        ({"order": 12.0}, "12"),
        ({"status": "success", "order": 5}, "5"),
        ({"status": "Pending", "order": 5, "charge": "0.5"}, "5"),
        ({"success": True, "order": 5, "message": "Order placed"}, "5"),
        ({"order": 5, "error": None}, "5"),
        ({"order": 5, "error": ""}, "5"),
        ({"order": 5, "error": False}, "5"),
        ({"order": 5, "error": 0, "errors": []}, "5"),
        ([{"order": 5}], "5"),
        ({"data": {"order": 5}}, "5"),
        ({"success": True, "data": {"order": 5}}, "5"),
    ],
)
def test_accepted_with_a_usable_id(body: Any, upstream_id: str) -> None:
    outcome = read_add(answer(body))
    assert isinstance(outcome, Accepted)
    assert outcome.upstream_id == upstream_id
    assert outcome.evidence.http_status == 200


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (200, FUNDS, Cause.FUNDS),
        (200, {"order": 0, **FUNDS}, Cause.FUNDS),
        (200, {"order": None, **FUNDS}, Cause.FUNDS),
        (200, {"order": {"error": "Bad link"}}, Cause.LINK),
        (200, [{"error": "Bad link"}], Cause.LINK),
        (200, {"Error": "Bad link"}, Cause.LINK),
        (200, {"errors": {"link": ["Bad link"]}}, Cause.LINK),
        (200, {"errors": ["Quantity less than minimal 50"]}, Cause.QUANTITY),
        (200, {"error": {"code": 7, "message": "Incorrect service ID"}}, Cause.SERVICE_GONE),
        (200, {"success": False, "message": "Invalid API key"}, Cause.BAD_KEY),
        (200, {"success": "0", "message": "Invalid API key"}, Cause.BAD_KEY),
        (200, {"status": "error", "msg": "user_inactive"}, Cause.INACTIVE),
        (200, {"status": "fail", "message": "neworder.error.link_duplicate"}, Cause.DUPLICATE_LINK),
        (200, {"error": True, "message": "Not enough funds"}, Cause.FUNDS),
        (200, {"error": "Something nobody knows"}, Cause.OTHER),
        (200, {"error": 104}, Cause.OTHER),
        # error codes of HTTP, with a well-formed refusal
        (400, {"error": "Bad link"}, Cause.LINK),
        (401, {"error": "Invalid API key"}, Cause.BAD_KEY),
        (401, {"message": "Unauthenticated."}, Cause.BAD_KEY),
        (402, FUNDS, Cause.FUNDS),
        (403, {"error": "user_inactive"}, Cause.INACTIVE),
        (404, {"error": "Incorrect service ID"}, Cause.SERVICE_GONE),
        (422, {"message": "The given data was invalid.", "errors": {"link": ["Bad link"]}}, Cause.LINK),
        (400, {"error": "Something nobody knows"}, Cause.OTHER),
        # a code that leaves it open, but a text that is decided before an order is made
        (409, {"error": "neworder.error.link_duplicate"}, Cause.DUPLICATE_LINK),
        (500, FUNDS, Cause.FUNDS),
        (503, {"error": "The panel is under maintenance"}, Cause.MAINTENANCE),
    ],
)
def test_rejected_by_a_well_formed_refusal(status: int, body: Any, cause: Cause) -> None:
    outcome = read_add(answer(body, status))
    assert isinstance(outcome, Rejected)
    assert outcome.refusal.cause is cause
    assert outcome.refusal.scope is cause.scope


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (429, PAGE, {}),
        (429, {"error": "Slow down"}, {}),
        (403, CHALLENGE_PAGE, {}),
        (403, b"<title>Attention Required! | Cloudflare</title>", {}),
        (403, b"error code: 1020", {}),
        (403, b"", {"cf_mitigated": "challenge"}),
        (503, b"", {"CF_Mitigated": "Challenge"}),
        (521, PAGE, {}),
        (523, PAGE, {}),
        (525, PAGE, {}),
        (526, b"", {}),
        (200, {"error": "Too many requests"}, {}),
        (503, {"error": "Rate limit exceeded"}, {}),
    ],
)
def test_not_sent_where_something_in_front_turned_it_away(status: int, body: Any, headers: dict[str, str]) -> None:
    assert isinstance(read_add(answer(body, status, **headers)), NotSent)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        # nothing that is an answer
        (200, b""),
        (200, PAGE),
        (200, CHALLENGE_PAGE),
        (200, b'{"order": 5'),
        (200, b"23501"),
        (200, b'"23501"'),
        (200, b"null"),
        (200, b"[]"),
        (200, b"{}"),
        (204, b""),
        # no usable id, no error
        (200, {"order": 0}),
        (200, {"order": "0"}),
        (200, {"order": -1}),
        (200, {"order": None}),
        (200, {"order": True}),
        (200, {"order": "failed"}),
        (200, {"order": ""}),
        (200, {"order": "x" * 65 + "1"}),
        (200, {"order": [5]}),
        (200, {"order": {"id": 5}}),
        (200, b'{"order": 5, "order": 6}'),
        (200, b'{"order": NaN}'),
        (200, b'{"order": 1e400}'),
        (200, {"message": "Order placed"}),
        (200, {"id": 5}),
        (200, [{"order": 5}, {"order": 6}]),
        # an id and an error at once
        (200, {"order": 5, "error": "Bad link"}),
        (200, {"order": 5, "errors": ["Bad link"]}),
        (200, {"order": 5, "success": False}),
        (200, {"order": 5, "status": "error"}),
        (200, b'{"order": 5, "error": null, "error": "Bad link"}'),
        (200, {"error": {"order": {"order": 5}}, "order": 5}),
        # an error without a word
        (200, {"error": True}),
        (200, {"success": False}),
        (200, {"status": "error"}),
        # words that leave it open
        (200, {"error": "Timeout"}),
        (200, {"error": "Internal error"}),
        (200, {"error": "Duplicate request"}),
        (200, {"error": "Please wait"}),
        (400, {"error": "Try again later"}),
        # codes that leave it open
        (301, PAGE),
        (302, {"error": "Not enough funds on balance"}),
        (307, b""),
        (308, b""),
        (400, PAGE),
        (400, {"order": 5}),
        (403, PAGE),
        (403, {"title": ""}),
        (404, PAGE),
        (408, {"error": "Something nobody knows"}),
        (409, {"error": "Something nobody knows"}),
        (500, PAGE),
        (500, {"order": 5}),
        (500, {"error": "Something nobody knows"}),
        (502, PAGE),
        (503, CHALLENGE_PAGE),
        (504, b""),
        (520, FUNDS),
        (522, PAGE),
        (524, FUNDS),
        (600, b""),
    ],
)
def test_all_else_is_unknown(status: int, body: Any) -> None:
    outcome = read_add(answer(body, status))
    assert isinstance(outcome, Unknown)
    assert outcome.reason
    assert outcome.evidence.http_status == status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "30"}, 30.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"Retry_After": "999999999"}, 86_400.0),
        ({"Retry_After": "Mon, 01 Jan 2024 00:01:00 GMT", "Date": "Mon, 01 Jan 2024 00:00:00 GMT"}, 60.0),
        ({"Retry_After": "Mon, 01 Jan 2024 00:00:00 GMT", "Date": "Mon, 01 Jan 2024 00:01:00 GMT"}, 0.0),
        ({"Retry_After": "Mon, 01 Jan 2024 00:01:00 GMT"}, None),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "nan"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_after_429(headers: dict[str, str], seconds: float | None) -> None:
    outcome = read_add(answer(b"", 429, **headers))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after == seconds


def test_a_provider_s_word_map_decides_an_unclear_text() -> None:
    words = WordMap.read({"refusal": {"Try again later": "service_gone"}})
    outcome = read_add(answer({"error": "Try again later."}), words)
    assert isinstance(outcome, Rejected)
    assert outcome.refusal.scope is Scope.SERVICE


@pytest.mark.parametrize(
    "echo",
    [
        json.dumps({"error": f"Invalid API key {KEY}"}),
        json.dumps({"error": f"Invalid API key {KEY}"}).replace("/", "\\/"),
        f"<html>key={KEY}&action=add</html>",
        "<html>key=f3b1c0ffee%2F5ecret%2Bkey&action=add</html>",
        "x" * (EVIDENCE_LENGTH - 5) + KEY,
    ],
)
def test_the_key_is_in_no_evidence_and_no_reason(echo: str) -> None:
    outcome = read_add(answer(echo))
    assert "5ecret" not in repr(outcome)
    assert "f3b1" not in repr(outcome)


def test_evidence_is_cut_and_fit_for_a_column() -> None:
    evidence = read_add(answer(b"\x00\xff" + b"x" * 100_000)).evidence
    assert len(evidence.answer) == EVIDENCE_LENGTH
    assert "\x00" not in evidence.answer


def test_an_answer_does_not_show_its_key_or_body_when_printed() -> None:
    assert KEY not in repr(answer({"error": KEY}))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"status": "success"}, "an answer without a usable order id and without an error"),
        ({"error": True}, "an error without a word"),
    ],
)
def test_the_operator_reads_why_an_order_is_unknown(body: dict[str, object], reason: str) -> None:
    assert read_add(answer(body)) == Unknown(reason, answer(body).evidence)
