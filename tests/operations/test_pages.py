"""Every page of the operator's side opens, for staff alone, and costs the same however much there is."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.people import create_operator
from callbacks.models import CallbackAddress
from callbacks.outbox import send_test
from catalog.models import MarkupRule, TextRule
from records.attention import raise_attention
from records.audit import SYSTEM
from records.jobs import run_job
from records.models import AttentionItem, AuditEntry, JobRun
from tests.operations.desk import Desk
from tests.orders.builders import a_customer, a_provider, a_service, an_order

OURS = [model for model in admin.site._registry if model._meta.app_label != "auth"]
LISTS = sorted(f"{model._meta.app_label}/{model._meta.model_name}/" for model in OURS)
pytestmark = pytest.mark.django_db


def some_of_all(number: int) -> None:
    """Rows for every list: `number` of each, so that a query a row would show."""
    provider = a_provider(name=f"Provider {number}")
    for each in range(number):
        service = a_service(provider, f"{number}-{each}", rate="2")
        customer = a_customer("100", f"c{number}-{each}@example.com")
        order = an_order(customer, service, link=f"https://example.com/{number}/{each}")
        raise_attention(
            cause="order_held", key=f"held:{order.pk}", summary="held", provider_id=provider.pk, order_id=order.pk,
            evidence={"charge": "1", "lines": ["a", "b"]},
        )  # fmt: skip
        MarkupRule.objects.create(service=service)
        TextRule.objects.create(provider=provider, find=f"x{each}")
        JobRun.objects.create(job="verify_books")
        address = CallbackAddress.objects.create(customer=customer, url="https://a.example/", secret="whsec_hidden")
        send_test(address=address, actor=SYSTEM)


def test_every_list_and_every_row_opens(desk: Desk) -> None:
    some_of_all(2)
    run_job("provider_balances", "0")
    for path in ["", *LISTS]:
        page = desk.open(path)
        assert page.status == 200, path
        assert "e=1" not in page.url, path
    for model in OURS:
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            path = f"{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/"
            page = desk.open(path)
            assert page.status == 200, path
            assert "whsec_" not in page.source, path


@pytest.mark.parametrize("path", ["", *LISTS])
def test_a_list_takes_as_many_queries_for_twelve_rows_as_for_two(desk: Desk, path: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.open(path).status == 200
        return len(captured)

    some_of_all(2)
    desk.open(path)
    few = queries()
    some_of_all(12)
    assert queries() <= few


@pytest.mark.parametrize("path", ["", *LISTS])
def test_a_customer_gets_no_admin(customers_client: Client, path: str) -> None:
    page = customers_client.get(f"/admin/{path}")
    assert page.status_code == 302
    assert page["Location"].startswith("/admin/login/")


def test_staff_without_rights_see_no_rows_and_take_no_steps() -> None:
    stan = create_operator(email="stan@example.com", password="a long enough one")
    stan.is_superuser = False
    stan.save()
    client = Client()
    client.force_login(stan, "django.contrib.auth.backends.ModelBackend")
    order = an_order(a_customer(), a_service(None))
    assert client.get("/admin/").status_code == 200
    for path in LISTS:
        assert client.get(f"/admin/{path}").status_code == 403, path
    for step in ("settle", "refund", "note", "cancel"):
        assert client.post(f"/admin/orders/order/{order.pk}/{step}/", {"reason": "x", "note": "x"}).status_code == 403
    assert client.get("/admin/providers/provider/add/").status_code == 403
    assert client.get("/admin/accounts/customer/add/").status_code == 403
    assert client.post("/admin/records/jobrun/run/verify_books/").status_code == 403
    assert not AuditEntry.objects.filter(actor_name="stan@example.com").exists()


def test_lists_that_grow_for_ever_are_never_counted(desk: Desk) -> None:
    some_of_all(3)
    for path in ("orders/order/", "ledger/transfer/", "records/auditentry/", "records/jobrun/", "accounts/customer/"):
        with CaptureQueriesContext(connection) as captured:
            desk.open(path)
        table = path.strip("/").replace("/", "_")
        counts = [query["sql"] for query in captured if "COUNT(" in query["sql"] and table in query["sql"]]
        assert counts == [], path
        assert not [query["sql"] for query in captured if "OFFSET" in query["sql"] and table in query["sql"]]


def test_older_and_newer_rows_are_led_to_and_filters_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.admin.orders.OrderAdmin.list_per_page", 2)
    customer, service = a_customer("1000"), a_service(None)
    orders = [an_order(customer, service, link=f"https://example.com/{n}") for n in range(5)]
    first = desk.open("orders/order/?state__exact=by_hand")
    assert _shown(first.source) == [orders[4].pk, orders[3].pk]
    second = desk.open(f"orders/order/?before={orders[3].pk}&state__exact=by_hand")
    assert f"?before={orders[3].pk}&amp;state__exact=by_hand" in first.source
    assert _shown(second.source) == [orders[2].pk, orders[1].pk]
    newer = desk.open(f"orders/order/?after={orders[2].pk}&state__exact=by_hand")
    assert _shown(newer.source) == [orders[4].pk, orders[3].pk]
    last = desk.open(f"orders/order/?before={orders[1].pk}")
    assert _shown(last.source) == [orders[0].pk]
    assert "?before=" not in last.source


def test_the_first_screen_says_what_needs_a_person(desk: Desk) -> None:
    empty = desk.open("")
    assert "Nothing. What the panel cannot decide by itself shows here." in empty.text
    assert "Add the first one" in empty.text
    some_of_all(3)
    JobRun.objects.create(job="provider_balances", scope="7", finished_at=timezone.now(), error="Boom: x")
    page = desk.open("")
    assert "3 Orders held back · Provider 3" in page.text
    assert "provider_balances 7" in page.text
    assert "Boom: x" in page.text
    assert AttentionItem.objects.count() == 3


def _shown(source: str) -> list[int]:
    boxes = [box for box in re.findall(r"<input[^>]+>", source) if 'name="_selected_action"' in box]
    return [int(pk) for box in boxes for pk in re.findall(r'value="(\d+)"', box)]
