"""The contract, line by line: types of fields, spellings, order of ids, error texts (dialect §3 and the seed)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from api.errors import TOO_MANY_IDS
from orders.models import Order, State, Status
from providers.sandbox.server import Sandbox
from tests.api_v2.builders import Reseller, a_reseller, answer
from tests.orders.builders import LINK, a_provider, a_service, an_order, balance, followed, saying, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(sandbox: Sandbox) -> object:
    return a_service(a_provider(sandbox))


def test_both_addresses_answer_with_and_without_the_slash(rita: Reseller) -> None:
    assert answer(rita.raw("balance", address="/api/v2")) == answer(rita.raw("balance", address="/api/v2/"))


def test_balance_is_two_strings(rita: Reseller) -> None:
    assert rita.call("balance") == {"balance": "100.00", "currency": "USD"}


def test_services_is_a_list_with_the_types_that_clients_expect(rita: Reseller) -> None:
    service = a_service(None, rate="0.90", name="Followers ⭐", description="Fast", dripfeed=True)
    [listed] = rita.call("services")
    assert listed == {
        "service": service.pk, "name": "Followers ⭐", "type": "Default", "category": "Followers", "rate": "0.90",
        "min": "50", "max": "10000", "refill": True, "cancel": True, "dripfeed": True, "desc": "Fast",
    }  # fmt: skip


def test_the_rate_shown_is_the_rate_charged_to_the_last_digit(rita: Reseller) -> None:
    service = a_service(None, rate="0.333333")
    [listed] = rita.call("services")
    made = rita.call("add", service=service.pk, link=LINK, quantity=1000)
    assert Order.objects.get(pk=made["order"]).charge == Decimal(listed["rate"]) == Decimal("0.333333")


def test_add_answers_an_int_and_charges(rita: Reseller) -> None:
    service = a_service(None)
    made = rita.call("add", service=service.pk, link=LINK, quantity=1000)
    assert isinstance(made["order"], int)
    assert list(made) == ["order"]
    assert balance(rita.customer) == Decimal("98.875")


def test_json_bodies_and_numbers_as_text_or_ints_mean_the_same(rita: Reseller) -> None:
    service = a_service(None)
    for fields in ({"service": service.pk, "quantity": 100}, {"service": str(service.pk), "quantity": "100"}):
        made = rita.call_json("add", link=LINK, **fields)
        assert Order.objects.get(pk=made["order"]).quantity == 100


def test_before_anything_is_known_an_order_is_pending_and_all_remains(rita: Reseller) -> None:
    order = an_order(rita.customer, a_service(None))
    assert rita.call("status", order=order.pk) == {
        "charge": "1.125", "start_count": "0", "status": "Pending", "remains": "1000", "currency": "USD",
    }  # fmt: skip


@pytest.mark.parametrize("state", [State.WAITING, State.SENDING, State.UNKNOWN, State.HELD, State.QUEUED])
def test_what_is_not_with_a_provider_yet_reads_pending(rita: Reseller, state: State) -> None:
    order = an_order(rita.customer, a_service(None))
    Order.objects.filter(pk=order.pk).update(state=state)
    assert rita.call("status", order=order.pk)["status"] == "Pending"


@pytest.mark.parametrize(("remains", "said"), [(-5, "0"), (400, "400"), (5000, "1000"), (None, "1000")])
def test_remains_is_never_negative_and_never_above_the_quantity(rita: Reseller, remains: int | None, said: str) -> None:
    order = an_order(rita.customer, a_service(None))
    Order.objects.filter(pk=order.pk).update(remains=remains, status=Status.IN_PROGRESS)
    assert rita.call("status", order=order.pk)["remains"] == said


@pytest.mark.django_db(transaction=True)
def test_charge_is_what_the_order_has_cost_so_far(rita: Reseller, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(rita.customer, a_service(provider), link=saying("partial:30"))
    sent(provider, order)
    sandbox.finish_all()
    followed(provider, order)
    found = rita.call("status", order=order.pk)
    assert (found["status"], found["charge"], found["remains"]) == ("Partial", "0.3375", "700")


def test_many_statuses_are_keyed_as_the_ids_were_sent_and_in_that_order(rita: Reseller) -> None:
    service = a_service(None)
    first, second = an_order(rita.customer, service), an_order(rita.customer, service)
    others = an_order(a_reseller(email="otto@example.com").customer, service)
    response = rita.raw("status", orders=f"{second.pk},0{first.pk}, {others.pk},nonsense,{second.pk}")
    found = answer(response)
    assert list(found) == [str(second.pk), f"0{first.pk}", str(others.pk), "nonsense"]
    assert found[str(second.pk)]["status"] == found[f"0{first.pk}"]["status"] == "Pending"
    assert found[str(others.pk)] == found["nonsense"] == {"error": "Incorrect order ID"}


def test_more_than_a_hundred_ids_are_one_clear_error(rita: Reseller) -> None:
    assert rita.call("status", orders=",".join(str(n) for n in range(1, 102))) == {"error": TOO_MANY_IDS.format(100)}
    assert len(rita.call("status", orders=",".join(str(n) for n in range(1, 101)))) == 100


def test_another_customers_order_does_not_exist(rita: Reseller) -> None:
    order = an_order(a_reseller(email="otto@example.com").customer, a_service(None))
    for action in ("status", "cancel", "refill"):
        assert rita.call(action, order=order.pk) == {"error": "Incorrect order ID"}
    order.refresh_from_db()
    assert order.cancels.count() == 0


def test_cancel_of_one_is_the_seeds_form(rita: Reseller, sandbox: Sandbox) -> None:
    order = an_order(rita.customer, a_service(a_provider(sandbox)))
    assert rita.call("cancel", order=order.pk) == {
        "status": "success", "message": "Cancellation request added, we'll try our best to cancel it.",
    }  # fmt: skip
    assert rita.call("cancel", order=order.pk) == {"error": "Order cannot be canceled"}
    assert balance(rita.customer) == 100


def test_cancel_of_many_is_the_list_form_also_for_one_id(rita: Reseller, sandbox: Sandbox) -> None:
    order = an_order(rita.customer, a_service(a_provider(sandbox)))
    assert rita.call("cancel", orders=f"{order.pk}") == [{"order": order.pk, "cancel": 1}]
    assert rita.call("cancel", orders=f"{order.pk},999") == [
        {"order": order.pk, "cancel": {"error": "Order cannot be canceled"}},
        {"order": 999, "cancel": {"error": "Incorrect order ID"}},
    ]


def test_the_words_of_a_status_are_those_of_api_v2(rita: Reseller) -> None:
    order = an_order(rita.customer, a_service(None))
    words = {"Pending", "In progress", "Processing", "Completed", "Partial", "Canceled"}
    for word in words:
        final = word in ("Completed", "Partial", "Canceled")
        state, ended_at = (State.ENDED, timezone.now()) if final else (State.WAITING, None)
        Order.objects.filter(pk=order.pk).update(status=word, state=state, ended_at=ended_at)
        assert rita.call("status", order=order.pk)["status"] == word


@pytest.mark.django_db(transaction=True)
def test_what_was_refused_and_refunded_reads_canceled_and_has_cost_nothing(rita: Reseller, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(rita.customer, a_service(provider), link=saying("refuse:link"))
    sent(provider, order)
    found = rita.call("status", order=order.pk)
    assert (found["status"], found["charge"]) == ("Canceled", "0.00")
    assert rita.call("balance")["balance"] == "100.00"


def test_start_count_and_remains_follow_later_corrections(rita: Reseller) -> None:
    order = an_order(rita.customer, a_service(None))
    for start_count, remains in ((3572, 157), (3600, 160)):
        Order.objects.filter(pk=order.pk).update(
            start_count=start_count, remains=remains, status=Status.IN_PROGRESS
        )
        found = rita.call("status", order=order.pk)
        assert (found["start_count"], found["remains"]) == (str(start_count), str(remains))


def test_a_drip_feed_answers_runs_and_orders_and_a_subscription_posts_expiry_and_orders(rita: Reseller) -> None:
    drip = an_order(rita.customer, a_service(None, dripfeed=True), 100, runs=2, interval=60)
    assert rita.call("status", order=drip.pk) == {
        "charge": "0.225", "status": "Pending", "runs": 0, "orders": [], "currency": "USD",
    }  # fmt: skip
    service = a_service(None, "2", type="subscriptions")
    fields = {"service": service.pk, "username": "anna", "min": 100, "max": 110, "posts": 2, "delay": 30}
    subscription = rita.call("add", **fields, expiry="11/11/2099")["order"]
    assert rita.call("status", order=subscription) == {
        "charge": "0.2475", "status": "Active", "posts": 0, "expiry": "11/11/2099", "orders": [], "currency": "USD",
    }  # fmt: skip


def test_errors_are_english_in_every_language(rita: Reseller) -> None:
    rita.client.cookies["django_language"] = "ru"
    for headers in ({"Accept-Language": "ru"}, {"Accept-Language": "de;q=1, *;q=0.1"}):
        assert answer(rita.raw("add", headers=headers, service="999999")) == {"error": "Incorrect service ID"}
        assert answer(rita.raw("status", headers=headers, order="7")) == {"error": "Incorrect order ID"}


@pytest.mark.django_db(transaction=True)
def test_the_words_of_a_provider_are_never_a_customers(rita: Reseller, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    sandbox.faults.add("add", "answer", '{"error": "Insufficient balance of panel XYZ"}', times=1)
    order = an_order(rita.customer, a_service(provider))
    sent(provider, order)
    assert "XYZ" not in rita.raw("status", order=order.pk).content.decode()


def test_one_id_in_orders_is_answered_in_the_form_of_many_as_text_and_as_a_number(
    rita: Reseller, sandbox: Sandbox
) -> None:
    service = a_service(a_provider(sandbox))
    for number, form in enumerate((str, int)):
        order = an_order(rita.customer, service, link=f"{LINK}{number}")
        status = rita.call_json("status", orders=form(order.pk))
        assert status[str(order.pk)]["status"] == "Pending"
        assert rita.call_json("refill", orders=form(order.pk)) == [
            {"order": order.pk, "refill": {"error": "Order not eligible for refill."}}
        ]
        assert rita.call_json("cancel", orders=form(order.pk)) == [{"order": order.pk, "cancel": 1}]


@pytest.mark.parametrize("action", ["status", "refill", "cancel"])
def test_a_repeated_id_is_answered_once(rita: Reseller, action: str) -> None:
    order = an_order(rita.customer, a_service(None))
    found = rita.call(action, orders=f"{order.pk},{order.pk}")
    assert len(found) == 1


@pytest.mark.parametrize("action", ["refill", "cancel", "refill_status"])
def test_more_than_a_hundred_ids_are_refused_whole_by_every_action(rita: Reseller, action: str) -> None:
    name = "refills" if action == "refill_status" else "orders"
    ids = ",".join(str(number) for number in range(1, 102))
    assert rita.call(action, **{name: ids}) == {"error": TOO_MANY_IDS.format(100)}


@pytest.mark.django_db(transaction=True)
def test_refills_of_one_and_of_many(rita: Reseller, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    service = a_service(provider)
    done, other = an_order(rita.customer, service), an_order(rita.customer, service, link=f"{LINK}2")
    sent(provider)
    sandbox.finish_all()
    followed(provider, done, other)
    made = rita.call("refill", order=done.pk)
    assert list(made) == ["refill"]
    assert isinstance(made["refill"], str)
    nested = rita.call("refill", orders=f"{done.pk},{other.pk},7")
    assert nested[0] == {"order": done.pk, "refill": {"error": "Order not eligible for refill."}}
    assert isinstance(nested[1]["refill"], int)
    assert nested[2] == {"order": 7, "refill": {"error": "Incorrect order ID"}}
    assert rita.call("refill_status", refill=made["refill"]) == {"status": "Pending"}
    assert rita.call("refill_status", refills=f"{made['refill']},999") == [
        {"refill": int(made["refill"]), "status": "Pending"},
        {"refill": 999, "status": {"error": "Incorrect refill ID"}},
    ]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "Incorrect request"),
        ({"service": "x"}, "Incorrect service ID"),
        ({"service": "999999"}, "Incorrect service ID"),
        ({"link": LINK, "quantity": "49"}, "Quantity less than minimal 50"),
        ({"link": LINK, "quantity": "10001"}, "Quantity more than maximum 10000"),
        ({"link": "no link at all", "quantity": "100"}, "Bad link"),
        ({"link": LINK}, "Incorrect request: Quantity is required."),
        ({"link": LINK, "quantity": "10000", "service": "dear"}, "Not enough funds on balance"),
    ],
)
def test_errors_of_an_order_are_those_that_clients_know(rita: Reseller, fields: dict[str, str], error: str) -> None:
    service = a_service(None)
    dear = a_service(None, "2", rate="1000")
    if fields and "service" not in fields:
        fields = {**fields, "service": str(service.pk)}
    if fields.get("service") == "dear":
        fields = {**fields, "service": str(dear.pk)}
    assert rita.call("add", **fields) == {"error": error}
    assert balance(rita.customer) == 100
    assert not Order.objects.exists()


def test_errors_of_the_call(rita: Reseller) -> None:
    assert rita.call("fly") == {"error": "Unknown action specified!"}
    assert answer(rita.client.post("/api/v2", {"key": rita.key})) == {"error": "Incorrect request"}
    assert answer(rita.client.post("/api/v2", {"key": "nonsense", "action": "balance"})) == {"error": "Invalid API key"}
    assert answer(rita.client.post("/api/v2")) == {"error": "Invalid API key"}
    assert rita.call("status") == {"error": "Incorrect request"}
    assert rita.call("status", order="7") == {"error": "Incorrect order ID"}
    assert rita.call("refill_status", refill="7") == {"error": "Incorrect refill ID"}


def test_a_key_in_the_address_is_refused_even_when_it_is_right(rita: Reseller) -> None:
    for response in (
        rita.client.get(f"/api/v2?key={rita.key}&action=balance"),
        rita.client.post(f"/api/v2?key={rita.key}", {"key": rita.key, "action": "balance"}),
    ):
        assert answer(response)["error"].startswith("Send the key in the body")
    assert answer(rita.client.get("/api/v2")) == {"error": "Send a POST request"}
