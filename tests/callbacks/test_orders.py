"""Which changes of orders and refills are told, with which values, and what it costs to tell them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from jsonschema_rs import Draft202012Validator

from accounts.keys import issue_key
from accounts.models import Customer
from api.telling import HEADERS, events, verifying
from callbacks.models import CallbackMessage
from orders.cancelling import request_cancel
from orders.deciding import refund_whole, settle_by_hand
from orders.ending import give_back
from orders.models import Order, RefillRequest, State, Status
from orders.placing import place_orders
from orders.refilling import request_refill
from orders.story import line as told
from orders.story import tell
from providers.sandbox.server import Sandbox
from tests.callbacks.builders import Got, Receiver, an_address, delivered
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    followed,
    line,
    saying,
    sent,
    turn,
)
from tests.orders.in_runs import a_drip_feed, all_sent, finished
from tests.orders.subscribed import a_subscription, a_subscription_service

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


def messages() -> list[Any]:
    """The bodies of all messages, as they were written."""
    return [json.loads(message.body) for message in CallbackMessage.objects.order_by("pk")]


def answered(client: Any, customer: Customer, order: Order) -> Any:
    """What API v2 answers for the order at this moment."""
    _, key = issue_key(customer)
    answer = client.post("/api/v2", {"key": key, "action": "status", "order": str(order.pk)})
    return json.loads(answer.content)


def test_an_orders_life_as_its_customers_server_sees_it(
    alice: Customer, receiver: Receiver, sandbox: Sandbox, client: Any
) -> None:
    address, secret = an_address(alice, receiver)
    provider = a_provider(sandbox)
    order = an_order(alice, a_service(provider), link=saying("partial:30"))
    sent(provider, order)
    assert messages() == []  # placed and accepted it is Pending, as it was answered
    while order.state != State.ENDED:
        sandbox.clock.advance(60)
        followed(provider, order)
    delivered(address)
    assert [got.type for got in receiver.got] == ["order.status"] * len(receiver.got)
    assert [got.data["status"] for got in receiver.got][-1] == "Partial"
    assert len({got.data["status"] for got in receiver.got}) == len(receiver.got)
    last = receiver.got[-1]
    assert last.data == {"order": order.pk, **answered(client, alice, order)}
    assert Decimal(last.data["charge"]) == order.charge - order.refunded < order.charge
    assert all(got.is_signed_with(secret) for got in receiver.got)
    message = CallbackMessage.objects.order_by("pk").last()
    assert message is not None
    assert message.subject == f"order:{order.pk}"


def test_each_way_an_order_ends_tells_the_values_that_the_transaction_leaves(alice: Customer, client: Any) -> None:
    an_address(alice, "http://127.0.0.1:9/")
    service, by_hand = a_service(a_provider()), a_service(None)
    canceled, refused, refunded, settled = (
        an_order(alice, which, link=f"https://example.com/{number}")
        for number, which in enumerate((service, service, service, by_hand))
    )
    request_cancel(order=canceled, actor=OPERATOR)
    give_back(refused, why="refused", note="no", of=(State.WAITING,), told_as="refused")
    refund_whole(order=refunded, actor=OPERATOR, reason="by wish")
    settle_by_hand(order=settled, status=Status.PARTIAL, delivered=250, actor=OPERATOR, reason="counted")
    bodies = {each["data"]["order"]: each for each in messages()}
    assert len(messages()) == 4
    for order in (canceled, refused, refunded, settled):
        order.refresh_from_db()
        assert bodies[order.pk]["type"] == "order.status"
        assert bodies[order.pk]["data"] == {"order": order.pk, **answered(client, alice, order)}
    assert bodies[canceled.pk]["data"]["charge"] == "0.00"
    assert bodies[settled.pk]["data"]["remains"] == "750"


def test_a_refill_is_told_by_its_id_in_the_words_of_the_api(
    alice: Customer, receiver: Receiver, sandbox: Sandbox
) -> None:
    address, _ = an_address(alice, receiver)
    provider = a_provider(sandbox)
    order = an_order(alice, a_service(provider))
    sent(provider, order)
    while order.state != State.ENDED:
        sandbox.clock.advance(600)
        followed(provider, order)
    CallbackMessage.objects.all().delete()
    refill = request_refill(order=order, actor=OPERATOR)
    turn("send_refills", provider)
    while refill.ended_at is None:
        sandbox.clock.advance(3600)
        turn("refill_statuses", provider)
        refill.refresh_from_db()
    delivered(address)
    assert {got.type for got in receiver.got} == {"refill.status"}
    assert [got.data for got in receiver.got][0] == {"refill": refill.pk, "order": order.pk, "status": "Pending"}
    assert [got.data for got in receiver.got][-1] == {"refill": refill.pk, "order": order.pk, "status": "Completed"}


def test_a_change_that_is_rolled_back_is_not_told(alice: Customer) -> None:
    an_address(alice, "http://127.0.0.1:9/")
    order = an_order(alice, a_service(a_provider()))
    with transaction.atomic():
        request_cancel(order=order, actor=OPERATOR)
        transaction.set_rollback(True)
    assert messages() == []
    request_cancel(order=order, actor=OPERATOR)
    assert len(messages()) == 1


@pytest.mark.parametrize("kind", ["accepted", "held", "rerouted", "unknown", "review", "cancel_asked", "note"])
def test_what_happens_behind_the_scenes_is_not_told(alice: Customer, kind: str) -> None:
    an_address(alice, "http://127.0.0.1:9/")
    order = an_order(alice, a_service(a_provider()))
    with transaction.atomic():
        tell([told(order, kind)])
    assert messages() == []


def test_the_runs_of_a_drip_feed_are_not_told(alice: Customer) -> None:
    an_address(alice, "http://127.0.0.1:9/")
    parent = an_order(alice, a_service(a_provider()))
    parent.parent_id = parent.pk  # as a run has one
    with transaction.atomic():
        tell([told(parent, "status")])
    assert messages() == []


def test_each_runs_refill_of_a_drip_feed_is_told_under_the_drip_feeds_number(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    parent = a_drip_feed(provider, runs=2, refill=True)
    an_address(parent.customer, "http://127.0.0.1:9/")
    runs = all_sent(parent, provider)
    finished(sandbox, provider, parent, *runs)
    CallbackMessage.objects.all().delete()
    request_refill(order=parent, actor=OPERATOR)
    turn("send_refills", provider)
    sandbox.finish_all()
    turn("refill_statuses", provider)
    refills = {refill.pk for refill in RefillRequest.objects.all()}
    told_of = [message["data"] for message in messages() if message["type"] == "refill.status"]
    assert {each["refill"] for each in told_of} == refills
    assert len(refills) == 2
    assert {each["order"] for each in told_of} == {parent.pk}
    assert [each["status"] for each in told_of][-1] == "Completed"
    assert {message.subject for message in CallbackMessage.objects.all()} == {f"order:{parent.pk}"}


def some_orders(customer: Customer, number: int) -> list[Order]:
    service = a_service(a_provider())
    lines = [line(service, 50, f"https://example.com/{each}") for each in range(number)]
    return place_orders(customer=customer, lines=lines)


def statements(orders: list[Order]) -> int:
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        tell([told(order, "status") for order in orders])
    return len(queries)


def test_a_thousand_changes_cost_a_few_statements() -> None:
    rich = a_customer("1000")
    orders = some_orders(rich, 1000)
    inserts = 2 if connection.vendor == "postgresql" else 7  # SQLite is given fewer values a statement
    assert statements(orders) == inserts + 1  # and one look at who listens
    an_address(rich, "http://127.0.0.1:9/")
    assert statements(orders) <= inserts + 1 + 20
    assert CallbackMessage.objects.count() == 1000


def test_a_batch_without_news_asks_nothing() -> None:
    orders = some_orders(a_customer("100"), 3)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        tell([told(order, "held") for order in orders])
    assert len(queries) == 1


def test_what_is_sent_is_what_the_documents_say_and_their_examples_verify_it(
    alice: Customer, receiver: Receiver, tmp_path: Path
) -> None:
    address, secret = an_address(alice, receiver)
    order = an_order(alice, a_service(a_provider()))
    give_back(order, why="canceled", note="", of=(State.WAITING,))
    delivered(address)
    [got] = receiver.got
    described = {event.type: event for event in events()}[got.type]
    assert set(got.data) == set(described.data)
    Draft202012Validator(dict(described.schema)).validate(got.data)
    assert {header.name for header in HEADERS} == {name for name in got.headers if name.startswith("webhook-")}
    curl, python, _, javascript = (example.code for example in verifying())
    documented = re.search(r"```python\n(.*?)\n```", (ROOT / "docs/callbacks.md").read_text(), re.S)
    assert documented is not None
    assert documented.group(1) == python
    _python_verifies(python, got, secret)
    if shutil.which("node"):
        _node_verifies(javascript, got, secret, tmp_path)
    if shutil.which("openssl"):
        values = {"id": got.id, "timestamp": got.headers["webhook-timestamp"], "secret": secret}
        (tmp_path / "body.json").write_text(got.body)
        said = subprocess.run(
            ["sh", "-c", curl], env=os.environ | values, cwd=tmp_path, check=True, capture_output=True, text=True
        )
        assert got.headers["webhook-signature"] == f"v1,{said.stdout.strip()}"


def _python_verifies(code: str, got: Got, secret: str) -> None:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the example as a reader copies it
    assert names["verified"](got.headers, got.body.encode(), secret)["data"] == got.data
    with pytest.raises(ValueError, match="wrong signature"):
        names["verified"](got.headers, got.body.encode() + b" ", secret)
    with pytest.raises(ValueError, match="too old"):
        names["verified"]({**got.headers, "webhook-timestamp": "1"}, got.body.encode(), secret)


def _node_verifies(code: str, got: Got, secret: str, folder: Path) -> None:
    given = json.dumps({"headers": dict(got.headers), "body": got.body, "secret": secret})
    (folder / "verify.mjs").write_text(
        f"{code}\nconst given = {given};\n"
        "console.log(JSON.stringify(verified(given.headers, given.body, given.secret)));\n"
        "try { verified(given.headers, given.body + ' ', given.secret); } catch (error) { console.log(error.message); }"
    )
    said = subprocess.run(["node", "verify.mjs"], cwd=folder, check=True, capture_output=True, text=True).stdout
    message, refusal = said.splitlines()
    assert json.loads(message)["data"] == got.data
    assert refusal == "wrong signature"


def test_a_drip_feed_is_told_as_what_was_sold_with_what_it_has_cost_in_the_end(
    alice: Customer, receiver: Receiver, sandbox: Sandbox, client: Any
) -> None:
    an_address(alice, receiver)
    provider = a_provider(sandbox)
    order = an_order(alice, a_service(provider, dripfeed=True), link=saying("partial:30"), runs=2, interval=60)
    turn("run_series")
    sent(provider)
    request_cancel(order=order, actor=OPERATOR)  # the first run is with the provider, the second is given back
    sandbox.finish_all()
    followed(provider, order)
    assert order.state == State.ENDED
    last = messages()[-1]["data"]
    assert last == {"order": order.pk, **answered(client, alice, order)}
    assert (last["status"], Decimal(last["charge"])) == ("Partial", order.charge - order.refunded)
    assert {message["data"]["order"] for message in messages()} == {order.pk}  # the runs are nobody's to ask for


def test_the_end_of_a_subscription_is_told_with_what_was_taken(alice: Customer, receiver: Receiver) -> None:
    an_address(alice, receiver)
    provider = a_provider()
    order = a_subscription(alice, a_subscription_service(provider))
    request_cancel(order=order, actor=OPERATOR)
    order.refresh_from_db()
    last = messages()[-1]["data"]
    assert (last["status"], last["charge"], last["posts"]) == ("Canceled", "0.00", 0)
