"""How much a line asks for, and that its charge is the written rule's: the rule is worked out anew here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from catalog.measuring import Limits, Measured, NotMeasured, Problem, measure, measuring_fields
from catalog.pricing import PriceOutOfRange, charge
from catalog.reading import Read, read_line
from catalog.service_types import SERVICE_TYPES, SentLine, add_fields

LINK = "https://example.com/p/1"
COUNTED = {"custom_comments": "comments", "mentions_custom_list": "usernames", "comment_replies": "comments"}
PACKAGES = {"package", "custom_comments_package"}
REST = {  # a value for every field that makes no quantity
    "link": LINK, "keywords": "k", "comments": "c", "usernames": "u", "hashtags": "h", "hashtag": "h", "username": "u",
    "media": LINK, "answer_number": "1", "groups": "g", "country": "US", "device": "1", "type_of_traffic": "3",
    "delay": "0",
}  # fmt: skip
MOST = 2_147_483_647
DRIP = Limits(50, 1000, 10, dripfeed=True)
POSTS = Limits(20, 5000)


def read(type: str, limits: Limits, /, **typed: object) -> Read | list[tuple[str, str]]:
    """The line, or the fields that are wrong with the code of each."""
    found = read_line(SERVICE_TYPES[type], {**REST, **typed}, limits=limits)
    return found if isinstance(found, Read) else [(problem.field, problem.code) for problem in found]


def sentences(type: str, limits: Limits, /, **typed: object) -> list[str]:
    found = read_line(SERVICE_TYPES[type], {**REST, **typed}, limits=limits)
    assert isinstance(found, list)
    return [problem.message for problem in found]


# Drip-feed


@pytest.mark.parametrize(
    ("runs", "interval", "measured"),
    [
        (None, None, Measured(100, (100, 100))),
        ("", "", Measured(100, (100, 100))),
        (0, 0, Measured(100, (100, 100))),
        ("0", "60", Measured(100, (100, 100))),
        ("1", "", Measured(100, (100, 100))),  # one run alone is no drip-feed
        (1, 60, Measured(100, (100, 100))),
        ("", "60", Measured(100, (100, 100))),  # an interval between nothing
        ("2", "1", Measured(200, (100, 100), 2, 1)),
        (" 3 ", "060", Measured(300, (100, 100), 3, 60)),
        (1000, 10_080, Measured(100_000, (100, 100), 1000, 10_080)),  # in all far above the service's most
    ],
)
def test_runs_that_are_taken(runs: object, interval: object, measured: Measured) -> None:
    found = read("default", DRIP, quantity=100, runs=runs, interval=interval)
    assert isinstance(found, Read)
    assert (found.measured, found.details) == (measured, {})


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"runs": 2}, [("interval", "required")]),
        ({"runs": 2, "interval": "0"}, [("interval", "required")]),
        ({"runs": 1001, "interval": 60}, [("runs", "too_large")]),
        ({"runs": 2, "interval": 10_081}, [("interval", "too_large")]),
        ({"runs": 1, "interval": 10_081}, [("interval", "too_large")]),
        ({"runs": "-2", "interval": 60}, [("runs", "not_a_number")]),
        ({"runs": "2.0", "interval": "an hour"}, [("runs", "not_a_number"), ("interval", "not_a_number")]),
        ({"quantity": 40, "runs": 5, "interval": 60}, [("quantity", "too_small")]),  # 200 in all do not count
        ({"quantity": 1010, "runs": 2, "interval": 60}, [("quantity", "too_large")]),
        ({"quantity": 105, "runs": 2, "interval": 60}, [("quantity", "not_a_multiple")]),  # 210 in all is one
        ({"quantity": 40, "runs": 2}, [("quantity", "too_small"), ("interval", "required")]),
        ({"quantity": "", "runs": 2}, [("quantity", "required"), ("interval", "required")]),
        ({"quantity": 40, "runs": 1001}, [("quantity", "too_small"), ("runs", "too_large")]),
        ({"link": "no", "quantity": 40, "runs": "x"}, [("quantity", "too_small"), ("runs", "not_a_number")]),
    ],
)
def test_runs_that_are_refused_each_at_its_field(typed: dict[str, object], wrong: list[tuple[str, str]]) -> None:
    assert read("default", DRIP, **{"quantity": 100, **typed}) == wrong


def test_everything_wrong_stands_in_the_forms_order() -> None:
    found = read("default", DRIP, link="two words", quantity=7, runs=2, interval="")
    assert found == [("link", "bad_link"), ("quantity", "too_small"), ("interval", "required")]


@pytest.mark.parametrize("typed", [{"runs": 2, "interval": 60}, {"runs": 1}, {"interval": 60}])
def test_runs_of_a_service_without_drip_feed_are_refused(typed: dict[str, object]) -> None:
    wrong = [(name, "no_drip_feed") for name in ("runs", "interval") if name in typed]
    assert read("default", replace(DRIP, dripfeed=False), quantity=100, **typed) == wrong


@pytest.mark.parametrize("type", sorted(set(SERVICE_TYPES) - {"default"}))
def test_runs_of_a_type_that_has_none_are_not_its_fields(type: str) -> None:
    found = read(type, Limits(1, 100, dripfeed=True), quantity=5, min=1, max=2, posts=3, runs=9, interval=9)
    assert isinstance(found, Read)
    assert found.measured.runs is None
    assert "runs" not in found.details


def test_more_in_all_than_one_order_may_have_is_said_at_the_runs() -> None:
    wide = Limits(1, MOST, dripfeed=True)
    assert sentences("default", wide, quantity=3_000_000, runs=1000, interval=1) == [
        "1,000 runs of 3,000,000 are 3,000,000,000 in all: one order may have 2,147,483,647."
    ]
    assert read("default", wide, quantity=3_000_000, runs=1000, interval=1) == [("runs", "too_large")]
    assert read("default", Limits(1, 10**12), quantity=MOST + 1) == [("quantity", "too_large")]
    assert isinstance(read("default", wide, quantity=MOST), Read)


def test_sentences_say_what_is_delivered_at_a_time() -> None:
    assert sentences("default", DRIP, quantity=10, runs=2) == [
        "Quantity must be between 50 and 1,000 in each run.",
        "Minutes between runs are required with runs: an interval of 1 to 10,080.",
    ]
    assert sentences("default", DRIP, quantity=10, runs=1) == ["Quantity must be between 50 and 1,000."]
    assert sentences("custom_comments", Limits(2, 4, 2), comments="a\nb\nc") == [
        "Comments must have a multiple of 2 lines; yours have 3."
    ]


# Subscriptions

POSTS_OF = {"username": "ann", "min": "20", "max": 100, "posts": "3", "delay": "0"}


@pytest.mark.parametrize(
    ("typed", "limits", "quantity", "posts"),
    [
        ({}, POSTS, 300, "3"),
        ({"min": 100}, POSTS, 300, "3"),
        ({"posts": 1000}, POSTS, 100_000, "1000"),
        ({"posts": ""}, replace(POSTS, open_posts=7), 700, "7"),
        ({"posts": "0"}, replace(POSTS, open_posts=7), 700, "7"),
        ({"posts": 2}, replace(POSTS, open_posts=7), 200, "2"),
        ({"posts": ""}, replace(POSTS, open_posts=5000), 100_000, "1000"),  # never more than may be ordered
    ],
)
def test_the_most_of_every_post_is_held(typed: dict[str, object], limits: Limits, quantity: int, posts: str) -> None:
    found = read("subscriptions", limits, **{**POSTS_OF, **typed})
    assert isinstance(found, Read)
    assert (found.quantity, found.details["posts"]) == (quantity, posts)
    assert found.measured.span == (int(found.details["min"]), int(found.details["max"]))
    assert found.link == found.details["username"] == "ann"


def day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%d/%m/%Y")


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"posts": ""}, [("posts", "required")]),
        ({"posts": "0"}, [("posts", "required")]),
        ({"posts": 1001}, [("posts", "too_large")]),
        ({"posts": "many"}, [("posts", "not_a_number")]),
        ({"min": 101}, [("max", "too_small")]),
        ({"min": 19}, [("min", "too_small")]),
        ({"max": 5001}, [("max", "too_large")]),
        ({"min": 5001, "max": 5001}, [("min", "too_large"), ("max", "too_large")]),
        ({"min": "", "max": 19}, [("min", "required"), ("max", "too_small")]),
        ({"min": 0, "max": None}, [("min", "too_small"), ("max", "required")]),
        ({"min": 19, "posts": ""}, [("min", "too_small"), ("posts", "required")]),
        ({"delay": "7"}, [("delay", "bad_choice")]),
        ({"delay": ""}, [("delay", "required")]),
        ({"delay": "-5"}, [("delay", "bad_choice")]),
        ({"old_posts": 1001}, [("old_posts", "too_large")]),
        ({"old_posts": "-1"}, [("old_posts", "not_a_number")]),
        ({"expiry": "1/1/2020"}, [("expiry", "past_date")]),
        ({"expiry": "2099-12-31"}, [("expiry", "bad_date")]),
        ({"expiry": "31/02/2099"}, [("expiry", "bad_date")]),
        ({"username": "https://example.com/ann"}, [("username", "bad_username")]),
        ({"username": ""}, [("username", "required")]),
        (
            {"username": "two words", "min": 1, "posts": "", "delay": "1", "expiry": "soon"},
            [("username", "bad_username"), ("min", "too_small"), ("posts", "required"), ("delay", "bad_choice"),
             ("expiry", "bad_date")],
        ),
    ],
)  # fmt: skip
def test_subscriptions_that_are_refused_each_at_its_field(
    typed: dict[str, object], wrong: list[tuple[str, str]]
) -> None:
    assert read("subscriptions", POSTS, **{**POSTS_OF, **typed}) == wrong


def test_the_expiry_may_be_today_and_is_sent_with_all_its_digits() -> None:
    assert isinstance(read("subscriptions", POSTS, **POSTS_OF, expiry=day(0)), Read)
    assert read("subscriptions", POSTS, **POSTS_OF, expiry=day(-1)) == [("expiry", "past_date")]
    found = read("subscriptions", POSTS, **POSTS_OF, expiry="1/2/2099")
    assert isinstance(found, Read)
    assert found.details["expiry"] == "01/02/2099"


def test_the_delays_of_the_dialect_and_no_others() -> None:
    taken = [
        minutes
        for minutes in range(700)
        if isinstance(read("subscriptions", POSTS, **{**POSTS_OF, "delay": str(minutes)}), Read)
    ]
    dialect = "0, 5, 10, 15, 20, 30, 40, 50, 60, 90, 120, 150, 180, 210, 240, 270, 300, 360, 420, 480, 540, 600"
    assert ", ".join(map(str, taken)) == dialect


def test_the_step_is_of_each_post() -> None:
    stepped = Limits(20, 5000, 10)
    assert isinstance(read("subscriptions", stepped, **POSTS_OF), Read)
    wrong = read("subscriptions", stepped, **{**POSTS_OF, "min": 25, "max": 101})
    assert wrong == [("min", "not_a_multiple"), ("max", "not_a_multiple")]


def test_more_posts_in_all_than_one_order_may_have() -> None:
    wide = Limits(1, MOST)
    assert sentences("subscriptions", wide, **{**POSTS_OF, "max": 3_000_000, "posts": 1000}) == [
        "1,000 posts of up to 3,000,000 are 3,000,000,000 in all: one order may have 2,147,483,647."
    ]
    assert read("subscriptions", wide, **{**POSTS_OF, "max": 3_000_000, "posts": 1000}) == [("posts", "too_large")]


def test_the_limits_are_settings(settings: Settings) -> None:
    settings.MAX_RUNS, settings.MAX_INTERVAL_MINUTES, settings.MAX_POSTS, settings.MAX_QUANTITY = 3, 30, 4, 700
    wrong = [("runs", "too_large"), ("interval", "too_large")]
    assert read("default", DRIP, quantity=100, runs=4, interval=31) == wrong
    assert isinstance(read("default", DRIP, quantity=100, runs=3, interval=30), Read)
    assert read("default", DRIP, quantity=300, runs=3, interval=30) == [("runs", "too_large")]
    assert read("subscriptions", POSTS, **{**POSTS_OF, "posts": 5}) == [("posts", "too_large")]
    assert isinstance(read("subscriptions", POSTS, **{**POSTS_OF, "posts": 4}), Read)


# Any line


@dataclass(frozen=True, slots=True)
class Asked:
    """What a line of any type asks for, in numbers; a type looks at its own."""

    type: str
    quantity: int
    lines: int
    runs: int
    interval: int
    least: int
    most: int
    posts: int

    @property
    def typed(self) -> dict[str, object]:
        typed: dict[str, object] = {
            **REST, "quantity": self.quantity, "runs": self.runs, "interval": self.interval, "min": self.least,
            "max": self.most, "posts": self.posts,
        }  # fmt: skip
        if self.type in COUNTED:
            typed[COUNTED[self.type]] = "\n".join(["one, and the same"] * self.lines)
        return typed

    def in_all(self, limits: Limits) -> int | str | None:
        """The written rule: the quantity that is charged, None for a package, or "refused"."""

        def fits(number: int) -> bool:
            return limits.min <= number <= limits.max and number % limits.step == 0

        if self.type in PACKAGES:
            return None
        if self.type in COUNTED:
            return self.lines if self.lines and fits(self.lines) else "refused"
        if self.type == "subscriptions":
            posts = self.posts or min(limits.open_posts or 0, 1000)
            good = fits(self.least) and fits(self.most) and self.least <= self.most and 1 <= posts <= 1000
            return posts * self.most if good and posts * self.most <= MOST else "refused"
        return self._given(limits, fits(self.quantity) and self.quantity <= MOST)

    def _given(self, limits: Limits, fits: bool) -> int | str:
        if self.type != "default" or not (self.runs or self.interval):
            return self.quantity if fits else "refused"
        if not limits.dripfeed or not fits or self.runs > 1000 or self.interval > 10_080:
            return "refused"
        if self.runs <= 1:
            return self.quantity
        return self.quantity * self.runs if self.interval and self.quantity * self.runs <= MOST else "refused"


numbers = st.one_of(st.integers(0, 130), st.integers(0, 2 * MOST))
asked = st.builds(
    Asked, type=st.sampled_from(sorted(SERVICE_TYPES)), quantity=numbers, lines=st.integers(0, 30),
    runs=st.one_of(st.integers(0, 3), st.integers(0, 1100)), interval=st.one_of(st.just(0), st.integers(0, 10_100)),
    least=numbers, most=numbers, posts=st.one_of(st.integers(0, 3), st.integers(0, 1100)),
)  # fmt: skip
some_limits = st.builds(
    lambda least, more, step, drip, posts: Limits(least, least + more, step, drip, posts),
    st.integers(1, 60), st.one_of(st.integers(0, 100), st.integers(0, MOST)), st.sampled_from([1, 1, 2, 10]),
    st.booleans(), st.one_of(st.none(), st.integers(1, 1100)),
)  # fmt: skip
rates = st.one_of(st.integers(0, 10**7), st.integers(0, 10**15)).map(lambda units: Decimal(units).scaleb(-6))


@given(line=asked, limits=some_limits, rate=rates)
@example(Asked("default", 100, 0, 3, 60, 0, 0, 0), Limits(1, 100, dripfeed=True), Decimal("0.000001"))
@example(Asked("subscriptions", 0, 0, 0, 0, 20, 101, 3), Limits(1, 101), Decimal("0.32"))
def test_a_line_is_charged_by_the_written_rule_or_refused(line: Asked, limits: Limits, rate: Decimal) -> None:
    found = read_line(SERVICE_TYPES[line.type], line.typed, limits=limits)
    quantity = line.in_all(limits)
    assert ("refused" if isinstance(found, list) else found.quantity) == quantity
    if not isinstance(found, Read):
        return
    assert not isinstance(quantity, str)
    exact = Fraction(rate) if quantity is None else Fraction(rate) * quantity / 1000
    rounded_up = Fraction(ceil(exact * 10**6), 10**6)
    try:
        assert Fraction(charge(rate, found.quantity)) == rounded_up
    except PriceOutOfRange:
        assert rounded_up > 10**9, "only what is dearer than one order may be is not sold"
    _sends_what_is_charged(line, found)


def _sends_what_is_charged(line: Asked, found: Read) -> None:
    """What the provider is asked for comes to what is charged, and to no more at a time than was measured."""
    kind, measured = SERVICE_TYPES[line.type], found.measured
    sent_line = SentLine(
        link=found.link, quantity=found.quantity, details=found.details, runs=measured.runs, interval=measured.interval
    )
    sent = add_fields(kind, sent_line, external_id="7")
    if line.type in PACKAGES:
        assert "quantity" not in sent
    elif line.type in COUNTED:
        assert len(sent[COUNTED[line.type]].split("\n")) == found.quantity
        assert "quantity" not in sent
    elif line.type == "subscriptions":
        assert int(sent["max"]) * int(sent["posts"]) == found.quantity
        assert measured.span == (int(sent["min"]), int(sent["max"]))
    else:
        assert int(sent["quantity"]) * int(sent.get("runs", "1")) == found.quantity
        assert measured.span == (int(sent["quantity"]), int(sent["quantity"]))
        assert ("runs" in sent) == ("interval" in sent)


digits = st.integers(1, 10**18 - 1).map(str)


@given(
    type=st.sampled_from(sorted(SERVICE_TYPES)), limits=some_limits,
    wrong=st.sets(st.sampled_from(["quantity", "runs", "interval", "min", "max", "posts"]), max_size=2),
    needed=st.tuples(digits, digits, digits),
    optional=st.dictionaries(st.sampled_from(["runs", "interval", "posts"]), digits),
)  # fmt: skip
def test_measuring_raises_nothing_but_its_own(
    type: str, limits: Limits, wrong: set[str], needed: tuple[str, str, str], optional: Mapping[str, str]
) -> None:
    """For numbers that were read; reading itself is shown in test_reading_lines."""
    kind = SERVICE_TYPES[type]
    wrong &= {field.name for field in kind.fields}
    typed = {**REST, **optional, **dict(zip(("quantity", "min", "max"), needed, strict=True))}
    values = {field.name: typed[field.name] for field in kind.fields if field.name in typed.keys() - wrong}
    problems: tuple[Problem, ...] = ()
    found = None
    try:
        found = measure(kind, values, limits=limits, wrong=wrong)
    except NotMeasured as no:
        problems = no.problems
    assert {problem.field for problem in problems} <= set(measuring_fields(kind)) - wrong
    assert all(problem.message.endswith(".") and problem.code for problem in problems)
    assert found is None or found.quantity is None or 1 <= found.quantity <= MOST
    assert found is not None or problems or wrong & set(measuring_fields(kind))
