"""Refills and cancellations: every form of the dialect page; taken is not done, and doubt is no answer."""

from __future__ import annotations

from typing import Any

import pytest

from providers.dialect.answer import NotProcessed, Refused, Unreadable
from providers.dialect.wishes import read_cancels, read_refill_statuses, read_refills
from providers.outcomes import CancelAnswer, Cause, ItemError, RefillAnswer, RefillStatusReading, RefillWord
from tests.providers.dialect.builders import PAGE, answer

NOT_ELIGIBLE = {"error": "Order not eligible for refill."}


@pytest.mark.parametrize(
    ("body", "refill_id"),
    [
        ({"refill": "12345", "status": 200, "message": "Refill has been placed successfully!"}, "12345"),
        ({"refill": "1"}, "1"),
        ({"refill": 1, "success": "Refill placed"}, "1"),
        ({"refill": 7}, "7"),  # a refill id may equal the order's
        ([{"order": 7, "refill": 1}], "1"),
        ([{"refill": 1}], "1"),
        ({"order": 7, "refill": "ref_01HG"}, "ref_01HG"),
        ({"7": {"refill": 1}}, "1"),
        ({"refill": 1, "error": None}, "1"),
    ],
)
def test_a_refill_that_was_taken(body: Any, refill_id: str) -> None:
    assert read_refills(answer(body), ["7"]) == {"7": RefillAnswer("7", refill_id)}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, NOT_ELIGIBLE),
        (400, NOT_ELIGIBLE),
        (200, {"refill": NOT_ELIGIBLE}),
        (200, [{"order": 7, "refill": NOT_ELIGIBLE}]),
        (200, [{"order": 7, **NOT_ELIGIBLE}]),
        (200, {"refill": 0, **NOT_ELIGIBLE}),
        (200, {"status": "error", "message": "Order not eligible for refill."}),
    ],
)
def test_a_refill_that_was_refused(status: int, body: Any) -> None:
    found = read_refills(answer(body, status), ["7"])["7"]
    assert found.refill_id is None
    assert found.refusal is not None
    assert found.refusal.cause is Cause.NOT_ELIGIBLE


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"refill": 0}),
        (200, {"refill": True}),
        (200, {"refill": None}),
        (200, {"refill": "failed"}),
        (200, {"success": True}),
        (200, {"status": "success", "message": "Refill placed"}),
        (200, {"refill": 5, **NOT_ELIGIBLE}),
        (200, {"refill": {"error": True}}),
        (200, {"error": "Timeout"}),
        (200, {"refill": {"error": "Internal error"}}),
        (200, {"refill": 5, "order": 8}),
        (200, ["5"]),
        (200, PAGE),
        (200, b'{"refill": 5'),
        (500, {"error": "Nobody knows"}),
        (502, PAGE),
    ],
)
def test_a_refill_that_may_have_been_taken_is_unreadable(status: int, body: Any) -> None:
    with pytest.raises(Unreadable):
        read_refills(answer(body, status), ["7"])


def test_many_refills_nested_and_flat() -> None:
    body = [
        {"order": 1, "refill": 11},
        {"order": "2", "refill": {"error": "Incorrect order ID"}},
        {"order": 3, "error": "Incorrect order ID"},
        {"order": 4, "refill": None},
        {"order": 9, "refill": 19},
        {"refill": 20},
    ]
    found = read_refills(answer(body), ["1", "2", "3", "4", "5"])
    assert list(found) == ["1", "2", "3"]
    assert found["1"].refill_id == "11"
    for order in ("2", "3"):
        refusal = found[order].refusal
        assert refusal is not None
        assert refusal.cause is Cause.INCORRECT_ID


def test_an_error_of_the_provider_or_of_many_is_the_call_s() -> None:
    with pytest.raises(Refused):
        read_refills(answer({"error": "Invalid API key"}), ["7"])
    with pytest.raises(Refused):
        read_refills(answer(NOT_ELIGIBLE), ["7", "8"])
    with pytest.raises(NotProcessed):
        read_refills(answer(b"", 429), ["7"])


@pytest.mark.parametrize(
    "body",
    [
        {"status": "Completed"},
        [{"status": "Completed"}],
        [{"refill": 1, "status": "Completed"}],
        {"1": {"status": "Completed"}},
        {"1": "Completed"},
        {"refill": "1", "status": "completed"},
    ],
)
def test_the_status_of_one_refill(body: Any) -> None:
    found = read_refill_statuses(answer(body), ["1"])["1"]
    assert isinstance(found, RefillStatusReading)
    assert found.status is RefillWord.COMPLETED


