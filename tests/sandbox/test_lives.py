"""How orders fare over time: by themselves, by a word in their link, by cancel and by refill."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from providers.sandbox.server import Sandbox
from tests.sandbox.builders import FAST_LIKES, FOLLOWERS, ORDERS, PACKAGE, ask, place, status


def test_an_order_goes_from_pending_to_completed_within_a_minute(sandbox: Sandbox) -> None:
    order = place(sandbox)
    assert status(sandbox, order)["status"] == "Pending"
    sandbox.advance(10)
    first = status(sandbox, order)
    sandbox.advance(10)
    second = status(sandbox, order)
    assert first["status"] == second["status"] == "In progress"
    assert 1000 > int(first["remains"]) > int(second["remains"]) > 0
    assert first["start_count"] == second["start_count"]
    sandbox.advance(40)
    assert (status(sandbox, order)["status"], status(sandbox, order)["remains"]) == ("Completed", "0")
    assert sandbox.journal.statuses(order) == ["Pending", "In progress", "Completed"]


def test_one_leap_of_the_clock_ends_as_many_steps_do() -> None:
    def journal_after(steps: list[float]) -> list[object]:
        with Sandbox() as sandbox:
            sandbox.clock.shown = 1_000_000.0
            for word in ("", "partial:30", "cancel", "fail"):
                place(sandbox, word)
            place(sandbox, runs=3, interval=5)
            for step in steps:
                sandbox.advance(step)
            return [(entry["clock"], entry["order"], entry["status"]) for entry in sandbox.journal.of("status")]

    assert journal_after([600.0]) == journal_after([1.0] * 600)


def test_the_clock_stands_still_unless_told(sandbox: Sandbox) -> None:
    before = sandbox.clock.now()
    assert sandbox.clock.now() == before
    sandbox.advance(5)
    assert sandbox.clock.now() == before + 5
    with pytest.raises(ValueError, match="does not go back"):
        sandbox.advance(-1)


def test_a_running_clock_needs_nobody(sandbox: Sandbox) -> None:
    order = place(sandbox)
    sandbox.run_at(1_000_000)
    while status(sandbox, order)["status"] != "Completed":
        time.sleep(0.01)
    assert sandbox.journal.statuses(order)[-1] == "Completed"


@pytest.mark.parametrize(
    ("word", "word_at_last", "remains", "charge"),
    [
        ("partial", "Partial", "500", "0.45"),
        ("partial:30", "Partial", "700", "0.27"),
        ("partial:0", "Canceled", "1000", "0"),
        ("partial%3A30", "Partial", "700", "0.27"),
        ("cancel", "Canceled", "1000", "0"),
        ("cancel_late", "Canceled", "500", "0"),
        ("cancel_keep:20", "Canceled", "500", "0.18"),
        ("fail", "Fail", "0", "0.9"),
        ("pending", "Pending", "1000", "0.9"),
        ("stuck", "In progress", "1000", "0.9"),
        ("slow", "Completed", "0", "0.9"),
        ("fast,partial:10", "Partial", "900", "0.09"),
    ],
)
def test_a_word_in_the_link_decides_the_ending(
    sandbox: Sandbox, word: str, word_at_last: str, remains: str, charge: str
) -> None:
    order = place(sandbox, word)
    sandbox.finish_all()
    answer = status(sandbox, order)
    assert (answer["status"], answer["remains"], answer["charge"]) == (word_at_last, remains, charge)
    assert sandbox.opening - sandbox.balance == Decimal(charge)


def test_slow_and_fast_orders_take_their_time(sandbox: Sandbox) -> None:
    slow, fast = place(sandbox, "slow"), place(sandbox, "fast")
    sandbox.advance(60)
    assert (status(sandbox, slow)["status"], status(sandbox, fast)["status"]) == ("Pending", "Completed")


def test_a_partial_package_costs_its_share(sandbox: Sandbox) -> None:
    order = place(sandbox, "partial:30", service=PACKAGE)
    sandbox.finish_all()
    assert (status(sandbox, order)["status"], status(sandbox, order)["charge"]) == ("Partial", "0.075")


def test_shares_of_all_orders_end_badly_and_always_the_same() -> None:
    def endings() -> list[str]:
        with Sandbox(partial=0.3, cancel=0.3, seed=7) as sandbox:
            orders = [place(sandbox, quantity=50) for _ in range(40)]
            sandbox.finish_all()
            return [sandbox.orders[order].status for order in orders]

    first = endings()
    assert set(first) == {"Completed", "Partial", "Canceled"}
    assert first == endings()


def test_a_service_may_have_its_own_shares(sandbox: Sandbox) -> None:
    orders = [place(sandbox, service=62, quantity=10) for _ in range(30)]
    sandbox.finish_all()
    assert {sandbox.orders[order].status for order in orders} == {"Completed", "Partial"}


# Cancel


def test_an_order_that_has_not_started_is_canceled_in_full(sandbox: Sandbox) -> None:
    order = place(sandbox, "pending")
    ask(sandbox, "cancel", order=order)
    assert status(sandbox, order)["status"] == "Pending", "asked for is not done"
    sandbox.advance(5)
    assert (status(sandbox, order)["status"], status(sandbox, order)["charge"]) == ("Canceled", "0")
    assert sandbox.balance == sandbox.opening


def test_an_order_in_progress_is_canceled_in_part(sandbox: Sandbox) -> None:
    order = place(sandbox)
    sandbox.advance(15)
    ask(sandbox, "cancel", order=order)
    ask(sandbox, "cancel", order=order)
    sandbox.advance(5)
    answer = status(sandbox, order)
    delivered = 1000 - int(answer["remains"])
    assert answer["status"] == "Partial"
    assert 0 < delivered < 1000
    assert Decimal(answer["charge"]) == Decimal("0.9") * delivered / 1000
    assert len(sandbox.journal.refunds(order)) == 1


def test_an_order_that_is_done_first_is_not_canceled(sandbox: Sandbox) -> None:
    order = place(sandbox, "fast")
    ask(sandbox, "cancel", order=order)
    sandbox.advance(60)
    assert sandbox.journal.statuses(order)[-1] in {"Completed", "Partial"}
    assert ask(sandbox, "cancel", order=order) == {"error": "Order can not be canceled"}


def test_cancel_is_refused_where_the_service_has_none(sandbox: Sandbox) -> None:
    order = place(sandbox, service=42, quantity=10)
    assert ask(sandbox, "cancel", order=order) == {"error": "Order can not be canceled"}
    refusing = place(sandbox, "cancel_refused")
    assert ask(sandbox, "cancel", order=refusing) == {"error": "Order can not be canceled"}


def test_a_cancel_may_be_promised_and_forgotten(sandbox: Sandbox) -> None:
    order = place(sandbox, "cancel_ignored")
    assert ask(sandbox, "cancel", order=order)["status"] == "success"
    sandbox.finish_all()
    assert status(sandbox, order)["status"] == "Completed"
    assert [entry["honoured"] for entry in sandbox.journal.cancels()] == [False]


def test_a_package_in_progress_is_canceled_by_its_time(sandbox: Sandbox) -> None:
    order = place(sandbox, service=PACKAGE)
    sandbox.advance(15)
    ask(sandbox, "cancel", order=order)
    sandbox.advance(5)
    answer = status(sandbox, order)
    assert answer["status"] == "Partial"
    assert 0 < Decimal(answer["charge"]) < Decimal("0.25")


# Refill


@pytest.mark.parametrize(
    ("word", "service"), [("cancel", FOLLOWERS), ("partial", FOLLOWERS), ("stuck", FOLLOWERS), ("", FAST_LIKES)]
)
def test_only_a_completed_order_of_a_refill_service_is_refilled(sandbox: Sandbox, word: str, service: int) -> None:
    order = place(sandbox, word, service=service)
    sandbox.finish_all()
    assert ask(sandbox, "refill", order=order) == {"error": "Order not eligible for refill."}


def test_one_refill_at_a_time(sandbox: Sandbox) -> None:
    order = place(sandbox)
    sandbox.finish_all()
    first = ask(sandbox, "refill", order=order)["refill"]
    assert ask(sandbox, "refill", order=order) == {"error": "Order not eligible for refill."}
    sandbox.finish_all()
    second = ask(sandbox, "refill", order=order)["refill"]
    assert int(second) == int(first) + 1
    assert [entry["refill"] for entry in sandbox.journal.refills()] == [int(first), int(second)]


def test_a_word_in_the_link_has_refills_rejected_or_refused(sandbox: Sandbox) -> None:
    rejected, refused = place(sandbox, "refill_rejected"), place(sandbox, "refill_refused")
    sandbox.finish_all()
    refill = ask(sandbox, "refill", order=rejected)["refill"]
    sandbox.finish_all()
    assert ask(sandbox, "refill_status", refill=refill) == {"status": "Rejected"}
    assert ask(sandbox, "refill", order=refused) == {"error": "Order not eligible for refill."}


# Drip-feed


def test_a_drip_feed_makes_an_order_for_each_run(sandbox: Sandbox) -> None:
    drip = place(sandbox, runs=3, interval=10)
    assert status(sandbox, drip) == {"status": "Pending", "runs": 0}
    sandbox.advance(10)
    assert status(sandbox, drip) == {"status": "In Progress", "runs": 1}
    sandbox.advance(10)
    assert status(sandbox, drip) == {"status": "In Progress", "runs": 2}
    sandbox.finish_all()
    assert status(sandbox, drip) == {"status": "Completed", "runs": 3}
    parts = [order for order in sandbox.orders.values() if order.parent == drip]
    assert [(part.quantity, part.charge, part.status) for part in parts] == [(1000, 900_000, "Completed")] * 3
    assert len(sandbox.journal.orders()) == 1, "runs are not charged again"


@pytest.mark.parametrize(("word", "ending", "charge"), [("partial:30", "Partial", "0.81"), ("cancel", "Canceled", "0")])
def test_a_drip_feed_ends_as_its_runs_do(sandbox: Sandbox, word: str, ending: str, charge: str) -> None:
    drip = place(sandbox, word, runs=3, interval=10)
    sandbox.finish_all()
    assert status(sandbox, drip)["status"] == ending
    assert sandbox.opening - sandbox.balance == Decimal(charge)


def test_a_canceled_drip_feed_keeps_the_runs_that_were_made(sandbox: Sandbox) -> None:
    drip = place(sandbox, runs=3, interval=100)
    sandbox.advance(20)
    ask(sandbox, "cancel", order=drip)
    sandbox.finish_all()
    assert status(sandbox, drip) == {"status": "Partial", "runs": 1}
    assert sandbox.opening - sandbox.balance == Decimal("0.9")


def test_an_odd_price_is_divided_among_the_runs_without_rest(sandbox: Sandbox) -> None:
    drip = place(sandbox, service=12, quantity=101, runs=7, interval=1)
    sandbox.finish_all()
    parts = [order.charge for order in sandbox.orders.values() if order.parent == drip]
    assert sum(parts) == sandbox.orders[drip].charge == 2475  # ⌈0.0035 × 707 ÷ 1000⌉, in millionths


# Subscriptions


def test_a_subscription_delivers_to_each_post_and_gives_the_rest_back(sandbox: Sandbox) -> None:
    order = place(sandbox, **ORDERS["Subscriptions"])
    assert status(sandbox, order) == {"status": "Active", "posts": 0}
    sandbox.finish_all()
    assert status(sandbox, order) == {"status": "Completed", "posts": 3}
    parts = [part for part in sandbox.orders.values() if part.parent == order]
    assert all(20 <= part.quantity <= 50 for part in parts)
    assert sandbox.orders[order].charge == 320 * sum(part.quantity for part in parts)


def test_a_subscription_without_a_number_of_posts_pays_post_by_post(sandbox: Sandbox) -> None:
    fields = {name: value for name, value in ORDERS["Subscriptions"].items() if name != "posts"}
    answer = ask(sandbox, "add", **fields)
    assert sandbox.balance == sandbox.opening
    sandbox.advance(60)
    assert status(sandbox, answer["order"])["status"] == "Active"
    charges = [Decimal(entry["amount"]) for entry in sandbox.journal.of("charge")]
    assert len(charges) == status(sandbox, answer["order"])["posts"] > 3
    assert sandbox.opening - sandbox.balance == sum(charges)


def test_a_subscription_that_cannot_be_paid_is_paused() -> None:
    with Sandbox(balance="0.02") as sandbox:
        order = ask(sandbox, "add", service=13, username="ann", min=50, max=50, delay=0)["order"]
        sandbox.advance(60)
        assert status(sandbox, order) == {"status": "Paused", "posts": 1}


def test_a_subscription_expires_at_the_end_of_its_day(sandbox: Sandbox) -> None:
    today = datetime.fromtimestamp(sandbox.clock.now(), tz=UTC)
    evening = today.replace(hour=23, minute=0) + timedelta(days=1)
    sandbox.advance(evening.timestamp() - sandbox.clock.now())
    fields = ORDERS["Subscriptions"] | {"posts": "1000", "expiry": f"{evening:%d/%m/%Y}"}
    order = ask(sandbox, "add", **fields)["order"]
    sandbox.advance(1800)
    assert status(sandbox, order)["status"] == "Active"
    sandbox.advance(3600)
    assert status(sandbox, order)["status"] == "Expired"


def test_old_posts_are_served_at_once(sandbox: Sandbox) -> None:
    order = place(sandbox, **(ORDERS["Subscriptions"] | {"old_posts": "2"}))
    sandbox.advance(10)
    assert status(sandbox, order)["posts"] >= 2


def test_a_canceled_subscription_keeps_what_was_delivered(sandbox: Sandbox) -> None:
    order = place(sandbox, **(ORDERS["Subscriptions"] | {"posts": "50"}))
    sandbox.advance(30)
    ask(sandbox, "cancel", order=order)
    sandbox.finish_all()
    parts = [part.charge for part in sandbox.orders.values() if part.parent == order]
    assert status(sandbox, order)["status"] == "Canceled"
    assert 0 < sandbox.orders[order].charge == sum(parts)


# By hand


def test_an_order_can_be_ended_by_hand_and_money_follows(sandbox: Sandbox) -> None:
    canceled, partial, kept = place(sandbox), place(sandbox), place(sandbox)
    sandbox.set_order(canceled, status="Canceled")
    sandbox.set_order(partial, status="Partial", remains=400)
    sandbox.set_order(kept, status="Canceled", charge="0.3")
    answers = [status(sandbox, order) for order in (canceled, partial, kept)]
    assert [answer["charge"] for answer in answers] == ["0", "0.54", "0.3"]
    assert answers[1]["remains"] == "400"
    assert sandbox.balance == sandbox.opening - Decimal("0.84")


def test_an_ended_order_can_be_contradicted(sandbox: Sandbox) -> None:
    order = place(sandbox)
    sandbox.set_order(order, status="Canceled")
    sandbox.set_order(order, status="Completed")
    assert status(sandbox, order)["status"] == "Completed"
    sandbox.set_order(order, charge="0.1")
    assert sandbox.balance == sandbox.opening - Decimal("0.1")


def test_remains_set_by_hand_fall_no_more(sandbox: Sandbox) -> None:
    order = place(sandbox)
    sandbox.advance(15)
    sandbox.set_order(order, remains=2000)
    sandbox.advance(2)
    assert status(sandbox, order)["remains"] == "2000"


def test_an_order_that_is_not_there_cannot_be_set(sandbox: Sandbox) -> None:
    with pytest.raises(KeyError, match="there is no order 5"):
        sandbox.set_order(5, status="Completed")


def test_the_balance_can_be_set(sandbox: Sandbox) -> None:
    sandbox.set_balance("12.5")
    assert ask(sandbox, "balance")["balance"] == "12.5"
    assert sandbox.journal.of("top_up")[0]["amount"] == "-987.5"


def test_followers_are_service_one(sandbox: Sandbox) -> None:
    assert sandbox.services[FOLLOWERS]["refill"] is True
