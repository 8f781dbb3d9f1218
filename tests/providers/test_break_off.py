"""Whatever breaks inside the panel after an order was handed over, the order is unknown: never "not sent"."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.client.calls import Call, Caller
from providers.outcomes import NotSent, Unknown
from providers.upstream import Upstream
from tests.orders.builders import a_provider

pytestmark = pytest.mark.django_db


class Broken(Exception):
    """Something of ours that nobody expected."""


def breaking(monkeypatch: pytest.MonkeyPatch, *, after_writing: bool) -> None:
    def call(self: Caller, call: Call, *, before_write: Callable[[], None] | None = None) -> None:
        if after_writing and before_write is not None:
            before_write()
        raise Broken("the limits' store went away")

    monkeypatch.setattr(Caller, "call", call)


def test_after_the_request_began_it_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(monkeypatch, after_writing=True)
    assert isinstance(Upstream(a_provider()).add({"service": "1"}), Unknown)


def test_before_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(monkeypatch, after_writing=False)
    assert isinstance(Upstream(a_provider()).add({"service": "1"}), NotSent)
