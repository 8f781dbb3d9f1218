"""A restored backup is in the past: what it holds as unsent may have been sent. Nothing is sent again by itself."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from providers.sandbox.server import Sandbox
from tests.backup.conftest import Panel

pytestmark = pytest.mark.xdist_group("backup")


def made(sandbox: Sandbox) -> Counter[str]:
    """The orders that the provider has, by link."""
    return Counter(order.link.rpartition("/")[2] for order in sandbox.orders.values())


def ids(sandbox: Sandbox) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number in sorted(sandbox.orders):
        found.setdefault(sandbox.orders[number].link, []).append(str(number))
    return found


@pytest.fixture
def backup(panel: Panel, sandbox: Sandbox, tmp_path: Path) -> Path:
    """Taken while orders were on their way; then they were sent, and a customer came of whom it knows nothing."""
    panel.do("begin", url=sandbox.url, key=sandbox.options.key)
    file = tmp_path / "panel.tar"
    panel.manage("backup", str(file))
    panel.do("another")
    panel.do("work")
    return file


def test_each_order_is_there_once_and_the_wallets_are_right(panel: Panel, sandbox: Sandbox, backup: Path) -> None:
    before = made(sandbox)
    assert before == Counter(before=1, waiting=1, queue=1, held=1, drops=1, list=1, another=1)
    refills = len(sandbox.journal.requests("refill"))
    assert refills == 1

    said = panel.manage("restore", str(backup), "--force")
    assert "may have been sent since" in said
    seen = panel.do("look")
    assert {state for link, state in seen["states"] if link != "before"} == {"unknown", "series"}
    assert seen["queues"] == ["paused"]
    assert {"restored", "unknown_submission", "unknown_refill"} <= set(seen["causes"])
    assert (seen["lists"], seen["refills"]) == (["stopped"], ["unknown"])
    assert (seen["letters due"], seen["parked"]) == (0, 1)
    assert seen["books"] == []
    assert Decimal(seen["balance"]) == 100 - Decimal(seen["kept"])

    panel.do("work")  # every job, with the queue paused
    panel.do("an_hour_passes")
    panel.do("open_queues")
    panel.do("another_order")
    panel.do("work")  # with the queue open, ids above the gap, and a provider that sends again what was not placed
    after = made(sandbox)
    assert after == before + Counter(later=1)
    assert len(sandbox.journal.requests("refill")) == refills

    panel.do("decide", existing=ids(sandbox))
    seen = panel.do("look")
    assert ["queue", "ended"] in seen["states"]  # of the two the second was never sent, and is given back
    assert {state for _, state in seen["states"]} == {"accepted", "ended", "series"}
    assert seen["books"] == []
    assert Decimal(seen["balance"]) == 100 - Decimal(seen["kept"])
    assert made(sandbox) == after


def test_without_the_guard_the_provider_has_them_twice(panel: Panel, sandbox: Sandbox, backup: Path) -> None:
    """The twin: so it is known that the test above would see it."""
    panel.do("restore_without_the_guard", file=str(backup))
    panel.do("work")
    twice = {link for link, number in made(sandbox).items() if number > 1}
    assert {"waiting", "queue", "held", "drops", "list"} <= twice


def test_new_orders_get_numbers_that_no_lost_one_had(panel: Panel, sandbox: Sandbox, backup: Path) -> None:
    lost = panel.do("look")["highest"]
    panel.manage("restore", str(backup), "--force")
    panel.do("another_order")
    assert panel.do("look")["highest"] > lost + 90_000
