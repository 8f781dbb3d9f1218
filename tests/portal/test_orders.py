"""The list of orders, an order's page, and how both stay current."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.deposits import deposit
from accounts.models import Customer
from ledger.accounts import house_account
from ledger.models import Account, Transfer
from ledger.posting import Posting, post
from orders.models import CancelRequest, Order, RefillRequest, State, Status
from portal.story import TOLD
from records.audit import SYSTEM
from tests.portal.builders import LINK, a_service, an_order, ended, it_happened, under_way

LIST = "/orders/"


def _page(client: Client, address: str = LIST) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def _ids(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr id="order-(\d+)"', page)]


def _poll(page: str) -> str:
    found = re.search(r'id="live" data-live hx-get="([^"]*)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


# what is live


def test_a_refund_brings_the_new_balance_along(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice)
    address = re.search(r'id="order" data-live hx-get="([^"]*)"', _page(as_alice, f"/orders/{order.pk}/"))
    assert address is not None
    in_list = _poll(_page(as_alice))
    Order.objects.filter(pk=order.pk).update(status=Status.CANCELED, state=State.ENDED, refunded=order.charge)
    deposit(customer=alice, amount=Decimal("0.90"), reference="came back", actor=SYSTEM)
    for live in (address[1], in_list):
        assert re.search(r'id="balance" hx-swap-oob="true".*\$100\.90', _page(as_alice, live)), live


def test_an_ended_order_is_followed_while_its_refill_is_open(as_alice: Client, alice: Customer) -> None:
    order = ended(alice, service=a_service(refill=True))
    assert "data-live" not in _page(as_alice, f"/orders/{order.pk}/")
    refill = RefillRequest.objects.create(order=order, customer_id=order.customer_id)
    assert "data-live" in _page(as_alice, f"/orders/{order.pk}/")
    refill.ended_at = timezone.now()
    refill.save()
    assert "data-live" not in _page(as_alice, f"/orders/{order.pk}/")


# the list


def test_without_orders_the_page_offers_the_first_step(as_alice: Client) -> None:
    page = _page(as_alice)
    assert "No orders yet" in page
    assert 'href="/order/new/"' in page


def test_only_ones_own_orders_newest_first(as_alice: Client, alice: Customer, charlie: Customer) -> None:
    service = a_service()
    mine = [an_order(alice, service).pk for _ in range(2)]
    an_order(charlie, service)
    assert _ids(_page(as_alice)) == mine[::-1]


def test_a_row_says_what_was_delivered_and_what_it_cost(as_alice: Client, alice: Customer) -> None:
    ended(alice, Status.PARTIAL, quantity=5000, remains=1234, charge=Decimal("4.5"), refunded=Decimal("1.1106"))
    page = _page(as_alice)
    for words in ("Partial", "3,766", "5,000", "3.3894", "1.1106 refunded", LINK.removeprefix("https://")):
        assert words in page


@pytest.mark.parametrize(("remains", "delivered"), [(-5, "1,000"), (0, "1,000"), (400, "600"), (5000, "0")])
def test_strange_counts_of_a_provider_never_leave_the_quantity(
    as_alice: Client, alice: Customer, remains: int, delivered: str
) -> None:
    under_way(alice, quantity=1000, remains=remains)
    words = " ".join(re.sub(r"<[^>]*>", " ", _page(as_alice)).split())
    assert f"{delivered} of 1,000" in words


@pytest.mark.parametrize(
    ("state", "delivered"), [(State.WAITING, "0"), (State.QUEUED, "0"), (State.SERIES, "0"), (State.BY_HAND, "—")]
)
def test_a_count_that_nobody_told_yet_is_a_number_or_a_dash(
    as_alice: Client, alice: Customer, state: State, delivered: str
) -> None:
    an_order(alice, quantity=1000, state=state)
    shown = re.search(r'class="delivery">.*?<progress', _page(as_alice), re.DOTALL)
    assert shown is not None
    assert " ".join(re.sub(r"<[^>]*>?", " ", shown[0].partition(">")[2]).split()) == f"{delivered} of 1,000"


def test_a_link_is_opened_safely_and_a_script_is_no_link(as_alice: Client, alice: Customer) -> None:
    service = a_service()
    an_order(alice, service)
    an_order(alice, service, link="javascript:alert(1)")
    page = _page(as_alice)
    assert f'<a href="{LINK}" title="{LINK}" target="_blank" rel="noopener noreferrer nofollow">' in page
    assert 'href="javascript' not in page


def test_by_status(as_alice: Client, alice: Customer) -> None:
    service = a_service()
    waiting, done = an_order(alice, service), ended(alice, service=service)
    assert _ids(_page(as_alice, "/orders/?status=Pending")) == [waiting.pk]
    assert _ids(_page(as_alice, "/orders/?status=Completed")) == [done.pk]
    assert _ids(_page(as_alice, "/orders/?status=nonsense")) == [done.pk, waiting.pk]


def test_older_and_newer_lead_through_all_orders_and_back(
    as_alice: Client, alice: Customer, settings: pytest.FixtureRequest
) -> None:
    settings.PORTAL_ORDERS_PAGE = 2  # type: ignore[attr-defined]
    service = a_service()
    orders = [an_order(alice, service).pk for _ in range(5)][::-1]
    seen, query = [], ""
    for expected_newer in (False, True, True):
        page = _page(as_alice, LIST + query)
        seen.append(_ids(page))
        assert ("after=" in page) == expected_newer
        older = re.search(r'href="(\?before=\d+)"', page)
        query = older[1] if older else ""
    assert seen == [orders[:2], orders[2:4], orders[4:]]
    assert query == ""
    newer = re.search(r'href="(\?after=\d+)"', page)
    assert newer is not None
    assert _ids(_page(as_alice, LIST + newer[1])) == orders[2:4]


@pytest.mark.parametrize(
    "query", ["?before=x", "?before=", "?before=-1", "?after=²", "?before=" + "9" * 40, "?after=%00"]
)
def test_a_senseless_place_is_the_first_page(as_alice: Client, alice: Customer, query: str) -> None:
    order = an_order(alice)
    assert _ids(_page(as_alice, LIST + query)) == [order.pk]


def test_the_list_takes_the_same_few_queries_however_long(
    as_alice: Client, alice: Customer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    service = a_service(refill=True, cancel=True)
    for _ in range(20):
        under_way(alice, service)
        ended(alice, service=service)
    # session, user, customer, orders, open cancels, open refills, counts, answers, services of the newest
    with django_assert_max_num_queries(9):
        _page(as_alice)


# staying current


def test_only_rows_that_can_still_change_are_asked_for(as_alice: Client, alice: Customer) -> None:
    service = a_service()
    running = under_way(alice, service)
    ended(alice, service=service)
    assert f"ids={running.pk}&" in _poll(_page(as_alice))


def test_a_list_of_ended_orders_asks_nothing(as_alice: Client, alice: Customer) -> None:
    ended(alice)
    assert "data-live" not in _page(as_alice)


def test_nothing_new_is_an_empty_answer(as_alice: Client, alice: Customer) -> None:
    under_way(alice)
    assert as_alice.get(_poll(_page(as_alice))).status_code == 204


def test_what_changed_comes_as_rows_and_what_ended_is_not_asked_for_again(as_alice: Client, alice: Customer) -> None:
    service = a_service()
    first, second = under_way(alice, service), under_way(alice, service)
    poll = _poll(_page(as_alice))
    Order.objects.filter(pk=first.pk).update(state=State.ENDED, status=Status.COMPLETED)
    answer = as_alice.get(poll).content.decode()
    assert f'<tr id="order-{first.pk}" hx-swap-oob="true">' in answer
    assert "Completed" in answer
    assert f"ids={second.pk}&" in _poll(answer)


def test_when_the_last_row_ended_the_asking_stops(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice)
    poll = _poll(_page(as_alice))
    Order.objects.filter(pk=order.pk).update(state=State.ENDED, status=Status.COMPLETED)
    answer = as_alice.get(poll).content.decode()
    assert f'<tr id="order-{order.pk}"' in answer
    assert "data-live" not in answer


def test_the_poll_shows_nobody_elses_rows(as_alice: Client, charlie: Customer) -> None:
    other = under_way(charlie)
    assert f"order-{other.pk}" not in as_alice.get(f"/orders/live/?ids={other.pk}").content.decode()


@pytest.mark.parametrize(
    "ids", ["", "x", "²", "-1", "1,,2", ",".join("9" * 30 for _ in range(3)), ",".join(["1"] * 51)]
)
def test_senseless_ids_are_no_error(as_alice: Client, ids: str) -> None:
    assert as_alice.get("/orders/live/", {"ids": ids}).status_code in (200, 404)


# an order's page


def _refund(order: Order, amount: str) -> None:
    sales = house_account(Account.Kind.SALES, "USD")
    back = Posting(
        debit=sales,
        credit=order.customer.wallet,
        amount=Decimal(amount),
        kind=Transfer.Kind.REFUND,
        reference=f"order:{order.pk}:refund:end",
        order_id=order.pk,
    )
    post([back])


@pytest.mark.django_db
def test_the_story_is_told_in_the_customers_words_newest_first(as_alice: Client, alice: Customer) -> None:
    order = ended(alice, Status.PARTIAL, remains=500, refunded=Decimal("0.45"))
    it_happened(order, "accepted", note="as 23501 at Upstream")
    it_happened(order, "rerouted", note="refused (no funds); next: Other")
    it_happened(order, "unknown", note="timeout after 25 s")
    it_happened(order, "ended")
    _refund(order, "0.45")
    page = _page(as_alice, f"/orders/{order.pk}/")
    story = re.sub(r"<[^>]*>", " ", page.partition('<ol class="story">')[2].partition("</ol>")[0])
    told = ["$0.45 came back to your balance.", "Ended in part", "Accepted for delivery.", "Placed. $0.90 was charged."]
    assert [story.index(words) for words in told] == sorted(story.index(words) for words in told)


@pytest.mark.django_db
def test_a_story_that_is_too_long_keeps_its_end(as_alice: Client, alice: Customer, settings: Settings) -> None:
    settings.PORTAL_STORY_LINES = 3
    order = ended(alice)
    for _ in range(5):
        it_happened(order, "accepted")
    it_happened(order, "ended")
    page = _page(as_alice, f"/orders/{order.pk}/")
    story = re.findall(r"<li>([^<]*)<", page.partition('<ol class="story">')[2].partition("</ol>")[0])
    assert story == ["Completed.", "Accepted for delivery.", "Accepted for delivery.", "Placed. $0.90 was charged."]


# What goes on behind the scenes: to the customer the order simply waits, or goes on.
SILENT = {
    "run_begun", "run_ended",  # the page lists the runs themselves
    "unknown", "late_answer", "not_placed", "sent_again", "held", "released", "rerouted", "review",
    "refill_unknown", "waits_for_parts", "queued", "next_in_line",
}  # fmt: skip


def test_every_kind_of_event_is_told_or_left_out_on_purpose() -> None:
    kinds: set[str] = set()
    for module in (Path(settings.BASE_DIR) / "orders").glob("*.py"):
        text = module.read_text()
        kinds |= set(re.findall(r'\bline\([\w.]+, "(\w+)"', text)) | set(
            re.findall(r'told_as(?:: str =|=) ?"(\w+)"', text)
        )
    assert len(kinds) > len(SILENT)
    assert kinds - set(TOLD) == SILENT & kinds
    assert not SILENT & set(TOLD)


@pytest.mark.parametrize("secret", ["Upstream", "23501", "u1x", "timeout", "no funds", "0.000001"])
def test_the_page_says_nothing_of_the_provider(as_alice: Client, alice: Customer, secret: str) -> None:
    order = under_way(
        alice, reason="timeout: no funds at Upstream", upstream_id="u1x", upstream_charge=Decimal("0.000001")
    )
    it_happened(order, "accepted", note="as 23501 at Upstream, timeout")
    it_happened(order, "review", note="no funds")
    assert secret not in _page(as_alice, f"/orders/{order.pk}/").partition("<main")[2].partition("</main>")[0]


def test_the_page_shows_the_fields_of_its_type(as_alice: Client, alice: Customer) -> None:
    service = a_service(type="custom_comments", min=1)
    order = an_order(alice, service, quantity=2, details={"comments": "Nice, really\n<b>Great</b>"})
    page = _page(as_alice, f"/orders/{order.pk}/")
    assert "Comments" in page
    assert "&lt;b&gt;Great" in page


def test_the_page_of_a_package_has_no_count(as_alice: Client, alice: Customer) -> None:
    order = an_order(alice, a_service(type="package"), quantity=None)
    assert "<progress" not in _page(as_alice, f"/orders/{order.pk}/")


def test_the_page_follows_the_order_until_it_ends(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice, remains=900)
    page = _page(as_alice, f"/orders/{order.pk}/")
    found = re.search(r'data-live hx-get="([^"]*)"', page)
    assert found is not None
    assert as_alice.get(found[1]).status_code == 204
    Order.objects.filter(pk=order.pk).update(remains=100)
    changed = as_alice.get(found[1]).content.decode()
    assert "900" in changed
    assert "data-live" in changed
    Order.objects.filter(pk=order.pk).update(state=State.ENDED, status=Status.COMPLETED)
    assert "data-live" not in as_alice.get(found[1]).content.decode()


def test_a_wish_to_cancel_is_shown_while_it_is_open(as_alice: Client, alice: Customer) -> None:
    order = under_way(alice, a_service(cancel=True))
    CancelRequest.objects.create(order=order, customer_id=order.customer_id)
    for address in (LIST, f"/orders/{order.pk}/"):
        assert "Cancellation requested" in _page(as_alice, address)


def test_the_words_of_subscriptions_are_offered_to_whoever_has_one(as_alice: Client, alice: Customer) -> None:
    order = an_order(alice, a_service())
    assert "status=Paused" not in as_alice.get("/orders/").content.decode()
    Order.objects.filter(pk=order.pk).update(status=Status.PAUSED)
    page = as_alice.get("/orders/").content.decode()
    assert "status=Paused" in page
    assert "status=Expired" in page
