"""What an HTTP status decides before the body is asked, at the very edges of each rule."""

from __future__ import annotations

from typing import Any

import pytest

from providers.dialect.answer import NotProcessed, Refused, Unreadable
from providers.dialect.transport import open_answer, retry_after
from providers.outcomes import Cause
from tests.providers.dialect.builders import answer

NO_FUNDS = {"error": "Not enough funds"}
NO_SENSE = {"error": "words that nobody knows"}
NOW = "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize("status", [520, 522, 524])
def test_a_body_from_a_cdn_is_not_the_providers_word(status: int) -> None:
    with pytest.raises(Unreadable):
        open_answer(answer(NO_FUNDS, status))


@pytest.mark.parametrize("status", [408, 409, 425, 499, 500])
def test_unknown_words_with_a_code_that_leaves_it_open_are_no_refusal(status: int) -> None:
    with pytest.raises(Unreadable):
        open_answer(answer(NO_SENSE, status))


@pytest.mark.parametrize("status", [400, 407, 410, 424, 426, 498])
def test_unknown_words_with_another_code_are_one(status: int) -> None:
    with pytest.raises(Refused) as caught:
        open_answer(answer(NO_SENSE, status))
    assert caught.value.refusal.cause is Cause.OTHER


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (199, "HTTP 199, not an error of this dialect"),
        (300, "HTTP 300, a redirect; check the provider's URL"),
        (301, "HTTP 301, a redirect; check the provider's URL"),
        (399, "HTTP 399, a redirect; check the provider's URL"),
        (400, "HTTP 400, not an error of this dialect"),
        (404, "HTTP 404, not an error of this dialect"),
    ],
)
def test_what_is_neither_an_answer_nor_a_refusal_says_what_it_is(status: int, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        open_answer(answer({"order": 5}, status))
    assert caught.value.reason == reason


def test_every_2xx_is_read() -> None:
    assert [open_answer(answer({"order": 5}, status)) for status in (200, 299)] == [{"order": 5}] * 2


def test_a_refusal_may_come_as_a_list_of_one() -> None:
    with pytest.raises(Refused):
        open_answer(answer([NO_FUNDS], 400))
    with pytest.raises(Unreadable):
        open_answer(answer([NO_FUNDS, NO_FUNDS], 400))


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        ("Mon, 23 Nov 2026 10:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:30 +0100", 30.0),
        ("Mon, 23 Nov 2026 10:00:30 -0000", 30.0),  # says no zone at all
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0.0),
        ("tomorrow", None),
        ("Mon, 23 Nov 2026 10:00:30 +99999999999999", None),
    ],
)
def test_a_wait_until_a_date_is_measured_by_the_answers_own_clock(until: str, seconds: float | None) -> None:
    assert retry_after(answer("", 429, Retry_After=until, Date=NOW)) == seconds


@pytest.mark.parametrize("status", [400, 403, 503])
def test_a_challenge_that_the_cdn_names_was_not_the_provider(status: int) -> None:
    with pytest.raises(NotProcessed):
        open_answer(answer("", status, cf_mitigated="challenge"))


@pytest.mark.parametrize("body", [{"error": "Just a moment"}, [{"error": "Just a moment"}]])
def test_json_is_never_a_challenge(body: Any) -> None:
    with pytest.raises(Refused):
        open_answer(answer(body, 403))


@pytest.mark.parametrize(("before", "challenge"), [(19_987, True), (19_988, False), (50_000, False)])
def test_a_challenge_says_so_in_its_head(before: int, challenge: bool) -> None:
    with pytest.raises(NotProcessed if challenge else Unreadable):
        open_answer(answer(" " * before + "just a moment", 403))
