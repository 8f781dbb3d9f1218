"""The price list."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.portal.builders import a_service


def _page(client: Client, query: str = "") -> str:
    answer = client.get(f"/services/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_services_stand_under_their_category_with_the_exact_rate_and_limits(as_alice: Client) -> None:
    a_service("Real followers", category="Instagram", rate=Decimal("0.000123"), max=2_147_483_647)
    page = _page(as_alice)
    for word in ("Instagram", "Real followers", "0.000123", "2,147,483,647"):
        assert word in page


def test_the_limits_of_a_subscription_are_those_of_a_post(as_alice: Client) -> None:
    a_service("Followers")
    assert "a post" not in _page(as_alice)
    a_service("Auto likes", type="subscriptions", min=20, max=5000)
    assert _page(as_alice).count("a post") == 2
    assert "20 – 5,000 a post" in as_alice.get(reverse("portal:new_order")).content.decode()


def test_drip_feed_and_subscription_are_seen_before_ordering(as_alice: Client) -> None:
    plain = a_service("Plain", dripfeed=False)
    assert 'class="mark"' not in _page(as_alice)
    comments = a_service("Comments", type="custom_comments", dripfeed=True)
    assert 'class="mark"' not in _page(as_alice), "its type has no runs"
    drip = a_service("Slow", dripfeed=True)
    a_service("Auto likes", type="subscriptions")
    for page in (_page(as_alice), as_alice.get(reverse("portal:new_order")).content.decode()):
        for mark in ("Drip-feed", "Subscription"):
            assert page.count(f'<span class="mark">{mark}</span>') == 1
    for service, said in ((drip, True), (plain, False), (comments, False)):
        form = as_alice.get(reverse("portal:new_order"), {"service": service.pk}).content.decode()
        assert ("<dt>Drip-feed</dt>" in form) is said


def test_what_is_hidden_off_sale_or_of_an_unknown_type_is_not_listed(as_alice: Client) -> None:
    a_service("Hidden one", visible=False)
    a_service("Vanished one", off_sale_reason="gone upstream")
    a_service("Strange one", type="teleport")
    page = _page(as_alice)
    assert "one" not in page.partition("<main")[2].partition("No services yet")[0]
    assert "No services yet" in page


@pytest.mark.parametrize("query", ["?q=followers+real", "?q=REAL+foll", "?q=instagram"])
def test_words_are_found_in_any_order(as_alice: Client, query: str) -> None:
    a_service("Real followers", category="Instagram")
    a_service("Views", category="TikTok")
    page = _page(as_alice, query)
    assert "Real followers" in page
    assert 'aria-label="Order service' in page
    assert page.count('aria-label="Order service') == 1


def test_an_id_finds_its_service(as_alice: Client) -> None:
    a_service("First")
    second = a_service("Second")
    page = _page(as_alice, f"?q={second.pk}")
    assert "Second" in page


def test_nothing_found_says_what_to_do(as_alice: Client) -> None:
    a_service()
    assert "Nothing matches" in _page(as_alice, "?q=zzz")


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=-1", "?page=99999999999", "?page=²", "?category=x", "?category=²", "?q=%00"]
)
def test_a_senseless_address_is_an_ordinary_page(as_alice: Client, query: str) -> None:
    a_service()
    assert as_alice.get(f"/services/{query}").status_code == 200


def test_pages_follow_each_other(as_alice: Client, settings: pytest.FixtureRequest) -> None:
    settings.PORTAL_SERVICES_PAGE = 2  # type: ignore[attr-defined]
    for number in range(3):
        a_service(f"Service {number}")
    first = _page(as_alice, "?q=service")
    assert "Service 1" in first
    assert "Service 2" not in first
    assert "?q=service&amp;page=2" in first
    assert "Service 2" in _page(as_alice, "?q=service&page=2")


def test_typing_swaps_the_list_alone(as_alice: Client) -> None:
    a_service("Followers")
    answer = as_alice.get("/services/?q=foll", headers={"HX-Request": "true", "HX-Target": "found"})
    assert "Followers" in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_the_list_takes_the_same_few_queries_however_long(
    as_alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        a_service(f"Service {number}", category=f"Category {number % 7}")
    with django_assert_max_num_queries(5):  # session, user, customer, services, categories
        _page(as_alice)
