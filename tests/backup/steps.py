"""What is done within the panel that a test backs up: `python -m tests.backup.steps STEP [JSON]`, an answer in JSON.

A process of its own each, since a restore wants the database for itself.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmpanel.settings")
django.setup()

from datetime import timedelta  # noqa: E402

from django.core.management import CommandError, call_command  # noqa: E402
from django.db.models import F  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Letter  # noqa: E402
from callbacks.models import CallbackAddress, CallbackMessage  # noqa: E402
from catalog.models import SameLink  # noqa: E402
from ledger.verification import verify  # noqa: E402
from orders import deciding  # noqa: E402
from orders.mass import preview, start  # noqa: E402
from orders.models import Attempt, MassOrder, Order, RefillRequest, State  # noqa: E402
from orders.refilling import request_refill  # noqa: E402
from providers.models import Provider  # noqa: E402
from providers.queue import reopen  # noqa: E402
from records.attention import open_by_cause  # noqa: E402
from records.audit import COMMAND  # noqa: E402
from records.jobs import job_named, run_job  # noqa: E402
from records.models import Restoration  # noqa: E402
from smmpanel.backup import restoring  # noqa: E402
from tests.orders.builders import a_customer, a_provider, a_service, an_order, balance  # noqa: E402

JOBS = (
    "place_mass_orders", "run_series", "send_queued", "tidy_orders", "submit_orders", "send_refills", "send_letters",
    "provider_balances", "probe_providers", "reconcile", "sync_new",
)  # fmt: skip


def begin(url: str, key: str) -> None:
    """A provider with ten dollars spent on one accepted order, and an order, a queued one, a held one, a drip-feed, a
    list, a refill, a letter and a callback on their way.
    """
    from decimal import Decimal

    sandbox: Any = SimpleNamespace(url=url, options=SimpleNamespace(key=key), opening=Decimal(1000))
    provider = a_provider(sandbox, resend_when_not_placed=True)
    alice = a_customer("100")
    plain = a_service(provider)
    before = an_order(alice, plain, link="https://example.com/before")
    _turn("submit_orders", str(provider.pk))
    Attempt.objects.update(began_at=timezone.now() - timedelta(hours=1), ended_at=timezone.now() - timedelta(hours=1))
    Order.objects.filter(pk=before.pk).update(state="ended", status="Completed", ended_at=timezone.now())
    before.refresh_from_db()
    request_refill(order=before, actor=COMMAND)
    an_order(alice, plain, link="https://example.com/waiting")
    queue = a_service(provider, "2", name="One at a time", same_link=SameLink.QUEUE)
    an_order(alice, queue, link="https://example.com/queue")
    assert an_order(alice, queue, link="https://example.com/queue").state == State.QUEUED
    held = an_order(alice, plain, link="https://example.com/held")
    Order.objects.filter(pk=held.pk).update(
        state=State.HELD, reason="It is dear.", not_before=timezone.now() - timedelta(hours=1)
    )
    drops = a_service(provider, "1", name="Drops", dripfeed=True)
    an_order(alice, drops, link="https://example.com/drops", runs=3, interval=60)
    mass = preview(customer=alice, text=f"{plain.pk} | https://example.com/list | 1000")
    start(mass=mass, version=mass.version, whole=False)
    Letter.objects.create(kind="password_changed", address="alice@example.com", user=alice.user)
    address = CallbackAddress.objects.create(customer=alice, url="https://example.com/hook", secret="s")
    CallbackMessage.objects.create(
        address=address, customer=alice, message_id="m", subject="order:1", event="order.status", body="{}",
        give_up_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip


def work() -> None:
    """All jobs, until nothing waits any more."""
    for _ in range(4):
        Order.objects.filter(state__in=["waiting", "held"]).update(not_before=timezone.now() - timedelta(hours=1))
        for name in JOBS:
            for scope in list(job_named(name).scopes()):
                _turn(name, str(scope))


def an_hour_passes() -> None:
    """So that what comes next lies above all that was before, and the next run of the drip-feed is due."""
    hour = timedelta(hours=1)
    attempts = Attempt.objects.filter(ended_at__isnull=False)
    attempts.update(began_at=F("began_at") - hour, ended_at=F("ended_at") - hour)
    Order.objects.filter(next_run_at__isnull=False).update(next_run_at=F("next_run_at") - hour)
    Restoration.objects.update(taken_at=F("taken_at") - hour, restored_at=F("restored_at") - hour)


def open_queues() -> None:
    for provider in Provider.objects.all():
        reopen(provider, actor=COMMAND)


def another() -> None:
    """A customer who came after."""
    customer = a_customer("10", email="bob@example.com")
    service = Order.objects.order_by("pk")[0].service
    an_order(customer, service, link="https://example.com/another")


def another_order() -> None:
    first = Order.objects.order_by("pk")[0]
    an_order(first.customer, first.service, link="https://example.com/later")


def decide(existing: Mapping[str, list[str]]) -> None:
    """The operator looks into the account: orders of these links exist there, all others do not."""
    left = {link: list(ids) for link, ids in existing.items()}
    for order in Order.objects.filter(state=State.UNKNOWN).order_by("pk"):
        ids = left.get(order.link, [])
        if ids:
            deciding.it_exists(order=order, upstream_id=ids.pop(0), actor=COMMAND, reason="seen there")
        else:
            deciding.refund_whole(order=order, actor=COMMAND, reason="not there")


def look() -> dict[str, Any]:
    orders = Order.objects.order_by("pk")
    alice = orders[0].customer
    return {
        "states": [[order.link.rpartition("/")[2], order.state] for order in orders],
        "balance": str(balance(alice)),
        "kept": str(sum(order.charge - order.refunded for order in orders.filter(customer=alice))),
        "books": verify().differences,
        "queues": sorted(Provider.objects.values_list("queue", flat=True)),
        "causes": sorted({group.cause for group in open_by_cause()}),
        "lists": list(MassOrder.objects.values_list("state", flat=True)),
        "refills": list(RefillRequest.objects.values_list("status", flat=True)),
        "letters due": Letter.objects.filter(due_at__isnull=False).count(),
        "parked": CallbackMessage.objects.filter(parked_at__isnull=False).count(),
        "highest": orders.values_list("pk", flat=True).last(),
        "keys": list(Provider.objects.values_list("key", flat=True)),
    }


def restore_without_the_guard(file: str) -> None:
    restoring.hold_back_all = lambda taken_at: {}
    call_command("restore", file, force=True)


def restore_that_breaks_off(file: str) -> str:
    def breaks(taken_at: object) -> Mapping[str, int]:
        raise CommandError("the power is gone")

    restoring.hold_back_all = breaks
    try:
        call_command("restore", file, force=True)
    except CommandError as error:
        return str(error)
    return ""


def _turn(name: str, scope: str) -> None:
    run = run_job(name, scope)
    assert run is not None, name
    assert run.error == "", run.error


if __name__ == "__main__":
    answer = globals()[sys.argv[1]](**json.loads(sys.argv[2]))
    sys.stdout.write("\n" + json.dumps(answer))
