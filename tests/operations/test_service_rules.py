"""What the operator says of a service's links, posts and runs, and of a category's links."""

from __future__ import annotations

import pytest

from catalog.models import Category, SameLink, Service
from records.models import AuditEntry
from tests.operations.desk import Desk
from tests.operations.test_catalogue import at
from tests.orders.builders import a_customer, a_provider, a_service, an_order

pytestmark = pytest.mark.django_db
POSTS = r"^https://instagram\.com/p/"


def fresh(service: Service) -> Service:
    service.refresh_from_db()
    return service


def test_what_happens_to_a_second_order_is_chosen_for_each_service(desk: Desk) -> None:
    service = a_service(a_provider())
    assert "changed successfully" in desk.send(at(service), same_link="queue").text
    assert fresh(service).same_link == SameLink.QUEUE
    entry = AuditEntry.objects.get(action="edit service")
    assert (entry.before, entry.after) == ({"same_link": "allow"}, {"same_link": "queue"})
    assert "Select a valid choice" in desk.send(at(service), same_link="never").text


def test_drip_feed_is_the_operators_own_until_it_follows_again(desk: Desk) -> None:
    service = a_service(a_provider())
    assert "changed successfully" in desk.send(at(service), dripfeed="on", step="10").text
    assert (fresh(service).dripfeed, service.dripfeed_by_hand, service.step) == (True, True, 10)
    assert AuditEntry.objects.get(action="edit service").after == {"dripfeed": "True", "step": "10"}
    page = desk.open(at(service))
    assert "Set by hand Drip-feed" in page.text
    assert "By hand: Drip-feed." in desk.open(at(service, "follow")).text
    page = desk.send(at(service, "follow"), fields_to_follow="dripfeed")
    assert "The next import brings the provider's values." in page.text
    assert not fresh(service).dripfeed_by_hand


def test_drip_feed_is_refused_for_a_type_without_runs(desk: Desk) -> None:
    service = a_service(a_provider(), type="poll")
    page = desk.send(at(service), dripfeed="on")
    assert "Only a service of the type Default can be ordered in runs, and this one is Poll: untick it." in page.text
    assert not fresh(service).dripfeed
    by_hand = a_service(None, dripfeed=True)
    assert "this one is Package: untick it." in desk.send(at(by_hand), type="package").text
    category = Category.objects.get()
    page = desk.send(
        "catalog/service/add/", name="New", category=str(category.pk), type="seo", rate="1", min="1", max="5",
        dripfeed="on",
    )  # fmt: skip
    assert "this one is SEO: untick it." in page.text
    assert Service.objects.count() == 2


def test_what_a_provider_says_of_a_type_without_runs_keeps_no_form_from_saving(desk: Desk) -> None:
    service = a_service(a_provider(), type="poll", dripfeed=True)
    assert "changed successfully" in desk.send(at(service), name="Another").text
    assert (fresh(service).name, service.dripfeed_by_hand) == ("Another", False)


def test_open_posts_are_of_subscriptions_alone(desk: Desk) -> None:
    provider = a_provider()
    plain, following = a_service(provider), a_service(provider, "2", type="subscriptions")
    assert "Only a subscription has posts. Leave this empty." in desk.send(at(plain), open_posts="5").text
    assert fresh(plain).open_posts is None
    for wrong in ("0", "10000000"):
        assert "Empty: customers say how many." in desk.send(at(following), open_posts=wrong).text
    assert "changed successfully" in desk.send(at(following), open_posts="5").text
    assert fresh(following).open_posts == 5
    assert AuditEntry.objects.get(action="edit service").after == {"open_posts": 5}
    assert "changed successfully" in desk.send(at(following), open_posts="").text
    assert fresh(following).open_posts is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"min": "500", "max": "100"}, "Max must not be below min."),
        ({"min": "0", "max": "100"}, "Min must be at least 1."),
        ({"min": "20000"}, "Max must not be below min."),
    ],
)
def test_limits_that_are_out_of_order_are_refused_at_their_field(desk: Desk, typed: dict[str, str], said: str) -> None:
    service = a_service(a_provider())
    page = desk.send(at(service), **typed)
    assert said in page.text
    assert "service_limits_in_order" not in page.text
    assert (fresh(service).min, service.max) == (50, 10_000)


def test_the_type_is_shown_as_it_is_called(desk: Desk) -> None:
    source = desk.open(at(a_service(a_provider(), type="custom_comments_package"))).source
    assert "Custom Comments Package" in source
    assert "custom_comments_package" not in source


def test_a_category_gets_a_rule_for_its_links(desk: Desk) -> None:
    shelf = Category.objects.create(name="Posts")
    path = f"catalog/category/{shelf.pk}/change/"
    assert "It does not apply to subscriptions." in desk.open(path).text
    assert "Back-references are not allowed" in desk.send(path, link_pattern=r"(.)\1").text
    assert "Give a link that matches" in desk.send(path, link_pattern=POSTS).text
    page = desk.send(path, link_pattern=POSTS, link_example="https://instagram.com/name")
    assert "The pattern does not match this link." in page.text
    shelf.refresh_from_db()
    assert (shelf.link_pattern, shelf.link_example) == ("", "")
    page = desk.send(path, link_pattern=POSTS, link_example="https://instagram.com/p/a")
    assert "changed successfully" in page.text
    shelf.refresh_from_db()
    assert (shelf.link_pattern, shelf.link_example) == (POSTS, "https://instagram.com/p/a")
    assert AuditEntry.objects.get(action="edit category").after == {
        "link_pattern": POSTS, "link_example": "https://instagram.com/p/a"
    }  # fmt: skip


def test_a_queued_order_says_so_and_can_be_canceled_or_refunded(desk: Desk) -> None:
    service, alice = a_service(a_provider(), same_link=SameLink.QUEUE), a_customer()
    first, second = an_order(alice, service), an_order(alice, service)
    assert "Queued" in desk.open("orders/order/").text
    page = desk.open(f"orders/order/{second.pk}/change/")
    assert "Waits for another order of its link" in page.text
    assert f"Waits behind order {first.pk}" in page.text
    assert f"/orders/order/{first.pk}/change/" in page.source
    assert "Waits behind" not in desk.open(f"orders/order/{first.pk}/change/").text
    assert "go back to" in desk.open(f"orders/order/{second.pk}/cancel/").text
    desk.send(f"orders/order/{second.pk}/refund/", reason="asked for it")
    second.refresh_from_db()
    assert second.status == "Canceled"
