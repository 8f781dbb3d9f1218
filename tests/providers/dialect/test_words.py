"""Status words: the dialect page's table, the provider's own words, and no guess for the rest."""

from __future__ import annotations

import pytest

from providers.dialect.listings import normalise_type
from providers.dialect.words import (
    NUMERIC_STATUS_WORDS,
    WordMap,
    order_word,
    read_word,
    refill_word,
    subscription_word,
    word_map_problems,
)
from providers.outcomes import Cause, OrderWord, RefillWord, SubscriptionWord


@pytest.mark.parametrize(
    ("spelled", "meaning"),
    [
        ("Pending", OrderWord.PENDING),
        ("awaiting", OrderWord.PENDING),
        ("Queued", OrderWord.PENDING),
        ("In progress", OrderWord.IN_PROGRESS),
        ("In Progress", OrderWord.IN_PROGRESS),
        ("in_progress", OrderWord.IN_PROGRESS),
        ("IN-PROGRESS", OrderWord.IN_PROGRESS),
        ("inprogress.", OrderWord.IN_PROGRESS),
        ("Active", OrderWord.IN_PROGRESS),
        ("Processing", OrderWord.PROCESSING),
        ("Completed", OrderWord.COMPLETED),
        ("complete", OrderWord.COMPLETED),
        ("Partial", OrderWord.PARTIAL),
        ("Canceled", OrderWord.CANCELED),
        ("Cancelled", OrderWord.CANCELED),
        ("refunded", OrderWord.CANCELED),
        ("Refunds", OrderWord.CANCELED),
        ("REFUND", OrderWord.CANCELED),
    ],
)
def test_the_words_of_an_order(spelled: str, meaning: OrderWord) -> None:
    assert order_word(spelled) is meaning


@pytest.mark.parametrize(
    "word", ["", "fail", "Failed", "error", "104", "0", "2", "success", "done", "Готово", "完了", "-"]
)
def test_an_unknown_word_is_never_guessed(word: str) -> None:
    assert order_word(word) is None


def test_subscriptions_and_refills_have_words_of_their_own() -> None:
    assert subscription_word("Active") is SubscriptionWord.ACTIVE
    assert subscription_word("Pending") is SubscriptionWord.ACTIVE
    assert subscription_word("paused") is SubscriptionWord.PAUSED
    assert subscription_word("Completed") is SubscriptionWord.COMPLETED
    assert subscription_word("EXPIRED") is SubscriptionWord.EXPIRED
    assert subscription_word("Cancelled") is SubscriptionWord.CANCELED
    assert subscription_word("Partial") is None
    assert refill_word("Pending") is RefillWord.PENDING
    assert refill_word("In progress") is RefillWord.IN_PROGRESS
    assert refill_word("Completed") is RefillWord.COMPLETED
    assert refill_word("Rejected") is RefillWord.REJECTED
    assert refill_word("Cancelled") is RefillWord.CANCELED
    assert refill_word("Error") is RefillWord.ERROR
    assert refill_word("Partial") is None


def test_a_provider_s_own_words_come_first() -> None:
    words = WordMap.read(
        {
            "status": {"Erledigt!": "completed", "Active": "Processing"},
            "subscription": {"Läuft": "Active"},
            "refill": {"abgelehnt": "rejected"},
            "refusal": {"Kein Guthaben (10)": "funds"},
        }
    )
    assert order_word("erledigt", words) is OrderWord.COMPLETED
    assert order_word("active", words) is OrderWord.PROCESSING
    assert subscription_word("LÄUFT", words) is SubscriptionWord.ACTIVE
    assert refill_word("Abgelehnt", words) is RefillWord.REJECTED
    assert words.refusal == {"keinguthaben": Cause.FUNDS}


def test_the_numeric_preset_reads_as_the_page_says() -> None:
    words = WordMap.read({"status": NUMERIC_STATUS_WORDS})
    assert [order_word(read_word(number), words) for number in range(6)] == [
        OrderWord.PENDING,
        OrderWord.PROCESSING,
        OrderWord.COMPLETED,
        OrderWord.PARTIAL,
        OrderWord.CANCELED,
        OrderWord.CANCELED,
    ]
    assert word_map_problems({"status": NUMERIC_STATUS_WORDS}) == []


@pytest.mark.parametrize(
    "stored",
    [None, [], "x", {"status": []}, {"status": {"a": 5}}, {"status": {"": "Pending"}}, {"refusal": {"x": "?"}}],
)
def test_a_broken_map_is_read_as_none_and_its_problems_are_named(stored: object) -> None:
    assert WordMap.read(stored) == WordMap()
    assert word_map_problems(stored)


def test_a_problem_names_the_word_and_what_may_be_written() -> None:
    (problem,) = word_map_problems({"status": {"gone": "vanished"}})
    assert "vanished" in problem
    assert "gone" in problem
    assert "Canceled" in problem
    assert word_map_problems({"colour": {}}) == ["“colour” is not a part of a word map."]


@pytest.mark.parametrize("spelled", ["Custom Comments", "custom_comments", "CUSTOM-COMMENTS", "customcomments"])
def test_types_compare_without_case_and_separators(spelled: str) -> None:
    assert normalise_type(spelled) == "customcomments"


@pytest.mark.parametrize("spelled", ["completed", "complete"])
def test_both_spellings_of_done(spelled: str) -> None:
    assert order_word(spelled) is OrderWord.COMPLETED
    assert subscription_word(spelled) is SubscriptionWord.COMPLETED
    assert refill_word(spelled) is RefillWord.COMPLETED


@pytest.mark.parametrize("spelled", ["canceled", "cancelled"])
def test_both_spellings_of_canceled(spelled: str) -> None:
    assert order_word(spelled) is OrderWord.CANCELED
    assert subscription_word(spelled) is SubscriptionWord.CANCELED
    assert refill_word(spelled) is RefillWord.CANCELED


def test_every_part_of_a_map_is_looked_at_and_each_problem_is_a_sentence() -> None:
    good = {
        "status": {"gone": "Canceled"},
        "subscription": {"sleeping": "Paused"},
        "refill": {"done": "Completed"},
        "refusal": {"nope": Cause.LINK.value},
    }
    assert word_map_problems(good) == []
    assert word_map_problems(None) == ["The word map must be an object."]
    first, second = word_map_problems({"status": [], "refill": {"done": "finished"}})
    assert first == "“status” must be an object of words and meanings."
    assert second == (
        "“finished” for “done” is not a meaning of “refill”. "
        "Use one of: Pending, In progress, Completed, Rejected, Canceled, Error."
    )


def test_a_key_at_the_end_of_a_very_long_word_is_not_shown_in_part() -> None:
    key = "k" * 20
    assert key[:10] not in read_word("x" * 50 + key, key)
