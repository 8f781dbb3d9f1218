"""The list of what needs a person: one open item a key, whoever noticed and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from records.attention import Item, close_attention, close_matching, open_by_cause, raise_attention, raise_many
from records.audit import Actor
from records.models import AttentionItem
from tests.records.races import race

pytestmark = pytest.mark.django_db


class Outcome(Enum):
    UNKNOWN = "unknown"


def _raise(key: str = "order:7:unknown", **evidence: object) -> None:
    raise_attention(cause="unknown_order", key=key, summary=f"{key} is unknown", evidence=evidence, order_id=7)


def test_an_item_has_its_evidence() -> None:
    raise_attention(
        cause="drift",
        key="provider:3:drift",
        summary="The balance differs.",
        evidence={
            "ours": Decimal("12.500000"),
            "seen": datetime(2026, 1, 2, tzinfo=UTC),
            "took": timedelta(seconds=2),
            "outcome": Outcome.UNKNOWN,
            "answers": [{"charge": float("nan")}, b"\xff\x00"],
            "ids": {10**30},
        },
        provider_id=3,
    )
    item = AttentionItem.objects.get()
    assert (item.cause, item.provider_id, item.order_id, item.times) == ("drift", 3, None, 1)
    assert item.evidence == {
        "ours": "12.50",
        "seen": "2026-01-02T00:00:00+00:00",
        "took": "0:00:02",
        "outcome": "unknown",
        "answers": [{"charge": "nan"}, "\ufffd\ufffd"],
        "ids": [str(10**30)],
    }


def test_seen_again_it_counts_up_with_the_newest_evidence() -> None:
    _raise(try_no=1)
    first = AttentionItem.objects.get()
    _raise(try_no=2)
    item = AttentionItem.objects.get()
    assert (item.pk, item.times, item.evidence) == (first.pk, 2, {"try_no": 2})
    assert item.opened_at == first.opened_at
    assert item.seen_at > first.seen_at


def test_what_was_closed_stays_and_the_next_is_a_new_item() -> None:
    _raise()
    assert close_attention(key="order:7:unknown", decision="It does not exist: sent again.", actor=Actor("boss"))
    _raise()
    closed, opened = AttentionItem.objects.order_by("id")
    assert (closed.decision, closed.closed_by) == ("It does not exist: sent again.", "boss")
    assert closed.closed_at is not None
    assert (opened.times, opened.closed_at) == (1, None)


def test_closing_what_is_not_open_says_so() -> None:
    assert not close_attention(key="order:7:unknown", decision="none")
    _raise()
    assert close_attention(key="order:7:unknown", decision="once")
    assert not close_attention(key="order:7:unknown", decision="twice")


def test_all_of_a_prefix_are_closed_and_no_others() -> None:
    for key in ("provider:1:paused", "provider:1:low", "provider:10:low"):
        _raise(key)
    assert close_matching(key_prefix="provider:1:", decision="The provider was removed.") == 2
    assert [item.key for item in AttentionItem.objects.filter(closed_at=None)] == ["provider:10:low"]


def test_an_underscore_in_a_prefix_is_an_underscore() -> None:
    _raise("job_failed:x")
    _raise("jobXfailed:x")
    assert close_matching(key_prefix="job_failed:", decision="done") == 1


def test_thousands_are_raised_in_few_statements(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    items = [Item(cause="held", key=f"order:{number}:held", summary="held", order_id=number) for number in range(2000)]
    with django_assert_max_num_queries(4):
        raise_many(items)
    with django_assert_max_num_queries(4):
        raise_many(items)
    assert AttentionItem.objects.filter(times=2).count() == 2000


def test_one_key_twice_in_a_batch_counts_twice() -> None:
    raise_many([Item(cause="held", key="order:1", summary=f"no. {number}") for number in range(3)])
    item = AttentionItem.objects.get()
    assert (item.times, item.summary) == (3, "no. 2")


def test_nothing_to_raise_is_nothing(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(0):
        raise_many([])


def test_what_providers_send_is_kept_on_both_databases() -> None:
    """PostgreSQL refuses NUL and half characters, so they must not get as far as that."""
    raise_attention(
        cause="word", key="word:1", summary="\x00" + "x" * 600, evidence={"\x00a": "\ud800", "body": "y" * 99_999}
    )
    item = AttentionItem.objects.get()
    assert len(item.summary) == 500
    assert item.summary.endswith("…")
    assert item.evidence["\ufffda"] == "?"
    assert len(item.evidence["body"]) == 4000


def test_no_secret_gets_into_the_evidence() -> None:
    _raise(request={"key": "s3cr3t", "action": "add"}, keywords="a b")
    assert AttentionItem.objects.get().evidence == {
        "request": {"key": "(hidden)", "action": "add"},
        "keywords": "a b",
    }


def test_evidence_without_an_end_has_one() -> None:
    loop: dict[str, object] = {}
    loop["again"] = loop
    _raise(loop=loop)
    assert "again" in str(AttentionItem.objects.get().evidence)


def test_the_dashboard_counts_by_cause_and_provider_in_one_query(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    raise_many(
        [Item(cause="held", key=f"held:{number}", summary="held", provider_id=number % 2) for number in range(5)]
        + [Item(cause="low", key="low:1", summary="low", provider_id=1)]
        + [Item(cause="old", key="old:1", summary="closed")]
    )
    close_attention(key="old:1", decision="done")
    AttentionItem.objects.filter(cause="low").update(opened_at=timezone.now() - timedelta(days=1))
    with django_assert_max_num_queries(1):
        groups = open_by_cause()
    assert [(group.cause, group.provider_id, group.items) for group in groups] == [
        ("low", 1, 1),
        ("held", 0, 3),
        ("held", 1, 2),
    ]


def _raise_without_guard(number: int) -> None:
    """The twin: looks for an open item, then makes one."""
    open_item = AttentionItem.objects.filter(key="order:7:unknown", closed_at=None).first()
    if open_item is None:
        AttentionItem.objects.create(cause="unknown_order", key="order:7:unknown", summary="twin")
    else:
        AttentionItem.objects.filter(pk=open_item.pk).update(times=open_item.times + 1)


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres")
def test_rivals_raise_one_item_and_each_is_counted() -> None:
    def raise_ten(rival: int) -> None:
        for _ in range(10):
            _raise()

    race(8, raise_ten)
    item = AttentionItem.objects.get()
    assert item.times == 80


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres")
def test_batches_in_different_orders_do_not_lock_each_other_out() -> None:
    items = [Item(cause="held", key=f"order:{number}", summary="held") for number in range(400)]
    race(6, lambda number: raise_many(items if number % 2 else items[::-1]))
    assert AttentionItem.objects.filter(times=6).count() == 400


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres")
def test_the_race_is_real_without_the_index_and_the_upsert_there_are_two_items() -> None:
    """The twin of the test above it, which must see two open items of one key."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_open_item_a_key")
    try:
        for _ in range(40):
            race(8, _raise_without_guard)
            if AttentionItem.objects.count() > 1:
                return
            AttentionItem.objects.all().delete()
        pytest.fail("forty races and never two items: this machine does not race, the guarded test proves nothing")
    finally:
        AttentionItem.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(AttentionItem, AttentionItem._meta.constraints[0])
