"""A provider's queue: who pauses it, what opens it again, and that each step is made once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from providers import queue
from providers.models import Provider
from records.audit import Actor
from records.jobs import run_job
from records.models import AttentionItem, AuditEntry
from tests.providers.builders import make_provider
from tests.providers.sockets import Panel, speaking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]
BOB = Actor("bob@example.com")


class Purse:
    """What the panel says of the balance; an error when it is a text."""

    def __init__(self) -> None:
        self.answer: Any = {"balance": "0", "currency": "USD"}

    def __call__(self, fields: dict[str, str]) -> Any:
        assert fields["action"] == "balance"
        return self.answer

    def holds(self, amount: str) -> None:
        self.answer = {"balance": amount, "currency": "USD"}


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def provider(purse: Purse) -> Iterator[Provider]:
    with Panel(speaking(purse)) as panel:
        yield make_provider(panel.url)


def state(provider: Provider) -> tuple[str, str]:
    row = Provider.objects.get(pk=provider.pk)
    return row.queue, row.queue_cause


def test_a_pause_is_audited_and_told_once(provider: Provider) -> None:
    rival = Provider.objects.get()
    assert queue.pause(provider, reason="Not enough funds", cause="funds")
    assert not queue.pause(rival, reason="Not enough funds", cause="funds")
    assert state(provider) == ("paused", "funds")
    assert AuditEntry.objects.filter(action="provider.queue_paused").count() == 1
    item = AttentionItem.objects.get()
    assert (item.cause, item.provider_id, item.times) == ("provider_paused", provider.pk, 1)
    assert item.summary == "Acme is paused: Not enough funds"


def test_through_a_trial_to_open(provider: Provider) -> None:
    queue.pause(provider, reason="Maintenance", cause="maintenance")
    assert not queue.trial_passed(provider)
    assert queue.start_trial(provider)
    assert not queue.start_trial(provider)
    assert queue.trial_passed(provider)
    assert state(provider) == ("open", "")
    assert AttentionItem.objects.get().closed_at is not None


def test_a_trial_that_fails_pauses_again(provider: Provider) -> None:
    queue.pause(provider, reason="Funds", cause="funds")
    queue.start_trial(provider)
    assert queue.pause(provider, reason="Funds", cause="funds")
    assert state(provider) == ("paused", "funds")


def test_a_pause_by_hand_ends_by_hand(provider: Provider, purse: Purse) -> None:
    queue.pause(provider, reason="Funds", cause="funds")
    assert queue.pause(provider, reason="They cheat", cause=queue.BY_HAND, actor=BOB)
    assert not queue.pause(provider, reason="Funds", cause="funds")
    purse.holds("100")
    assert not queue.probe(provider)
    assert state(provider) == ("paused", "by_hand")
    assert queue.reopen(provider, actor=BOB, reason="They apologised")
    assert state(provider) == ("open", "")
    assert AuditEntry.objects.latest("id").actor_name == BOB.name


class TestProbing:
    def test_any_answer_ends_a_pause_that_was_not_for_funds(self, provider: Provider) -> None:
        queue.pause(provider, reason="Maintenance", cause="maintenance")
        assert queue.probe(provider)
        assert state(provider) == ("trial", "")

    def test_funds_want_funds(self, provider: Provider, purse: Purse) -> None:
        queue.pause(provider, reason="Funds", cause="funds")
        assert not queue.probe(provider)
        purse.holds("0.01")
        assert queue.probe(provider)

    def test_and_as_much_as_was_needed(self, provider: Provider, purse: Purse) -> None:
        queue.pause(provider, reason="Funds", cause="funds", needed=Decimal(5))
        purse.holds("4.99")
        assert not queue.probe(provider)
        purse.holds("5")
        assert queue.probe(provider)

    def test_an_error_leaves_it_paused(self, provider: Provider, purse: Purse) -> None:
        queue.pause(provider, reason="Bad key", cause="bad_key")
        purse.answer = {"error": "Invalid API key"}
        assert not queue.probe(provider)
        assert state(provider) == ("paused", "bad_key")

    def test_the_job_asks_the_paused_alone(self, provider: Provider, purse: Purse) -> None:
        assert list(queue.paused_scopes()) == []
        queue.pause(provider, reason="Maintenance", cause="maintenance")
        assert list(queue.paused_scopes()) == [str(provider.pk)]
        run = run_job("probe_providers", str(provider.pk))
        assert run is not None
        assert (run.error, run.counts) == ("", {"asked": 1, "trials": 1})
        assert list(queue.paused_scopes()) == []


class TestUnknowns:
    def test_five_in_a_row_pause(self, provider: Provider) -> None:
        assert [queue.count_unknown(provider) for _ in range(5)] == [False] * 4 + [True]
        assert state(provider) == ("paused", "unknowns")
        assert not queue.count_unknown(provider)

    def test_a_known_outcome_breaks_the_row(self, provider: Provider) -> None:
        for _ in range(4):
            queue.count_unknown(provider)
        queue.reset_unknowns(provider)
        assert not queue.count_unknown(provider)
        assert state(provider) == ("open", "")

    def test_an_unbroken_row_writes_nothing(
        self, provider: Provider, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1) as queries:
            queue.reset_unknowns(provider)
        assert "UPDATE" in queries.captured_queries[0]["sql"]
