"""Whatever a provider sends: no reader crashes, no float appears, no order id or amount is made of nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.amounts import to_units
from providers.dialect.adding import read_add
from providers.dialect.answer import Answer, NoAnswer, Unreadable
from providers.dialect.balances import read_balance
from providers.dialect.body import read_body
from providers.dialect.errors import error_texts
from providers.dialect.listings import read_services
from providers.dialect.numbers import (
    DOWN,
    MAX_AMOUNT,
    MAX_COUNT,
    UP,
    read_id,
    read_int,
    read_limit,
    read_money,
    read_text,
)
from providers.dialect.statuses import read_statuses
from providers.dialect.wishes import read_cancels, read_refill_statuses, read_refills
from providers.dialect.words import WordMap, word_map_problems
from providers.outcomes import Accepted, Rejected
from tests.providers.dialect.builders import KEY

EXAMPLES = settings(max_examples=150, deadline=None)
ASKED = ["1", "7", "23501"]
READERS: dict[str, Callable[[Answer], object]] = {
    "add": read_add,
    "balance": read_balance,
    "services": read_services,
    "status": lambda answer: read_statuses(answer, ["7"]),
    "status of many": lambda answer: read_statuses(answer, ASKED),
    "refill": lambda answer: read_refills(answer, ["7"]),
    "refill of many": lambda answer: read_refills(answer, ASKED),
    "refill_status": lambda answer: read_refill_statuses(answer, ["7"]),
    "refill_status of many": lambda answer: read_refill_statuses(answer, ASKED),
    "cancel": lambda answer: read_cancels(answer, ["7"]),
    "cancel of many": lambda answer: read_cancels(answer, ASKED),
}

WORDS = st.sampled_from(
    ["Completed", "Partial", "success", "error", "Timeout", "Bad link", "1,234.56", "-5", "0", "", "x\x00", KEY]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats()
    | st.text(max_size=20)
    | WORDS
)
NAMES = st.sampled_from(
    ["order", "error", "errors", "status", "message", "success", "refill", "cancel", "balance", "currency", "data", "1"]
    + [
        "7",
        "23501",
        "services",
        "service",
        "name",
        "rate",
        "min",
        "max",
        "charge",
        "remains",
        "start_count",
        "orders",
        "type",
    ]
) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=25
)
STATUSES = st.sampled_from([200, 200, 200, 200, 201, 301, 400, 403, 404, 408, 429, 500, 503, 520, 521])


def everything_in(value: object) -> list[object]:
    """The value and all it is made of."""
    if is_dataclass(value) and not isinstance(value, type):
        return [value, *[part for f in fields(value) for part in everything_in(getattr(value, f.name))]]
    if isinstance(value, dict):
        return [part for pair in value.items() for item in pair for part in everything_in(item)]
    if isinstance(value, list | tuple | frozenset):
        return [part for item in value for part in everything_in(item)]
    return [value]


def check(found: object) -> None:
    """What must hold of whatever any reader gives."""
    for part in everything_in(found):
        assert not isinstance(part, float)
        if isinstance(part, Decimal):
            assert abs(to_units(part)) <= MAX_AMOUNT * 10**6
        elif isinstance(part, int) and not isinstance(part, bool):
            assert abs(part) <= MAX_COUNT
        elif isinstance(part, str):
            assert "\x00" not in part
            assert KEY not in part
            part.encode()


def read(name: str, answer: Answer) -> None:
    try:
        check(READERS[name](answer))
    except NoAnswer as error:
        assert name != "add"
        check(list(error.args))


@pytest.mark.parametrize("name", [name for name in READERS if name != "services"])
@EXAMPLES
@given(value=VALUES, status=STATUSES)
def test_any_json(name: str, value: Any, status: int) -> None:
    read(name, Answer(status, json.dumps(value).encode(), {}, KEY))


@EXAMPLES
@given(items=st.lists(st.dictionaries(NAMES, SCALARS, max_size=8), max_size=5))
def test_any_services(items: Any) -> None:
    body = json.dumps([{"service": 1, "name": "x", "rate": "1", "max": 5, **item} for item in items]).replace(KEY, "")
    read("services", Answer(200, body.encode()))


@pytest.mark.parametrize("name", list(READERS))
@EXAMPLES
@given(
    body=st.binary(max_size=200)
    | st.text(alphabet='{}[]":,0123456789.eE-ordeortu lnfas<>', max_size=60).map(str.encode),
    status=STATUSES,
)
def test_any_bytes(name: str, body: bytes, status: int) -> None:
    read(name, Answer(status, body))


@EXAMPLES
@given(value=VALUES, cut=st.integers(min_value=1, max_value=60))
def test_a_cut_answer_is_never_read_as_a_smaller_one(value: Any, cut: int) -> None:
    body = json.dumps({"order": {"order": 5}, "all": [value, {"order": 5}]}).encode()
    with pytest.raises(Unreadable):
        read_body(body[:-cut])


@EXAMPLES
@given(value=VALUES, status=STATUSES)
def test_an_order_is_accepted_only_with_the_id_that_was_sent_and_rejected_only_with_an_error(
    value: Any, status: int
) -> None:
    body = json.dumps(value)
    outcome = read_add(Answer(status, body.encode(), {}, KEY))
    if isinstance(outcome, Accepted):
        assert outcome.upstream_id in body
        assert any(c in "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" for c in outcome.upstream_id)
        assert '"order"' in body
        assert 200 <= status < 300
    if isinstance(outcome, Rejected):
        assert any(word in body.lower() for word in ("error", "success", "message", "fail"))


@EXAMPLES
@given(amount=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=9))
def test_money_is_off_by_less_than_a_millionth_and_in_the_direction_told(amount: Decimal) -> None:
    for spelled in (amount, f"{amount:f}", f"{amount:,f}", f"${amount:f}" if amount >= 0 else f"{amount:f} USD"):
        up, down = read_money(spelled, UP), read_money(spelled, DOWN)
        assert up == amount.quantize(Decimal("0.000001"), ROUND_CEILING)
        assert down == amount.quantize(Decimal("0.000001"), ROUND_FLOOR)


@EXAMPLES
@given(value=SCALARS | st.decimals() | st.lists(st.none()) | st.dictionaries(st.text(), st.none()))
def test_single_readers_take_anything(value: Any) -> None:
    if isinstance(value, float):
        value = str(value)
    check(
        [
            read_money(value, UP),
            read_money(value, DOWN),
            read_int(value),
            read_limit(value),
            read_id(value),
            read_text(value, 50).replace(KEY, ""),
        ]
    )
    found = read_id(value)
    assert found is None or read_id(found) == found


@EXAMPLES
@given(value=VALUES)
def test_error_texts_are_texts(value: Any) -> None:
    texts = error_texts(read_body(json.dumps(value).encode()))
    assert texts is None or all(isinstance(text, str) and text for text in texts)


@EXAMPLES
@given(
    stored=VALUES
    | st.dictionaries(st.sampled_from(["status", "refusal", "refill"]), st.dictionaries(st.text(), VALUES))
)
def test_any_stored_word_map_can_be_used_and_explained(stored: Any) -> None:
    WordMap.read(stored)
    assert all(problem for problem in word_map_problems(stored))
