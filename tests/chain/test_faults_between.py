"""The line between the two panels fails, and the books of both agree all the same: nothing is there twice or lost."""

from __future__ import annotations

import pytest

from orders.models import Attempt, Order
from providers.models import Provider
from tests.chain.scene import Chain
from tests.chain.wire import DONE, LOST

PAGE = "https://example.com/chain"


@pytest.mark.parametrize("kind", [*LOST, *DONE])
def test_an_order_whose_answer_failed_is_there_once(chain: Chain, kind: str) -> None:
    Provider.objects.update(resend_when_not_placed=True)
    first = chain.add(1, link=f"{PAGE}/first", quantity=100)
    chain.send()
    chain.wire.break_next("add", kind)
    orders = [first, *(chain.add(1, link=f"{PAGE}/{number}", quantity=200 + number) for number in range(4))]
    chain.send()
    chain.rest(twice=True)  # ids rise: whether it is there can be told when one was given long after it
    orders.append(chain.add(1, link=f"{PAGE}/later", quantity=300))
    chain.until_all_ended()
    assert chain.wire.hit[kind] >= 1
    assert Attempt.objects.filter(outcome=Attempt.Outcome.UNKNOWN).count() == 1
    answers = chain.rita.call("status", orders=",".join(map(str, orders)))
    assert {answer["status"] for answer in answers.values()} == {"Completed"}
    chain.agree()


@pytest.mark.parametrize("kind", ["never_arrives", "answer_cut", "answer_replaced"])
def test_all_actions_fail_and_are_asked_again(chain: Chain, kind: str) -> None:
    done = chain.add(1, link=f"{PAGE}/done", quantity=100)
    chain.until_all_ended()
    stopped = chain.add(1, link=f"{PAGE}/stopped?sandbox=pending", quantity=300)
    partial = chain.add(1, link=f"{PAGE}/partial?sandbox=partial:40", quantity=301)
    chain.send()
    for action in ("status", "cancel", "refill_status", "balance"):
        chain.wire.break_next(action, kind)
    refill = chain.rita.call("refill", order=done)["refill"]
    assert chain.rita.call("cancel", order=stopped)["status"] == "success"
    chain.until_all_ended()
    assert chain.rita.call("refill_status", refill=refill) == {"status": "Completed"}
    assert [chain.status(order)["status"] for order in (stopped, partial)] == ["Canceled", "Partial"]
    assert Order.objects.get(pk=stopped).refunded == Order.objects.get(pk=stopped).charge
    chain.agree()
    chain.two_days_later()
    chain.agree()
