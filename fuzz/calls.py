"""The calls: what the document allows with ids that exist, what it forbids, and bytes that are no call at all.

Each answer is held against the document by schemathesis, and against the very action that was called by ourselves: the
document must allow any action's answer, a call only its own.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, ValidationError
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.openapi import PATH
from api.reference import form_of
from api.schemas import ANSWERS
from fuzz.stock import Stock
from fuzz.values import vary, with_real_values

ROUND = 250  # examples a round: each begins with a seed of its own, and forgets what the last one tried
SECONDS = 30.0  # of one call
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
TYPES = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "text/plain", "")
BROKEN = "Internal error"
VARIATIONS = 19  # of each call: making one anew takes ten times as long as the server needs to answer it
HALF = 0.5
VALIDATORS = {name: Draft202012Validator(dict(schema)) for name, schema in ANSWERS.items()}


class Wrong(AssertionError):
    """An answer that must not be."""


@dataclass
class Tally:
    """How many calls, and what they were answered with."""

    calls: int = 0
    answers: Counter[str] = field(default_factory=Counter)


def fuzz(address: str, document: dict[str, Any], stock: Stock, *, calls: int, seconds: float | None) -> Tally:
    """Calls until there were so many, or so long. Raises with the smallest call that was answered wrongly."""
    tally, session = Tally(), requests.Session()
    until = None if seconds is None else time.monotonic() + seconds

    def over() -> bool:
        return tally.calls >= calls or (until is not None and time.monotonic() >= until)

    strategy = _calls(address, document, stock)
    number = 0
    while not over():
        number += 1
        _round(number, strategy, stock, session, address, tally, over)
    return tally


def _round(
    number: int, strategy: st.SearchStrategy[Any], stock: Stock, session: requests.Session, address: str,
    tally: Tally, over: Callable[[], bool],
) -> None:  # fmt: skip
    @seed(number)
    @settings(
        max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink), report_multiple_bugs=False,
    )  # fmt: skip
    @given(strategy)
    def call(case: Any) -> None:
        if over():
            return
        for answered in _send(case, stock, session, address):
            tally.calls += 1
            tally.answers[answered] += 1
            if over():
                return

    call()


def _send(case: Any, stock: Stock, session: requests.Session, address: str) -> Iterator[str]:
    """Sends the call, and variations of it; what each was answered with."""
    if isinstance(case, tuple):
        kind, sent = case
        yield _send_bytes(kind, sent, None, session, address)
        return
    response = case.call(base_url=address, session=session, timeout=SECONDS)
    case.validate_response(response, checks=CHECKS)
    body = case.body if isinstance(case.body, dict) else {}
    yield _judged(response.status_code, response.content, _as_sent(body, response.request.headers))
    chance = Random(repr(body))  # noqa: S311 - variety, no secret
    for _ in range(VARIATIONS if body else 0):
        varied = vary(body, stock, chance)
        kind, sent = _encoded(varied, chance)
        yield _send_bytes(kind, sent, varied, session, address)


def _as_sent(body: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """The fields as the server reads them: a form has no null, and schemathesis writes the word."""
    if "json" in str(headers.get("Content-Type", "")):
        return body
    return {name: "null" if value is None else value for name, value in body.items()}


def _send_bytes(
    kind: str, body: bytes, fields: dict[str, Any] | None, session: requests.Session, address: str
) -> str:
    """`fields` as they were meant; None for bytes of which nobody knows whether they make a call."""
    headers = {"Content-Type": kind} if kind else {}
    response = session.post(f"{address}{PATH}", data=body, headers=headers, timeout=SECONDS)
    try:
        if response.headers["Content-Type"] != "application/json":
            raise Wrong(f"{response.headers['Content-Type']} is not JSON")
        return _judged(response.status_code, response.content, fields)
    except Wrong as wrong:
        wrong.add_note(f"sent as {kind or 'nothing'}: {body!r}")
        raise


def _encoded(fields: dict[str, Any], chance: Random) -> tuple[str, bytes]:
    """As a form or as JSON."""
    if chance.random() < HALF:
        return TYPES[1], json.dumps(fields).encode()
    said = {name: value for name, value in fields.items() if value is not None}  # a form has no null
    text = {name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()}
    return TYPES[0], urlencode(text, errors="replace").encode()


def _judged(status: int, content: bytes, body: dict[str, Any] | None) -> str:
    """What kind of answer it was. Raises Wrong for one that no such call may get."""
    if status != requests.codes.ok:
        raise Wrong(f"HTTP {status}")
    answer = json.loads(content)
    if isinstance(answer, dict) and set(answer) == {"error"}:
        if str(answer["error"]).startswith(BROKEN):
            raise Wrong(str(answer))
        return f"error: {str(answer['error']).partition(':')[0]}"
    if body is None:
        fitting = [name for name, validator in VALIDATORS.items() if validator.is_valid(answer)]
        if not fitting:
            raise Wrong(f"no answer that the document knows: {answer}")
        return f"bytes: {fitting[0]}"
    action = str(body.get("action", ""))
    form = form_of(action, {name: value for name, value in body.items() if value is not None})  # null is not sent
    if form is None:
        raise Wrong(f"no error for the action {action!r}: {answer}")
    try:
        VALIDATORS[form.schema].validate(answer)
    except ValidationError as error:
        raise Wrong(f"{form.schema}: {error}") from error
    return f"{action}: {form.schema}"


def _calls(address: str, document: dict[str, Any], stock: Stock) -> st.SearchStrategy[Any]:
    real = with_real_values(document, stock)
    operation = schemathesis.openapi.from_dict(real)[PATH]["POST"]
    allowed = operation.as_strategy(GenerationMode.POSITIVE)
    forbidden = operation.as_strategy(GenerationMode.NEGATIVE)
    anything = st.tuples(st.sampled_from(TYPES), st.binary(max_size=300) | _nearly(stock))
    return st.one_of(allowed, allowed, allowed, forbidden, anything)


def _nearly(stock: Stock) -> st.SearchStrategy[bytes]:
    """Bodies that begin as a call with the right key and go wrong later."""
    return st.binary(max_size=200).map(lambda rest: f"key={stock.key}&action=status&order=".encode() + rest)
