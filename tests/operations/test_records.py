"""The attention list, the audit trail, background jobs: grouped, led to, closed with a decision, run on a wish."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import Settings

from orders.models import Order
from records.attention import close_attention, raise_attention
from records.models import AttentionItem, AuditEntry, JobRun
from tests.operations.desk import Desk
from tests.orders.builders import a_customer, a_provider, a_service, an_order

pytestmark = pytest.mark.django_db


def an_item(order: Order | None = None, key: str = "unknown:1", cause: str = "unknown_submission") -> AttentionItem:
    raise_attention(
        cause=cause, key=key, summary=f"Something about {key}", order_id=order.pk if order else None,
        provider_id=order.provider_id if order else None,
        evidence={"attempt": 1, "candidates": [{"id": "23501", "charge": "0.90"}], "api_key": "never-shown"},
    )  # fmt: skip
    return AttentionItem.objects.get(key=key, closed_at__isnull=True)


def test_the_list_is_grouped_and_shows_what_is_open(desk: Desk) -> None:
    order = an_order(a_customer(), a_service(a_provider()))
    an_item(order, "unknown:1")
    an_item(order, "unknown:2")
    an_item(None, "job_failed:x:", "job_failed")
    close_attention(key="unknown:2", decision="found")
    page = desk.open("records/attentionitem/")
    assert "1 Not known whether an order was placed · Sandbox" in page.text
    assert "1 Background jobs that fail" in page.text
    assert "Something about unknown:2" not in page.text
    group = page.response.context["groups"][0]
    assert "Something about unknown:1" in desk.open(group.url.removeprefix("/admin/")).text
    assert "Something about job_failed" not in desk.open(group.url.removeprefix("/admin/")).text
    assert "Something about unknown:2" in desk.open("records/attentionitem/?state=closed").text
    assert "Something about unknown:1" in desk.open(f"records/attentionitem/?q={order.pk}").text


def test_an_item_shows_its_evidence_and_leads_to_its_order_and_provider(desk: Desk) -> None:
    order = an_order(a_customer(), a_service(a_provider()))
    page = desk.open(f"records/attentionitem/{an_item(order).pk}/change/")
    assert "id: 23501 · charge: 0.90" in page.text
    assert f'href="/admin/orders/order/{order.pk}/change/"' in page.source
    assert f'href="/admin/providers/provider/{order.provider_id}/change/"' in page.source
    assert "never-shown" not in page.source
    item = f"/admin/records/attentionitem/{an_item(order).pk}/change/"
    assert item in desk.open(f"orders/order/{order.pk}/change/").source


def test_an_item_is_closed_with_a_decision_once(desk: Desk) -> None:
    item = an_item()
    path = f"records/attentionitem/{item.pk}/decide/"
    assert "This field is required" in desk.send(path).text
    page = desk.send(path, decision="It was our own test")
    assert "Closed by olga@example.com" in page.text
    item.refresh_from_db()
    assert (item.closed_by, item.decision) == ("olga@example.com", "It was our own test")
    assert AuditEntry.objects.get(action="attention.close").reason == "It was our own test"
    again = desk.client.post(f"/admin/{path}", {"decision": "again"})
    assert "It is closed already. Nothing was changed." in again.content.decode()


def test_many_items_are_closed_with_one_decision(desk: Desk) -> None:
    items = [an_item(None, f"unknown:{number}") for number in range(3)]
    chosen = [item.pk for item in items[:2]]
    page = desk.choose("records/attentionitem/", "close_chosen", *chosen, decision="all the same")
    assert "2 closed." in page.text
    assert AttentionItem.objects.filter(closed_at__isnull=True).count() == 1


def test_the_trail_leads_to_what_it_is_about(desk: Desk) -> None:
    customer = a_customer()
    desk.send(f"accounts/customer/{customer.pk}/deposit/", amount="5", reference="R-9", note="by bank")
    entry = AuditEntry.objects.get(action="deposit", actor_name="olga@example.com")
    page = desk.open(f"records/auditentry/{entry.pk}/change/")
    assert f'href="/admin/accounts/customer/{customer.pk}/change/"' in page.source
    assert "deposit:R-9" in page.text
    found = desk.open(f"records/auditentry/?q=accounts.customer+{customer.pk}")
    assert {each.target_id for each in found.response.context["cl"].result_list} == {customer.pk}
    assert desk.client.post(f"/admin/records/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.client.get("/admin/records/auditentry/add/").status_code == 403


def test_a_job_is_run_on_a_wish(desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr("operations.jobs_now.hint", lambda name, scope: asked.append((name, scope)))
    settings.REDIS_URL = ""
    page = desk.press("records/jobrun/", "/run/verify_books/")
    assert "There is no broker, so no worker can be asked. Run it with: manage.py run_jobs verify_books." in page.text
    settings.REDIS_URL = "redis://somewhere"
    provider = a_provider()
    page = desk.press("records/jobrun/", "/run/provider_balances/")
    assert "The workers were asked to run provider_balances." in page.text
    assert asked == [("provider_balances", str(provider.pk))]
    page = desk.press("records/jobrun/", "/run/probe_providers/")
    assert "has nothing to run for at the moment" in page.text
    assert desk.open("records/jobrun/run/verify_books/").status == 405
    assert "There is no job called nothing" in desk.client.post(
        "/admin/records/jobrun/run/nothing/", follow=True
    ).content.decode()


def test_failed_runs_are_found_with_their_error(desk: Desk) -> None:
    failed = JobRun.objects.create(job="verify_books", finished_at=timezone.now(), error="DifferenceFound: 1 is not 2")
    JobRun.objects.create(job="verify_books", finished_at=timezone.now())
    page = desk.open("records/jobrun/?end=failed")
    assert [run.pk for run in page.response.context["cl"].result_list] == [failed.pk]
    assert "DifferenceFound: 1 is not 2" in desk.open(f"records/jobrun/{failed.pk}/change/").text
