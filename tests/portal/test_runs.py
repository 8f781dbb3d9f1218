"""A drip-feed on the customer's pages: planned in words, one row in the list, its runs on its own page."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Customer
from orders.models import Order, RefillRequest, State, Status
from portal.runs import plan
from records.jobs import run_job
from tests.portal.builders import a_service, an_order, it_happened

LIST = "/orders/"


def a_drip_feed(customer: Customer, *, left: int = 3, **fields: Any) -> Order:
    """Five runs of 1,000 an hour apart."""
    settled = {
        "quantity": 5000, "runs": 5, "interval": 60, "runs_left": left, "charge": Decimal("4.50"),
        "state": State.SERIES, "status": Status.IN_PROGRESS, "next_run_at": timezone.now() + timedelta(hours=1),
        "service": a_service(dripfeed=True, refill=True, cancel=True),
    }  # fmt: skip
    return an_order(customer, **{**settled, **fields})


def a_run(parent: Order, number: int, **fields: Any) -> Order:
    settled = {
        "quantity": 1000, "charge": 0, "parent": parent, "run": number, "service": parent.service,
        "state": State.ACCEPTED, "status": Status.IN_PROGRESS, "upstream_id": f"run{number}",
        "accepted_at": timezone.now(),
    }  # fmt: skip
    return an_order(parent.customer, **{**settled, **fields})


def done(parent: Order, number: int, **fields: Any) -> Order:
    end = {"state": State.ENDED, "status": Status.COMPLETED, "ended_at": timezone.now(), "remains": 0}
    return a_run(parent, number, **{**end, **fields})


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_shows_the_drip_feed_and_none_of_its_runs(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice)
    done(parent, 1)
    a_run(parent, 2)
    page = read(as_alice, LIST)
    assert re.findall(r'<tr id="order-(\d+)"', page) == [str(parent.pk)]
    assert "Run 2 of 5" in words(page)


def test_a_run_has_no_page(as_alice: Client, alice: Customer) -> None:
    run = a_run(a_drip_feed(alice), 1)
    for page in ("", "live/", "cancel/", "refill/"):
        assert as_alice.get(f"/orders/{run.pk}/{page}").status_code == 404


def test_a_list_of_drip_feeds_asks_no_more_than_one_of_one(
    as_alice: Client, alice: Customer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    done(a_drip_feed(alice), 1)
    with CaptureQueriesContext(connection) as one:
        read(as_alice, LIST)
    for _ in range(3):
        done(a_drip_feed(alice), 1, upstream_id=None)
    with django_assert_num_queries(len(one)):
        read(as_alice, LIST)


def test_the_list_is_refreshed_when_a_run_is_begun(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice)
    a_run(parent, 1)
    found = re.search(r'id="live" data-live hx-get="([^"]*)"', read(as_alice, LIST))
    assert found is not None
    poll = found[1].replace("&amp;", "&")
    assert as_alice.get(poll).status_code == 204
    Order.objects.filter(pk=parent.pk).update(runs_left=2)
    a_run(parent, 2)
    assert "Run 2 of 5" in words(read(as_alice, poll))


def test_the_page_shows_the_runs_and_when_the_next_is_due(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice, remains=3700)
    done(parent, 1)
    a_run(parent, 2, remains=700)
    page = words(read(as_alice, f"/orders/{parent.pk}/"))
    assert "Runs Run 2 of 5, one every 60 minutes Next run" in page
    assert "Runs 3 to come" in page
    assert "2 In progress 300 of 1,000" in page
    assert "1 Completed 1,000 of 1,000" in page
    assert page.index("2 In progress 300") < page.index("1 Completed")
    assert "1,300 of 5,000" in page


def test_a_run_that_waits_is_what_the_next_one_waits_for(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice, next_run_at=None)
    a_run(parent, 1, state=State.UNKNOWN, status=Status.PENDING, upstream_id=None)
    assert "Next run When the one before has been sent" in words(read(as_alice, f"/orders/{parent.pk}/"))


def test_a_partial_run_says_what_came(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice)
    done(parent, 1, status=Status.PARTIAL, undelivered=250)
    assert "1 Partial 750 of 1,000" in words(read(as_alice, f"/orders/{parent.pk}/"))


def test_the_page_is_refreshed_when_a_run_moves(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice)
    run = a_run(parent, 1, remains=900)
    address = re.search(r'id="order" data-live hx-get="([^"]*)"', read(as_alice, f"/orders/{parent.pk}/"))
    assert address is not None
    assert as_alice.get(address[1]).status_code == 204
    Order.objects.filter(pk=run.pk).update(remains=500)
    assert "500 of 1,000" in words(read(as_alice, address[1]))


def test_only_the_newest_runs_are_shown(as_alice: Client, alice: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PORTAL_RUNS_SHOWN", 2)
    parent = a_drip_feed(alice)
    for number in (1, 2, 3):
        done(parent, number)
    page = words(read(as_alice, f"/orders/{parent.pk}/"))
    assert "One earlier run is not shown." in page
    assert "1 Completed" not in page.replace("2 Completed", "").replace("3 Completed", "")


def test_a_drip_feed_that_ended_early_says_how_many_runs_were_made(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(
        alice, left=0, state=State.ENDED, status=Status.PARTIAL, ended_at=timezone.now(), next_run_at=None
    )
    done(parent, 1)
    assert "1 of 5 runs" in words(read(as_alice, LIST))


def stopped(parent: Order, **fields: Any) -> Order:
    ended = {"runs_left": 0, "next_run_at": None, "undelivered": 4000, "refunded": Decimal("3.60"), **fields}
    Order.objects.filter(pk=parent.pk).update(**ended)
    parent.refresh_from_db()
    return parent


def test_what_will_not_be_made_does_not_remain(as_alice: Client, alice: Customer) -> None:
    parent = stopped(a_drip_feed(alice, remains=5000))
    a_run(parent, 1)
    page = words(read(as_alice, f"/orders/{parent.pk}/"))
    assert "0 of 5,000" in page
    assert "Remains 1,000" in page
    assert "Refunded $3.60 Cost so far $0.90" in page
    stopped(parent, state=State.ENDED, status=Status.PARTIAL, ended_at=timezone.now(), remains=4000)
    assert "Cost in the end $0.90" in words(read(as_alice, f"/orders/{parent.pk}/"))


def test_a_drip_feed_that_its_customer_stopped_says_so_and_what_came(as_alice: Client, alice: Customer) -> None:
    parent = stopped(
        a_drip_feed(alice), state=State.ENDED, status=Status.PARTIAL, ended_at=timezone.now(), remains=4000
    )
    it_happened(parent, "cancel_asked")
    it_happened(parent, "ended")
    page = words(read(as_alice, f"/orders/{parent.pk}/"))
    assert "Stopped: 1,000 of 5,000 were delivered." in page
    assert "Ended in part" not in page


def test_a_plain_order_that_was_stopped_says_what_came_unless_the_cancel_was_refused(
    as_alice: Client, alice: Customer
) -> None:
    order = an_order(alice, state=State.ENDED, status=Status.PARTIAL, ended_at=timezone.now(), remains=400)
    it_happened(order, "cancel_asked")
    it_happened(order, "ended")
    assert "Stopped: 600 of 1,000 were delivered." in words(read(as_alice, f"/orders/{order.pk}/"))
    it_happened(order, "cancel_refused")
    page = words(read(as_alice, f"/orders/{order.pk}/"))
    assert "Ended in part: not everything could be delivered." in page
    assert "Stopped" not in page


@pytest.mark.parametrize(
    ("delivered", "status", "said"),
    [
        (0, Status.CANCELED, "It could not be placed, and was canceled."),
        (1000, Status.PARTIAL, "Run 2 could not be placed, and no further one is made: 1,000 of 5,000 were delivered."),
    ],
)
def test_a_drip_feed_of_which_a_run_was_refused_says_so(
    as_alice: Client, alice: Customer, delivered: int, status: Status, said: str
) -> None:
    parent = stopped(
        a_drip_feed(alice), state=State.ENDED, status=status, ended_at=timezone.now(), undelivered=5000 - delivered
    )
    it_happened(parent, "ended")
    run = done(parent, 2, status=Status.CANCELED, upstream_id=None, remains=None, undelivered=1000)
    it_happened(run, "refused")
    page = words(read(as_alice, f"/orders/{parent.pk}/"))
    assert said in page
    assert "Canceled. " not in page
    assert "Ended in part" not in page


CHECKING = "The provider has ended it; we are checking what was delivered."


def test_an_order_in_review_says_that_it_is_looked_at(as_alice: Client, alice: Customer) -> None:
    order = an_order(alice, state=State.REVIEW, upstream_id="u", remains=10)
    assert f"Pending {CHECKING}" in words(read(as_alice, f"/orders/{order.pk}/"))
    assert CHECKING not in words(read(as_alice, f"/orders/{an_order(alice, order.service).pk}/"))


def test_a_run_in_review_says_that_it_is_looked_at(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice)
    a_run(parent, 1, state=State.REVIEW, status=Status.PENDING, remains=100)
    page = words(read(as_alice, f"/orders/{parent.pk}/"))
    assert "1 Pending We are checking what was delivered. 900 of 1,000" in page


def test_a_refill_of_its_runs_is_asked_for_and_shown(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice)
    run = done(parent, 1)
    assert f"Refill order {parent.pk}" in words(read(as_alice, f"/orders/{parent.pk}/"))
    as_alice.post(f"/orders/{parent.pk}/refill/")
    assert RefillRequest.objects.get().order == run
    page = words(read(as_alice, f"/orders/{parent.pk}/"))
    assert "Refill: Requested" in page  # as the list of refills has it
    assert f"Refill order {parent.pk}" not in page


def test_the_page_before_a_cancel_says_what_comes_back_at_once(as_alice: Client, alice: Customer) -> None:
    parent = a_drip_feed(alice)
    done(parent, 1)
    page = words(read(as_alice, f"/orders/{parent.pk}/cancel/"))
    assert "No further run is made, and $2.70 for the runs that were not begun goes back to your balance" in page


def test_the_plan_is_said_before_it_is_ordered(as_alice: Client, alice: Customer) -> None:
    service = a_service(dripfeed=True)
    form = {"service": service.pk, "quantity": "1000", "runs": "5", "interval": "60"}
    page = words(as_alice.post("/order/new/price/", form).content.decode())
    assert "Price $4.50 5 runs of 1,000, one every 60 minutes: 5,000 in all, over 4 hours" in page
    assert "runs of" not in as_alice.post("/order/new/price/", {**form, "runs": ""}).content.decode()
    page = words(as_alice.post("/order/new/price/", {**form, "interval": ""}).content.decode())
    assert "Minutes between runs are required with runs: an interval of 1 to 10,080." in page


ALONE = "Runs are required with minutes between them: 2 or more. To get all at once leave both empty."


@pytest.mark.parametrize("runs", ["", "0", " 1 "])
def test_an_interval_without_runs_is_refused_and_not_ordered_at_once(as_alice: Client, runs: str) -> None:
    service = a_service(dripfeed=True)
    form = {
        "service": service.pk, "link": "https://example.com/a", "quantity": "1000", "runs": runs, "interval": "60",
        "rate": "0.90", "once": "token",
    }  # fmt: skip
    assert f"Price — {ALONE}" in words(as_alice.post("/order/new/price/", form).content.decode())
    page = as_alice.post("/order/new/", {**form, "link": "not a link"}).content.decode()
    assert ALONE in page.partition('id="about-runs"')[2].partition("</div>")[0]
    assert page.count('aria-invalid="true"') == 2, "what else is wrong is said with it"
    assert not Order.objects.exists()
    as_alice.post("/order/new/", {**form, "interval": ""})
    assert Order.objects.get().runs is None


def test_where_there_is_no_drip_feed_an_interval_says_nothing(as_alice: Client) -> None:
    form = {"service": a_service().pk, "quantity": "1000", "interval": "60"}
    assert "Price $0.90" in words(as_alice.post("/order/new/price/", form).content.decode())


def test_a_minute_is_not_minutes() -> None:
    said = words(plan(runs=2, each=10, interval=1))
    assert said == "2 runs of 10, one every minute: 20 in all, over 1 minute"


def test_a_placed_drip_feed_has_its_page(as_alice: Client, alice: Customer) -> None:
    service = a_service(dripfeed=True)
    form = {
        "service": service.pk, "link": "https://example.com/a", "quantity": "1000", "runs": "5", "interval": "60",
        "rate": "0.90", "once": "token",
    }  # fmt: skip
    page = words(as_alice.post("/order/new/", form, follow=True).content.decode())
    assert "0 of 5 runs, one every 60 minutes" in page
    assert "The first run is about to be sent." in page
    assert run_job("run_series", "") is not None
    parent = Order.objects.get(parent__isnull=True)
    assert "Run 1 of 5" in words(read(as_alice, f"/orders/{parent.pk}/"))
