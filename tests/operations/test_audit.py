"""Every change by the operator's side leaves one entry of the audit trail: who, what, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib import admin

from catalog.models import Service
from news.models import Announcement
from orders.models import Order, State
from records.models import AuditEntry
from tests.operations.desk import Desk
from tests.operations.rows import some_of_each

pytestmark = pytest.mark.django_db
LABELS = sorted(model._meta.label_lower for model in admin.site._registry)


@dataclass(frozen=True)
class Change:
    """What is done to the row, by its form ("change") or a step, and what the entry says of it."""

    does: str
    types: Mapping[str, Any]
    action: str
    before: Mapping[str, Any]
    after: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""  # where it is another row's entry


REASON = {"reason": "because"}
CHANGES: Mapping[str, list[Change]] = {
    "accounts.customer": [
        Change("close", REASON, "user.access", {"is_active": True}, {"is_active": False}, "accounts.user"),
        Change(
            "deposit", {"amount": "5", "reference": "B-1"}, "deposit", {"balance": "98.875"}, {"balance": "103.875"}
        ),
        Change(
            "correct", {"amount": "-4", "reference": "T-1", **REASON}, "correct_balance",
            {"balance": "98.875"}, {"balance": "94.875"},
        ),
    ],
    "accounts.user": [
        Change("change", {"name": "Alice"}, "edit user", {"name": ""}, {"name": "Alice"}),
        Change("role", {"role": "support", **REASON}, "user.role", {"role": ""}, {"role": "support"}),
        Change("close", REASON, "user.access", {"is_active": True}, {"is_active": False}),
        Change(
            "password", {"password": "another long one", **REASON}, "user.password",
            {"password": "(hidden)"}, {"password": "(hidden)"},
        ),
    ],
    "catalog.category": [Change("change", {"name": "Full"}, "edit category", {"name": "Empty"}, {"name": "Full"})],
    "catalog.markuprule": [
        Change("change", {"percent": "30"}, "set markup", {"percent": "0.000000"}, {"percent": "30"}),
    ],
    "catalog.textrule": [Change("change", {"find": "y"}, "edit text rule", {"find": "x"}, {"find": "y"})],
    "catalog.service": [
        Change("change", {"position": "7"}, "edit service", {"position": 0}, {"position": 7}),
        Change("hide", {}, "hide service", {"visible": True}, {"visible": False}),
        Change("off-sale", REASON, "take off sale", {"off_sale_reason": ""}, {"off_sale_reason": "because"}),
        Change("price", {"rate": "9"}, "set price by hand", {"rate": "1.125000"}, {"rate": "9"}),
    ],
    "conversations.thread": [
        Change("resolve", {"text": "It is."}, "problem.note", {"resolved": ""}, {"resolved": "note"}),
        Change("answer", {"text": "Soon."}, "problem.answer", {"waits_since": ...}, {"waits_since": None}),
    ],
    "news.announcement": [
        Change("change", {"title": "Bye"}, "edit announcement", {"title": "Hello"}, {"title": "Bye"}),
        Change("delete", {}, "delete announcement", {"title": "Hello"}),
    ],
    "orders.order": [
        Change(
            "cancel", REASON, "order.cancel", {"status": "Pending", "refunded": "0.00"},
            {"status": "Canceled", "refunded": ...},
        ),
        Change("note", {"note": "Watch it."}, "order.note", {}, {"note": "Watch it."}),
        Change("refund", REASON, "order.refund", {"status": "Pending"}, {"status": "Canceled"}),
    ],
    "providers.provider": [
        Change("change", {"concurrency": "3"}, "provider.settings", {"concurrency": ...}, {"concurrency": 3}),
        Change("pause", REASON, "provider.queue_paused", {"queue": "open"}, {"queue": "paused"}),
        Change("exchange-rate", {"rate": "2"}, "provider.exchange_rate", {}, {"rate": "2"}),
        Change("top-up", {"amount": "5", "reference": "T-1"}, "provider.top_up", {}, {"amount": "5.00"}),
    ],
    "records.attentionitem": [
        Change("decide", {"decision": "done"}, "attention.close", {"open": True}, {"open": False}),
    ],
}  # fmt: skip
LOOKED_AT = {
    "callbacks.callbackaddress", "callbacks.callbackmessage", "catalog.providerservice", "ledger.account",
    "ledger.transfer", "orders.refillrequest", "records.auditentry", "records.jobrun", "records.lease",
}  # fmt: skip
EACH = [(label, change) for label, changes in CHANGES.items() for change in changes]


def fits(said: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether the entry says this, and of `...` that it says something."""
    return all(name in said and value in (..., said[name]) for name, value in expected.items())


