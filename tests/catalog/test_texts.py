"""Text rules, the patterns they may use, and what a name says of refills."""

from __future__ import annotations

import time

import pytest
from django.core.exceptions import ValidationError

from catalog.models import TextRule
from catalog.patterns import BadPattern, check_pattern
from catalog.refills import suggested_refill_days
from catalog.texts import TextRules


@pytest.mark.parametrize(
    "pattern", [r"https?://\S+", r"(?i)\bcheapo(\.com)?\b", r"^\s*\[.*?\]", r"(VIP|PRO) \d+", r"[*+(]{2}", r"\(a+\)",
     r"(?:www\.)?example\.com/?", r"(?P<speed>\d+)k(?=/day)", r"(?i:vip)\s*?(?!x)"]
)
def test_usual_patterns_are_taken(pattern: str) -> None:
    check_pattern(pattern, "")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "not a valid pattern"),
        ("a{99999999999}", "not a valid pattern"),
        (r"(a+)+$", "A repeated group"),
        (r"(a|a)*$", "A repeated group"),
        (r"((a+)b)+", "A repeated group"),
        (r"(?:x\d*){2,}", "A repeated group"),
        (r"(?:[ab]?){28}c", "A repeated group"),
        (r"(a?b?)*c", "A repeated group"),
        ("a{0,400}" * 4 + "b", "at most 2"),
        ("a?" * 28 + "a" * 28 + "b", "at most 6"),
        (r"(a)\1", "Back-references"),
        (r".*.*.*x", "at most 2"),
    ],
)
def test_dangerous_patterns_are_refused_with_a_reason(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=why):
        check_pattern(pattern, "")
    with pytest.raises(ValidationError, match=why):
        TextRule(find=pattern, is_pattern=True).clean()


def test_a_bad_replacement_is_refused() -> None:
    with pytest.raises(BadPattern, match="not a valid pattern"):
        check_pattern("(a)", r"\2")


def test_the_worst_pattern_that_is_taken_ends_soon() -> None:
    rules = TextRules([TextRule(find=r"a*[ab]*c", is_pattern=True)])
    began = time.monotonic()
    rules.description("a" * 20_000)
    assert time.monotonic() - began < 20


def test_an_unusable_rule_is_left_out_and_named() -> None:
    rules = TextRules([TextRule(find="(", is_pattern=True), TextRule(find="x", replace="y")])
    assert rules.name("x marks") == "y marks"
    assert len(rules.unusable) == 1


def test_rules_are_followed_in_order_and_to_the_letter() -> None:
    rules = TextRules(
        [
            TextRule(find="a.b", replace=r"\1"),
            TextRule(find=r"(\d+)k", replace=r"\g<1>000", is_pattern=True),
            TextRule(find=""),
        ]
    )
    assert rules.name("a.b axb 5k") == r"\1 axb 5000"


def test_a_rule_that_takes_a_whole_name_away_is_not_followed() -> None:
    rules = TextRules([TextRule(find=".+", is_pattern=True)])
    assert (rules.name("Views"), rules.shelf("Views"), rules.description("Views")) == ("Views", "Other", "")


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("Instagram Followers R30", 30),
        ("Instagram Followers [R365] ♻️", 365),
        ("Likes | 30 days refill", 30),
        ("Likes - 60 Day Auto Refill", 60),
        ("Refill: 90 days", 90),
        ("Refill 30D", 30),
        ("Views 30D Guarantee", 30),
        ("♻️ 365", 365),
        ("Followers ♻️30 дней", 30),
        ("Telegram Подписчики [Мьянма] [Гарантия 30 дней]", 30),
        ("🔥Telegram Подписчики [280 Дней без списаний♻️] [Быстрые]", 280),
        ("Guarantee 1 year", 365),
        ("3 months warranty", 90),
        ("Lifetime refill ♻️", None),
        ("[Пожизненная гарантия]", None),
        ("Lifetime, R30", 30),
        ("Followers, no refill", None),
        ("5R30 model", None),
        ("Speed 30K/Day", None),
        ("♻️ 50K views", None),
        ("Refill 100%", None),
        ("R9999", None),
        ("R0", None),
        ("", None),
    ],
)
def test_refill_days_that_a_name_suggests(name: str, days: int | None) -> None:
    assert suggested_refill_days(name) == days