def test_the_status_of_many_refills() -> None:
    body = [
        {"refill": 1, "status": "Completed"},
        {"refill": 2, "status": "Rejected"},
        {"refill": 3, "status": {"error": "Incorrect refill ID"}},
        {"refill": 4, "status": "Verschoben"},
        {"refill": 5},
        {"refill": 6, "status": "Error"},
    ]
    found = read_refill_statuses(answer(body), [str(n) for n in range(1, 8)])
    assert list(found) == ["1", "2", "3", "4", "5", "6"]
    assert found["2"] == RefillStatusReading("2", RefillWord.REJECTED, "Rejected")
    assert isinstance(found["3"], ItemError)
    assert found["3"].refusal.cause is Cause.INCORRECT_ID
    assert found["4"] == RefillStatusReading("4", None, "Verschoben")
    assert isinstance(found["5"], ItemError)
    assert found["6"] == RefillStatusReading("6", RefillWord.ERROR, "Error")


def test_an_error_about_a_refill() -> None:
    found = read_refill_statuses(answer({"error": "Incorrect refill ID"}), ["1"])["1"]
    assert isinstance(found, ItemError)
    with pytest.raises(Refused):
        read_refill_statuses(answer({"error": "Incorrect refill ID"}), ["1", "2"])
    with pytest.raises(Refused):
        read_refill_statuses(answer({"error": "Invalid API key"}), ["1"])


@pytest.mark.parametrize(
    "body",
    [
        {"status": "success", "message": "Cancellation request added, we'll try our best to cancel it."},
        {"cancel": 45},
        {"cancel": 1},
        {"cancel": True},
        {"success": "Cancel request placed"},
        {"success": True},
        [{"order": 7, "cancel": 1}],
        [{"cancel": 1}],
        {"7": {"cancel": "1"}},
    ],
)
def test_a_cancellation_that_was_asked_for(body: Any) -> None:
    found = read_cancels(answer(body), ["7"])
    assert found == {"7": CancelAnswer("7")}
    assert found["7"].taken


@pytest.mark.parametrize(
    "body",
    [
        {"error": "Order cannot be canceled"},
        {"cancel": {"error": "Incorrect order ID"}},
        [{"order": 7, "cancel": {"error": "Incorrect order ID"}}],
        [{"order": 7, "error": "Incorrect order ID"}],
        {"status": "error", "message": "Order cannot be canceled"},
        {"success": False, "message": "Order cannot be canceled"},
        {"cancel": 0},
        {"cancel": False},
    ],
)
def test_a_cancellation_that_was_refused(body: Any) -> None:
    assert not read_cancels(answer(body), ["7"])["7"].taken


@pytest.mark.parametrize(
    "body",
    [
        ["x"],
        {"status": "Canceled"},
        {"status": "fail"},
        {"cancel": None},
        {"cancel": 1, "order": 8},
        {"error": "Timeout"},
        PAGE,
        b"1",
    ],
)
def test_neither_yes_nor_no_to_a_cancellation(body: Any) -> None:
    with pytest.raises(Unreadable):
        read_cancels(answer(body), ["7"])


@pytest.mark.parametrize("body", [[], {}, [{"order": 8, "cancel": 1, "id": 8}]])
def test_an_order_that_is_not_in_the_answer_was_not_answered(body: Any) -> None:
    assert read_cancels(answer(body), ["7"]) == {}
    assert read_refills(answer(body), ["7"]) == {}
    assert read_refill_statuses(answer(body), ["7"]) == {}


def test_many_cancellations() -> None:
    body = [
        {"order": 9, "cancel": {"error": "Incorrect order ID"}},
        {"order": 2, "cancel": 1},
        {"order": 3, "cancel": None},
    ]
    found = read_cancels(answer(body), ["2", "3", "9"])
    assert {order: found[order].taken for order in found} == {"9": False, "2": True}


def test_one_yes_to_many_is_a_yes_to_each() -> None:
    found = read_cancels(answer({"status": "success", "message": "Added"}), ["2", "3"])
    assert found == {"2": CancelAnswer("2"), "3": CancelAnswer("3")}


@pytest.mark.parametrize(
    ("text", "cause"), [("Incorrect request", Cause.INCORRECT_REQUEST), ("Invalid API key", Cause.BAD_KEY)]
)
def test_the_wrong_form_of_cancel_is_a_refusal_of_the_call(text: str, cause: Cause) -> None:
    with pytest.raises(Refused) as refused:
        read_cancels(answer({"error": text}), ["7"])
    assert refused.value.refusal.cause is cause
