"""The client against the sandbox provider: its journal is the truth that each outcome of `add` is measured by."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from providers.models import Provider
from providers.outcomes import Accepted, NotSent, OrderWord, Rejected, StatusReading, Unknown
from providers.sandbox.faults import KINDS
from providers.sandbox.server import Sandbox
from providers.upstream import Upstream, UpstreamTrouble
from tests.providers.builders import make_provider
from tests.sandbox.builders import ORDERS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(balance="1000") as running:
        yield running


def provider_at(sandbox: Sandbox, **changes: object) -> Provider:
    settings = {"key": sandbox.key, "deadline_seconds": 1, **changes}
    return make_provider(f"http://127.0.0.1:{sandbox.port}/api/v2", **settings)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_outcome_contradicts_the_journal(sandbox: Sandbox, kind: str) -> None:
    """Not sent or rejected: nothing was made. Accepted: that very order was. Unknown promises nothing."""
    sandbox.faults.add("connect" if kind == "close_before_read" else "add", kind)
    outcome = Upstream(provider_at(sandbox)).add(ORDERS["Default"])
    made = [str(order["order"]) for order in sandbox.journal.orders()]
    if isinstance(outcome, NotSent | Rejected):
        assert made == []
    elif isinstance(outcome, Accepted):
        assert made == [outcome.upstream_id]
    else:
        assert isinstance(outcome, Unknown)
        assert outcome.reason


def test_a_slow_but_whole_answer_is_accepted(sandbox: Sandbox) -> None:
    sandbox.faults.add("add", "delay", 0.3)
    assert isinstance(Upstream(provider_at(sandbox)).add(ORDERS["Default"]), Accepted)


def test_a_drip_ends_with_the_deadline(sandbox: Sandbox) -> None:
    sandbox.faults.add("add", "slow_drip", 0.2)
    began = time.monotonic()
    assert isinstance(Upstream(provider_at(sandbox)).add(ORDERS["Default"]), Unknown)
    assert time.monotonic() - began < 2


def test_a_connection_that_was_closed_without_a_word_costs_no_order(sandbox: Sandbox) -> None:
    upstream = Upstream(provider_at(sandbox))
    sandbox.faults.add("balance", "close_idle")
    upstream.balance()
    time.sleep(0.1)
    assert isinstance(upstream.add(ORDERS["Default"]), Accepted)


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "html", "empty", "cut_json", "http", "rate_limit"])
def test_a_question_that_goes_wrong_is_trouble(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults.add("*", kind)
    with pytest.raises(UpstreamTrouble) as caught:
        Upstream(provider_at(sandbox)).balance()
    assert caught.value.kind in {"lost", "unreadable", "not_sent"}
    assert sandbox.key not in str(caught.value)


def test_all_seven_actions(sandbox: Sandbox) -> None:
    upstream = Upstream(provider_at(sandbox))
    assert len(upstream.services().services) > 10
    assert upstream.balance().amount == Decimal(1000)
    placed = [upstream.add(ORDERS["Default"]) for _ in range(2)]
    ids = [each.upstream_id for each in placed if isinstance(each, Accepted)]
    assert len(ids) == 2
    found = upstream.status(ids)
    readings = [each for each in found.values() if isinstance(each, StatusReading)]
    assert [reading.status for reading in readings] == [OrderWord.PENDING] * 2
    assert all(answer.upstream_id in ids for answer in upstream.cancel(ids[:1]).values())
    refused = upstream.refill(ids[1])  # not delivered yet
    assert refused.upstream_id == ids[1]
    assert set(upstream.refill_status(["999999"])) == {"999999"}
