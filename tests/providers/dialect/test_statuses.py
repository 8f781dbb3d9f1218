"""`status`: the seed's examples, every shape of the dialect page, and a record that is nobody's stays nobody's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.dialect.answer import NotProcessed, Refused, Unreadable
from providers.dialect.statuses import read_statuses
from providers.dialect.words import WordMap
from providers.outcomes import Cause, ItemError, OrderWord, StatusReading, SubscriptionWord
from tests.providers.dialect.builders import KEY, PAGE, answer

PARTIAL = {"charge": "0.27819", "start_count": "3572", "status": "Partial", "remains": "157", "currency": "USD"}


def reading(item: Any) -> StatusReading | ItemError:
    """How the item is read under an id among others."""
    return read_statuses(answer({"7": item, "8": PARTIAL}), ["7", "8"]).by_id["7"]


def record(**fields: Any) -> StatusReading:
    found = reading({"status": "In progress", **fields})
    assert isinstance(found, StatusReading)
    return found


PARTIAL_READING = StatusReading(
    upstream_id="23501",
    status=OrderWord.PARTIAL,
    word="Partial",
    charge=Decimal("0.27819"),
    start_count=3572,
    remains=157,
    currency="USD",
)


@pytest.mark.parametrize(
    "body",
    [
        PARTIAL,
        [PARTIAL],
        {"order": 23501, **PARTIAL},
        [{"order": "23501", **PARTIAL}],
        {"23501": PARTIAL},
        {"data": PARTIAL},
        {"success": True, "data": {"23501": PARTIAL}},
        {"23501": {"order": 23501, **PARTIAL}},
    ],
)
def test_one_order(body: Any) -> None:
    assert read_statuses(answer(body), ["23501"]).by_id == {"23501": PARTIAL_READING}


def test_many_as_the_seed_shows_them() -> None:
    body = {
        "1": PARTIAL,
        "10": {"error": "Incorrect order ID", "status": "104"},
        "15": {"status": "Active", "posts": 5},
        "20": {"status": "In Progress", "runs": 3},
    }
    found = read_statuses(answer(body), ["1", "10", "15", "20"]).by_id
    assert list(found) == ["1", "10", "15", "20"]
    first, wrong, subscription, drip_feed = found.values()
    assert isinstance(first, StatusReading)
    assert (first.status, first.remains, first.charge) == (OrderWord.PARTIAL, 157, Decimal("0.27819"))
    assert isinstance(wrong, ItemError)
    assert wrong.refusal.cause is Cause.INCORRECT_ID
    assert isinstance(subscription, StatusReading)
    assert (subscription.subscription, subscription.posts) == (SubscriptionWord.ACTIVE, 5)
    assert isinstance(drip_feed, StatusReading)
    assert (drip_feed.status, drip_feed.runs, drip_feed.charge) == (OrderWord.IN_PROGRESS, 3, None)


def test_children_of_drip_feeds_and_subscriptions() -> None:
    assert record(runs="3", orders=["22", 23, "22", None]).orders == ("22", "23")
    assert record(orders="22, 23").orders == ("22", "23")
    assert record(orders={"a": 1}).orders == ()
    subscription = record(status="Expired", posts="5", expiry=None, orders=["22"])
    assert (subscription.status, subscription.subscription) == (None, SubscriptionWord.EXPIRED)
    assert (subscription.posts, subscription.expiry) == (5, None)
    assert record(expiry="31/12/2025").expiry == "31/12/2025"


def test_a_count_that_is_no_number_is_not_the_same_as_none() -> None:
    assert (record(posts="5", runs=0).unreadable, record(posts=None, runs="").unreadable) == ((), ())
    assert record(posts="two", runs=[]).unreadable == ("runs", "posts")


@pytest.mark.parametrize(
    ("value", "charge"),
    [
        ("0.27819", "0.278190"),
        (0.27819, "0.278190"),
        ("1,234.5", "1234.5"),
        ("0.2781901", "0.278191"),
        ("$5", "5"),
        (0, "0"),
    ],
)
def test_a_charge(value: Any, charge: str) -> None:
    assert record(charge=value).charge == Decimal(charge)


@pytest.mark.parametrize("value", [None, "", "-1", "free", [], {}, True, "9" * 30])
def test_what_is_no_charge_is_none(value: Any) -> None:
    assert record(charge=value).charge is None
    assert record().charge is None


@pytest.mark.parametrize(
    ("value", "count"),
    [("3572", 3572), (3572, 3572), ("", None), (None, None), ("Unknown", None), (-5, -5), (10**30, None)],
)
def test_start_count_and_remains(value: Any, count: int | None) -> None:
    assert record(start_count=value, remains=value).start_count == count
    assert record(start_count=value, remains=value).remains == count
    assert record().remains is None


def test_a_currency_is_compared_in_capitals() -> None:
    assert record(currency=" usd ").currency == "USD"
    assert record(currency="").currency is None
    assert record(currency=["USD"]).currency is None


@pytest.mark.parametrize(
    "item",
    [
        {"error": "Incorrect order ID"},
        {"error": "Incorrect order ID", "status": "Completed"},
        {"errors": ["error.incorrect_order_id"], "status": "Canceled"},
        {"status": {"error": "Incorrect order ID"}},
        {"success": False, "message": "Incorrect order ID", "status": "Completed"},
        {"status": "error", "message": "Incorrect order ID"},
    ],
)
def test_an_item_with_an_error_is_an_error_whatever_its_status(item: Any) -> None:
    found = reading(item)
    assert isinstance(found, ItemError)
    assert found.refusal.cause is Cause.INCORRECT_ID


@pytest.mark.parametrize(
    "item", [None, "Completed", 5, True, [], {}, [PARTIAL], {"status": None}, {"status": ""}, {"status": []}]
)
def test_what_is_no_record_is_an_unreadable_item(item: Any) -> None:
    found = reading(item)
    assert isinstance(found, ItemError)
    assert found.refusal.cause is Cause.UNREADABLE


@pytest.mark.parametrize("word", ["Failed", "error", "104", 2, "Готово", "x" * 500])
def test_an_unknown_word_is_a_reading_without_a_meaning(word: Any) -> None:
    found = record(status=word)
    assert (found.status, found.subscription) == (None, None)
    assert found.word == str(word)[:60]


def test_the_provider_s_word_map_gives_it_one() -> None:
    words = WordMap.read({"status": {"Failed": "Canceled"}})
    found = read_statuses(answer({"status": "failed!"}), ["7"], words).by_id["7"]
    assert isinstance(found, StatusReading)
    assert found.status is OrderWord.CANCELED


def test_an_absent_id_is_absent_and_one_not_asked_for_is_set_apart() -> None:
    statuses = read_statuses(answer({"7": PARTIAL, "9": PARTIAL}), ["7", "8"])
    assert list(statuses.by_id) == ["7"]
    assert statuses.not_asked == ("9",)


@pytest.mark.parametrize("body", [{}, []])
def test_an_empty_answer_is_an_answer_about_nobody(body: Any) -> None:
    assert read_statuses(answer(body), ["7", "8"]).by_id == {}


def test_a_list_is_matched_by_the_ids_its_items_carry() -> None:
    body = [{"order": 8, **PARTIAL}, {"order": "7", "status": "Completed"}, {"status": "Canceled"}, "x"]
    found = read_statuses(answer(body), ["7", "8"]).by_id
    assert isinstance(found["7"], StatusReading)
    assert isinstance(found["8"], StatusReading)
    assert (found["7"].status, found["8"].status) == (OrderWord.COMPLETED, OrderWord.PARTIAL)


def test_a_list_that_lost_its_first_items_is_matched_by_the_ids_its_items_carry() -> None:
    found = read_statuses(
        answer({"1": {"order": 8, **PARTIAL}, "4": {"order": 7, "status": "Completed"}}), ["7", "8"]
    ).by_id
    assert sorted(found) == ["7", "8"]
    assert isinstance(found["7"], StatusReading)
    assert found["7"].status is OrderWord.COMPLETED


def test_a_list_without_ids_is_matched_only_where_its_places_are_the_ids() -> None:
    items = [{"status": "Completed"}, {"status": "Canceled"}]
    assert sorted(read_statuses(answer(items), ["0", "1"]).by_id) == ["0", "1"]
    for asked in (["7", "8"], ["1", "2"], ["1", "0"], ["0", "1", "2"], ["7"]):
        with pytest.raises(Unreadable):
            read_statuses(answer(items), asked)


@pytest.mark.parametrize(
    "body",
    [
        {"7": {"order": 8, **PARTIAL}},
        [{"order": 7, "status": "Completed"}, {"order": 7, "status": "Canceled"}],
        b'{"7": {"status": "Completed"}, "7": {"status": "Canceled"}}',
        b'{"7": {"status": "Completed"}, "07": 1, " 7": {"status": "Canceled"}}',
    ],
)
def test_what_contradicts_itself_decides_nothing(body: Any) -> None:
    found = read_statuses(answer(body), ["7", "8"]).by_id["7"]
    assert isinstance(found, ItemError)
    assert found.refusal.cause is Cause.UNREADABLE


def test_one_record_for_another_order_or_for_many_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        read_statuses(answer({"order": 8, **PARTIAL}), ["7"])
    with pytest.raises(Unreadable):
        read_statuses(answer(PARTIAL), ["7", "8"])
    assert read_statuses(answer([{"order": 8, **PARTIAL}]), ["7"]).by_id == {}


@pytest.mark.parametrize("status", [200, 400, 404])
def test_an_error_of_the_answer_is_the_order_s_own_when_one_was_asked(status: int) -> None:
    found = read_statuses(answer({"error": "Incorrect order ID"}, status), ["7"]).by_id["7"]
    assert isinstance(found, ItemError)
    assert found.refusal.cause is Cause.INCORRECT_ID
    with pytest.raises(Refused):
        read_statuses(answer({"error": "Incorrect order ID"}, status), ["7", "8"])


@pytest.mark.parametrize("text", ["Invalid API key", "user_inactive", "Incorrect request", "Unknown action"])
def test_an_error_about_the_provider_is_the_call_s_even_when_one_was_asked(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_statuses(answer({"error": text}), ["7"])
    assert refused.value.refusal.text == text


@pytest.mark.parametrize(
    ("body", "status"),
    [(PAGE, 200), (b"", 200), (b'{"7": {"status": "Comp', 200), (b"5", 200), (PAGE, 500), (PARTIAL, 500), (PAGE, 301)],
)
def test_no_answer_is_unreadable(body: Any, status: int) -> None:
    with pytest.raises(Unreadable):
        read_statuses(answer(body, status), ["7"])


def test_too_many_requests_is_not_processed() -> None:
    with pytest.raises(NotProcessed) as error:
        read_statuses(answer(b"", 429, Retry_After="7"), ["7"])
    assert error.value.retry_after == 7
    with pytest.raises(NotProcessed):
        read_statuses(answer({"error": "Too many requests"}), ["7"])


def test_an_echoed_key_is_in_no_reading() -> None:
    assert KEY not in repr(reading({"status": KEY}))
    assert KEY[:4] not in repr(reading({"status": "x" * 56 + KEY}))
    assert KEY not in repr(reading({"error": f"bad {KEY}"}))


@pytest.mark.parametrize("name", ["order", "order_id", "id"])
def test_the_items_of_a_list_carry_their_ids(name: str) -> None:
    body = [{name: 8, **PARTIAL}, {name: "7", "status": "Completed"}]
    found = read_statuses(answer(body), ["7", "8"]).by_id
    assert [getattr(found[each], "word", None) for each in ("7", "8")] == ["Completed", "Partial"]


@pytest.mark.parametrize("field", ["charge", "remains", "start_count"])
def test_a_record_is_known_by_each_of_its_own_fields(field: str) -> None:
    found = read_statuses(answer({field: "5"}), ["23501"]).by_id["23501"]
    assert isinstance(found, ItemError)
    assert (found.refusal.cause, found.refusal.text) == (Cause.UNREADABLE, "a record without a status")


def test_what_is_not_one_record_is_said_to_be_so() -> None:
    found = reading([PARTIAL, PARTIAL])
    assert isinstance(found, ItemError)
    assert found.refusal.text == "what stands under this id is not one record"


def test_long_texts_and_long_lists_of_children_are_cut() -> None:
    found = record(currency="u" * 50, expiry="9" * 50, orders=list(range(1, 10_003)))
    assert (found.currency, found.expiry) == ("U" * 12, "9" * 40)
    assert found.orders == tuple(str(each) for each in range(1, 10_001))
