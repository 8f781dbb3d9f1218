"""A category's own rule for links: which it takes, what the operator may write, and what it never touches."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from catalog.measuring import Limits, Problem
from catalog.models import Category
from catalog.reading import Read, read_line
from catalog.service_types import ORDERABLE_KEYS, service_type
from catalog.shelves import edit_by_hand, why_no_runs
from tests.catalog.builders import OLGA
from tests.orders.builders import a_provider, a_service

POSTS = r"^https://(www\.)?instagram\.com/p/"
POST = "https://instagram.com/p/abc"
RULE = Limits(1, 10_000, link_pattern=POSTS, link_example=POST)


def typed(link: str, limits: Limits = RULE, key: str = "default", **fields: object) -> Read | list[Problem]:
    kind = service_type(key)
    assert kind is not None
    return read_line(kind, {"link": link, "quantity": 100, **fields}, limits=limits)


@pytest.mark.parametrize("link", [POST, "https://www.instagram.com/p/x?igsh=1", f"{POST}#top"])
def test_a_link_that_fits_is_taken_as_it_is_written(link: str) -> None:
    read = typed(link)
    assert isinstance(read, Read)
    assert read.link == link


@pytest.mark.parametrize("link", ["https://instagram.com/name", "https://evil.com/?https://instagram.com/p/", "@name"])
def test_a_link_that_does_not_fit_is_refused_with_the_example(link: str) -> None:
    said = f"This link does not fit this service. It should look like {POST}"
    assert typed(link) == [Problem("link", said, "link_rule")]
    assert typed(link, Limits(1, 10_000, link_pattern=POSTS)) == [
        Problem("link", "This link does not fit this service.", "link_rule")
    ]


def test_what_is_no_link_at_all_is_said_first() -> None:
    [problem] = typed("not a link", Limits(1, 10_000, link_pattern="."))  # type: ignore[misc]
    assert problem.code == "bad_link"


def test_without_a_rule_any_link_is_taken() -> None:
    assert isinstance(typed("https://example.com/", Limits(1, 10_000)), Read)


def test_other_links_of_a_line_and_subscriptions_are_not_asked() -> None:
    assert isinstance(typed(POST, key="mentions_media_likers", media="https://example.com/"), Read)
    subscription: dict[str, Any] = {"username": "name", "min": 10, "max": 20, "posts": 2, "delay": "0"}
    assert isinstance(typed("", key="subscriptions", **subscription), Read)


def a_shelf(pattern: str = "", example: str = "") -> Category:
    return Category(name="Posts", link_pattern=pattern, link_example=example)


@pytest.mark.parametrize(("pattern", "example"), [("", ""), (POSTS, POST), ("", "https://example.com/")])
def test_a_rule_with_its_example_is_fine_and_so_is_none(pattern: str, example: str) -> None:
    a_shelf(pattern, example).clean()


@pytest.mark.parametrize("pattern", ["(", "(a+)+$", r"(.)\1"])
def test_a_pattern_that_is_none_or_might_never_end_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError) as refused:
        a_shelf(pattern, "a").clean()
    assert list(refused.value.message_dict) == ["link_pattern"]


def test_a_pattern_needs_an_example_for_customers_to_learn_from() -> None:
    with pytest.raises(ValidationError) as refused:
        a_shelf(POSTS).clean()
    assert list(refused.value.message_dict) == ["link_example"]


def test_an_example_that_would_be_refused_itself_is_no_example() -> None:
    with pytest.raises(ValidationError) as refused:
        a_shelf(POSTS, "https://instagram.com/name").clean()
    [said] = refused.value.message_dict["link_example"]
    assert said == "The pattern does not match this link. Customers are shown it as one that does."


# which services may be ordered in runs


def test_only_what_declares_runs_can_be_a_drip_feed() -> None:
    assert [key for key in ORDERABLE_KEYS if why_no_runs(key) is None] == ["default"]
    assert why_no_runs("Live Stream") is not None
    assert why_no_runs("poll") == (
        "Only a service of the type Default can be ordered in runs, and this one is Poll: untick it."
    )


@pytest.mark.django_db
def test_a_drip_feed_by_hand_stays_by_hand_and_only_where_it_can_be() -> None:
    provider = a_provider()
    service, poll = a_service(provider), a_service(provider, "2", type="poll")
    edit_by_hand(service, actor=OLGA, dripfeed=True)
    assert (service.dripfeed, service.dripfeed_by_hand) == (True, True)
    with pytest.raises(ValidationError, match="can be ordered in runs"):
        edit_by_hand(poll, actor=OLGA, dripfeed=True)
    poll.refresh_from_db()
    assert (poll.dripfeed, poll.dripfeed_by_hand) == (False, False)
