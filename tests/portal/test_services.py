"""The price list."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Customer, User
from catalog.models import Service
from orders.models import Pace
from portal.models import Favourite
from portal.templatetags.panel import lasting
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
    assert all(name not in page for name in ("Hidden one", "Vanished one", "Strange one"))
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
    with django_assert_max_num_queries(7):  # session, user, customer, services, categories, favourites, times
        _page(as_alice)


# platforms and favourites


def _chips(page: str) -> list[str]:
    return re.findall(r'name="platform" value="([^"]*)"', page)


def test_a_platform_narrows_the_list_and_its_categories(as_alice: Client) -> None:
    a_service("Followers", category="Instagram followers")
    a_service("Views", category="TikTok views")
    a_service("Reviews", category="Shops")
    page = _page(as_alice)
    assert _chips(page) == ["", "Instagram", "TikTok", "-"]
    tiktok = _page(as_alice, "?platform=TikTok")
    assert "Views" in tiktok
    assert "Followers" not in tiktok
    assert re.findall(r"<option value=\"\d+\"[^>]*>([^<]*)", tiktok) == ["TikTok views"]
    assert "Reviews" in _page(as_alice, "?platform=-")
    assert "Nothing matches" in _page(as_alice, "?platform=MySpace")


def test_a_category_of_another_platform_is_forgotten(as_alice: Client) -> None:
    shelf = a_service("Followers", category="Instagram followers").category_id
    a_service("Views", category="TikTok views")
    page = _page(as_alice, f"?platform=TikTok&category={shelf}")
    assert "Views" in page
    assert "Followers" not in page.partition('id="found"')[2]


def test_choosing_a_platform_brings_its_categories_along(as_alice: Client) -> None:
    a_service("Views", category="TikTok views")
    asked = {"HX-Request": "true", "HX-Target": "found"}
    typed = as_alice.get("/services/?platform=TikTok", headers=asked).content.decode()
    assert "hx-swap-oob" not in typed
    chosen = as_alice.get("/services/?platform=TikTok", headers={**asked, "HX-Trigger": "platforms"}).content.decode()
    assert 'id="shelves" hx-swap-oob="true"' in chosen
    assert "TikTok views" in chosen


def test_without_any_platform_no_chip_pretends_one(as_alice: Client) -> None:
    a_service(category="Shops")
    assert _chips(_page(as_alice)) == []


def _mark(client: Client, service: Service, on: str = "1", **headers: str) -> HttpResponse:
    return client.post(f"/services/{service.pk}/favourite/", {"on": on}, headers=headers or None)  # type: ignore[return-value]


def test_a_favourite_is_marked_once_found_by_its_chip_and_taken_back(as_alice: Client, alice: Customer) -> None:
    service, other = a_service("Followers"), a_service("Views")
    for _ in range(2):
        assert _mark(as_alice, service).status_code == 302
    assert alice.favourites.count() == 1
    only = _page(as_alice, "?favourites=1").partition('id="found"')[2]
    assert "Followers" in only
    assert "Views" not in only
    answer = _mark(as_alice, service, on="0", **{"HX-Request": "true"}).content.decode()
    assert f"Make service {service.pk} a favourite" in answer
    assert alice.favourites.count() == 0
    assert "No favourites yet" in _page(as_alice, "?favourites=1")
    assert other.favourites.count() == 0


def test_a_favourite_is_ones_own(as_alice: Client, alice: Customer, charlie: Customer) -> None:
    service = a_service()
    Favourite.objects.create(customer=charlie, service=service)
    assert f"Make service {service.pk} a favourite" in _page(as_alice)
    _mark(as_alice, service, on="0")
    assert charlie.favourites.count() == 1


@pytest.mark.parametrize("number", [0, 999, 2**63, 10**30])
def test_what_is_not_on_sale_is_no_favourite(as_alice: Client, number: int) -> None:
    hidden = a_service(visible=False)
    assert as_alice.post(f"/services/{number}/favourite/", {"on": "1"}).status_code == 404
    assert _mark(as_alice, hidden).status_code == 404


def test_too_many_favourites_are_refused_with_what_to_do(
    as_alice: Client, alice: Customer, settings: pytest.FixtureRequest
) -> None:
    settings.PORTAL_FAVOURITES = 1  # type: ignore[attr-defined]
    _mark(as_alice, a_service("First"))
    answer = _mark(as_alice, a_service("Second"), **{"HX-Request": "true"}).content.decode()
    assert "take one away first" in answer
    assert alice.favourites.count() == 1


def test_after_a_star_without_script_one_is_back_where_one_was(as_alice: Client) -> None:
    address = f"/services/{a_service().pk}/favourite/"
    there = as_alice.post(address, {"on": "1", "back": "/services/?page=2"})
    assert there.headers["Location"] == "/services/?page=2"
    elsewhere = as_alice.post(address, {"on": "1", "back": "https://evil.example/"})
    assert elsewhere.headers["Location"] == "/services/"


def test_a_description_is_read_while_choosing(as_alice: Client) -> None:
    a_service("Followers", description="Starts within an hour.\nUp to 5,000 a day.")
    page = as_alice.get("/order/new/").content.decode()
    assert "Starts within an hour." in page


def test_the_average_time_is_shown_where_one_is_known(as_alice: Client) -> None:
    Pace.objects.create(service=a_service("Followers"), seconds=25 * 60)
    a_service("Views")
    for page in (_page(as_alice), as_alice.get("/order/new/").content.decode()):
        assert page.count("25 minutes") == 1


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(20, "under a minute"), (60, "1 minute"), (119 * 60, "1 h 59 min"), (7200, "2 hours"), (200_000, "2 days")],
)
def test_how_long_is_said_as_people_do(seconds: int, written: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == written


# for everybody


def test_a_visitor_reads_the_price_list_and_is_led_to_sign_in(client: Client, db: None) -> None:
    service = a_service("Followers")
    page = _page(client)
    assert "Followers" in page
    assert "star-button" not in page
    assert "balance" not in page
    assert client.get(f"/order/new/?service={service.pk}").headers["Location"].startswith("/sign-in/?next=")
    assert "Followers" in _page(client, "?q=foll&favourites=1")


def test_staff_without_a_wallet_read_it_as_visitors_do(client: Client, bob: User) -> None:
    a_service("Followers")
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    assert "Followers" in _page(client)


def test_an_operator_may_keep_the_prices_to_customers(
    client: Client, alice: Customer, settings: pytest.FixtureRequest
) -> None:
    settings.PUBLIC_PRICES = False  # type: ignore[attr-defined]
    a_service("Followers")
    for address in ("/services/", "/updates/"):
        assert client.get(address).headers["Location"].startswith("/sign-in/?next=")
    client.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Followers" in _page(client)
