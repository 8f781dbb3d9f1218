"""A drip-feed on the operator's pages: its runs with the way to each, and decisions about one with its money."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from orders.models import Order, State, Status
from providers.sandbox.server import Sandbox
from tests.operations.desk import Desk
from tests.operations.test_orders import at, found
from tests.orders.builders import a_provider, a_service, an_order, balance, books_are_right
from tests.orders.in_runs import a_drip_feed, an_unknown_run, begun, finished, sent_on

pytestmark = pytest.mark.django_db(transaction=True)


def test_lists_have_what_was_sold_and_a_states_list_has_its_runs(desk: Desk, sandbox: Sandbox) -> None:
    parent, run = an_unknown_run(sandbox, a_provider(sandbox))
    assert found(desk.open("orders/order/")) == [parent.pk]
    assert found(desk.open(f"orders/order/?q={parent.link}")) == [parent.pk]
    assert found(desk.open("orders/order/?state__exact=unknown")) == [run.pk]
    assert found(desk.open(f"orders/order/?q={run.pk}")) == [run.pk]
    assert list(desk.open(f"accounts/customer/{parent.customer_id}/change/").response.context["latest"]) == [parent]


def test_a_drip_feed_shows_its_runs_and_a_run_its_drip_feed(desk: Desk, sandbox: Sandbox) -> None:
    parent = a_drip_feed(a_provider(sandbox))
    run = begun(parent)
    page = desk.open(at(parent))
    assert f"/orders/order/{run.pk}/change/" in page.source
    assert page.text.count("Runs 3, every 60 min") == 1
    assert "Made so far" not in page.text
    assert "Minutes between runs" not in page.text
    assert "Cost —" in page.text
    assert f"Run 1 of 3 is order {run.pk}." in page.text
    page = desk.open(at(run))
    assert f"/orders/order/{parent.pk}/change/" in page.source
    assert "Of drip-feed" in page.text


def test_what_was_paid_for_a_run_is_its_share_wherever_it_waits(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent, run = an_unknown_run(sandbox, provider)
    plain = an_order(parent.customer, a_service(provider, "2", rate="2"), 1000, "https://example.com/another")
    Order.objects.filter(pk=plain.pk).update(state=State.UNKNOWN)
    [unknown] = [each for each in desk.open("").response.context["stuck"] if each["state"] == State.UNKNOWN]
    assert (unknown["orders"], unknown["charge"]) == (2, "3.125 USD")
    page = desk.open(at(run))
    assert "Paid for this run 1.125 USD" in page.text
    assert "0.00 USD" not in page.text
    assert "Charge" not in page.text
    assert "the customer's 1.125 USD stay paid" in desk.open(at(run, "exists")).text
    assert "1.125" in desk.open("orders/order/?state__exact=unknown").text
    assert "Charge 3.375 USD" in desk.open(at(parent)).text


def test_a_drip_feed_costs_what_its_runs_cost(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    for _ in range(2):
        sent_on(parent, provider)
        Order.objects.filter(pk=parent.pk).update(next_run_at=timezone.now())
    costs = [run.cost for run in parent.run_orders.all()]
    assert costs == [Decimal("0.9"), Decimal("0.9")]
    assert "Cost 1.80 USD" in desk.open(at(parent)).text


def test_giving_back_an_unknown_run_says_and_does_all_of_it(desk: Desk, sandbox: Sandbox) -> None:
    parent, run = an_unknown_run(sandbox, a_provider(sandbox))
    form = desk.open(at(run, "refund"))
    assert "3.375 USD go back" in form.text
    assert f"The drip-feed {parent.pk} ends with it" in form.text
    page = desk.send(at(run, "refund"), reason="not there")
    assert "3.375 USD went back" in page.text
    assert balance(parent.customer) == 100
    books_are_right()


def test_settling_a_run_says_what_went_back_of_its_drip_feed(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, words="cancel_keep:20")
    run = sent_on(parent, provider)
    finished(sandbox, provider, run)
    form = desk.open(at(run, "settle"))
    assert "Completed keeps what was paid for this run. Canceled gives back 1.125 USD" in form.text
    page = desk.send(at(run, "settle"), status="Partial", delivered="200", reason="counted")
    assert "0.90 USD went back" in page.text
    parent.refresh_from_db()
    assert parent.refunded == Decimal("0.9")
    books_are_right()


def test_canceling_a_drip_feed_says_what_went_back(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider)
    sent_on(parent, provider)
    form = desk.open(at(parent, "cancel"))
    assert "2.25 USD for those that were not begun go back" in form.text
    page = desk.send(at(parent, "cancel"), reason="asked")
    assert "2.25 USD went back" in page.text
    assert Order.objects.get(pk=parent.pk).state == State.SERIES


def test_many_unknown_runs_are_given_back_at_once(desk: Desk, sandbox: Sandbox) -> None:
    parent, run = an_unknown_run(sandbox, a_provider(sandbox))
    path = "orders/order/?state__exact=unknown"
    asked = desk.client.post(f"/admin/{path}", {"action": "refund_chosen", "_selected_action": [run.pk]})
    assert "3.375 USD in all go back" in asked.content.decode()
    desk.choose(path, "refund_chosen", run.pk, reason="none is there")
    parent.refresh_from_db()
    assert (parent.state, parent.status) == (State.ENDED, Status.CANCELED)
    books_are_right()