@pytest.mark.parametrize(("label", "change"), EACH, ids=[f"{label} {change.does}" for label, change in EACH])
def test_a_change_leaves_one_entry_with_before_and_after(desk: Desk, label: str, change: Change) -> None:
    row = some_of_each()[label]
    AuditEntry.objects.all().delete()
    path = f"{label.replace('.', '/')}/{row.pk}"
    if change.does == "hide":
        desk.press(f"{path}/change/", "hide/")
    else:
        desk.send(f"{path}/{change.does}/", **change.types)
    [entry] = AuditEntry.objects.exclude(action__in=["reprice"])
    assert (entry.actor_name, entry.action, entry.target_type) == (
        "olga@example.com", change.action, change.target or label,
    )  # fmt: skip
    assert fits(entry.before, change.before), entry.before
    assert fits(entry.after, change.after), entry.after
    assert change.does == "delete" or entry.after
    if "reason" in change.types:
        assert entry.reason == "because"


def test_each_admin_is_known_by_what_it_changes_or_as_looked_at() -> None:
    assert sorted({*CHANGES, *LOOKED_AT}) == LABELS
    assert not CHANGES.keys() & LOOKED_AT


@pytest.mark.parametrize("label", sorted(LOOKED_AT))
def test_what_is_looked_at_is_changed_by_nobody(desk: Desk, label: str) -> None:
    row = some_of_each()[label]
    [each] = [each for model, each in admin.site._registry.items() if model._meta.label_lower == label]
    entries = AuditEntry.objects.count()
    base = f"/admin/{label.replace('.', '/')}"
    for path in (f"{base}/add/", f"{base}/{row.pk}/change/", f"{base}/{row.pk}/delete/"):
        assert desk.client.post(path, {"post": "yes"}).status_code == 403, path
    assert not each.steps  # type: ignore[attr-defined]
    assert AuditEntry.objects.count() == entries


def test_a_change_that_is_refused_leaves_none(desk: Desk) -> None:
    rows = some_of_each()
    AuditEntry.objects.all().delete()
    desk.send(f"catalog/service/{rows['catalog.service'].pk}/price/", rate="-1")
    desk.send(f"news/announcement/{rows['news.announcement'].pk}/change/", title="")
    assert not AuditEntry.objects.exists()
    assert Service.objects.get().rate != -1
    assert Announcement.objects.get().title == "Hello"


def test_many_at_once_leave_an_entry_each(desk: Desk) -> None:
    order = some_of_each()["orders.order"]
    Order.objects.filter(pk=order.pk).update(state=State.UNKNOWN)
    AuditEntry.objects.all().delete()
    desk.choose("orders/order/", "refund_chosen", order.pk, reason="because")
    entry = AuditEntry.objects.get()
    assert (entry.before["state"], entry.after["state"]) == ("unknown", "ended")


def test_a_job_that_is_run_by_hand_is_told(desk: Desk, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    desk.client.post("/admin/records/jobrun/run/verify_books/")
    entry = AuditEntry.objects.get(action="job.run")
    assert (entry.actor_name, entry.after["job"]) == ("olga@example.com", "verify_books")
