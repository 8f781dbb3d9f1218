"""All actions and types through two panels: what the last provider does is what the reseller reads, and all books
agree.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pytest

from catalog.models import Service
from catalog.service_types import SERVICE_TYPES
from orders.models import Order, RefillRequest
from providers.registering import ask_balance
from tests.chain.scene import Chain
from tests.sandbox.builders import ORDERS

D = Decimal
PAGE = "https://example.com/chain"


def rounded_up(amount: Decimal) -> Decimal:
    return amount.quantize(D("0.000001"), ROUND_CEILING)


def marked_up(rate: Decimal) -> Decimal:
    return rounded_up(rate * D("1.25"))


def test_services_are_those_of_the_upper_panel_with_our_markup(chain: Chain) -> None:
    listed = {each["name"]: each for each in chain.rita.call("services")}
    for theirs in chain.sandbox.services.values():
        if theirs["type"] == "Live Stream":  # nobody knows this type: it is kept, and not sold
            assert theirs["name"] not in listed
            continue
        ours = listed[theirs["name"]]
        assert D(ours["rate"]) == marked_up(marked_up(D(theirs["rate"])))
        assert [ours[name] for name in ("type", "category", "min", "max")] == [
            theirs[name] for name in ("type", "category", "min", "max")
        ]


def test_each_type_is_ordered_through_both_and_completed(chain: Chain) -> None:
    assert {each.label for each in SERVICE_TYPES.values()} == set(ORDERS)
    made = len(chain.sandbox.journal.requests("add"))
    placed: dict[int, dict[str, str]] = {}
    for kind, fields in ORDERS.items():
        service, *rest = fields.items()
        typed = {name: value.replace("example.com/a", f"example.com/{kind.replace(' ', '-')}") for name, value in rest}
        placed[chain.add(service[1], **typed)] = typed
    chain.send()
    arrived = {
        request["fields"]["service"]: request["fields"] for request in chain.sandbox.journal.requests("add")[made:]
    }
    assert len(arrived) == len(ORDERS)
    for (kind, fields), typed in zip(ORDERS.items(), placed.values(), strict=True):
        there = arrived[fields["service"]]
        assert {name: there[name].splitlines() for name in typed} == {
            name: value.splitlines() for name, value in typed.items()
        }, kind
    chain.until_all_ended()
    answers = chain.rita.call("status", orders=",".join(map(str, placed)))
    assert {answer["status"] for answer in answers.values()} == {"Completed"}
    chain.agree()
    chain.quiet()


def test_every_ending_comes_through_with_its_refund(chain: Chain) -> None:
    endings = {"partial:30": "Partial", "cancel": "Canceled", "cancel_late": "Canceled", "slow": "Completed"}
    orders = {
        word: chain.add(1, link=f"{PAGE}/{number}?sandbox={word}", quantity=1000 + number)
        for number, word in enumerate(endings)
    }
    packages = {word: chain.add(14, link=f"{PAGE}/package?sandbox={word}") for word in ("cancel", "partial:30")}
    chain.until_all_ended()
    many = chain.rita.call("status", orders=",".join(map(str, orders.values())))
    assert {word: many[str(order)]["status"] for word, order in orders.items()} == endings
    partial = many[str(orders["partial:30"])]
    assert (partial["remains"], partial["charge"]) == ("700", "0.421875")  # 300 of 1000 at 1.40625
    assert many[str(orders["cancel"])]["charge"] == "0.00"
    assert int(many[str(orders["slow"])]["start_count"]) > 0
    assert chain.status(packages["cancel"])["charge"] == "0.00"
    assert chain.status(packages["partial:30"])["status"] == "Partial"
    chain.agree()
    chain.two_days_later()
    chain.agree()


def test_cancel_goes_up_and_what_was_kept_comes_down(chain: Chain) -> None:
    early, late = (chain.add(1, link=f"{PAGE}/{word}?sandbox=slow", quantity=500) for word in ("early", "late"))
    never = chain.add(42, link=f"{PAGE}/never?sandbox=slow", quantity=500)  # cannot be canceled
    chain.send()
    chain.look()
    assert chain.rita.call("cancel", order=early)["status"] == "success"
    [refused, another] = chain.rita.call("cancel", orders=f"{never},999999")
    assert refused == {"order": never, "cancel": {"error": "Order cannot be canceled"}}
    assert another["cancel"].keys() == {"error"}
    chain.send()
    chain.sandbox.advance(300)
    chain.look()
    assert chain.status(late)["status"] == "In progress"
    assert chain.rita.call("cancel", orders=late) == [{"order": late, "cancel": 1}]
    chain.until_all_ended()
    assert chain.status(early)["status"] == "Canceled"
    assert chain.status(early)["charge"] == "0.00"
    assert chain.status(late)["status"] == "Partial"
    assert 0 < D(chain.status(late)["charge"]) < D("0.703125")
    assert chain.status(never)["status"] == "Completed"
    chain.agree()
    chain.quiet()


def test_refills_go_up_and_their_words_come_down(chain: Chain) -> None:
    good, bad = (
        chain.add(1, link=f"{PAGE}/good", quantity=500),
        chain.add(1, link=f"{PAGE}/bad?sandbox=refill_rejected", quantity=500),
    )
    other = chain.add(3, link=f"{PAGE}/other", quantity=500)  # without refill
    assert "error" in chain.rita.call("refill", order=good)
    chain.until_all_ended()
    refill = chain.rita.call("refill", order=good)["refill"]
    assert isinstance(refill, str)
    [second, third] = chain.rita.call("refill", orders=f"{bad},{other}")
    assert (second["order"], third["refill"].keys()) == (bad, {"error"})
    assert chain.rita.call("refill_status", refill=refill) == {"status": "Pending"}
    chain.send()
    assert chain.upper.books()["refills"]
    chain.until_all_ended()
    assert chain.rita.call("refill_status", refill=refill) == {"status": "Completed"}
    assert chain.rita.call("refill_status", refills=f"{refill},{second['refill']}") == [
        {"refill": int(refill), "status": "Completed"},
        {"refill": second["refill"], "status": "Rejected"},
    ]
    asked = {request.upstream_id: request.status for request in RefillRequest.objects.all()}
    assert asked == {pk: status for pk, (_, status) in chain.upper.books()["refills"].items() if pk in asked}
    chain.agree()


@pytest.mark.parametrize(("service", "who"), [(1, "the provider"), (11, "the upper panel"), (12, "this panel")])
def test_a_drip_feed_whoever_runs_it(chain: Chain, service: int, who: str) -> None:
    order = chain.add(service, link=f"{PAGE}/drip", quantity=200, runs=3, interval=10)
    chain.until_all_ended()
    answer = chain.status(order)
    assert (answer["status"], answer["runs"]) == ("Completed", 3)
    assert answer["orders"] == [f"{order}-{number}" for number in (1, 2, 3)]
    parts = chain.rita.call("status", orders=",".join(answer["orders"]))
    assert [part["status"] for part in parts.values()] == ["Completed"] * 3
    rate = Service.objects.get(pk=chain.service(service)).rate
    assert sum(D(part["charge"]) for part in parts.values()) == D(answer["charge"]) == rounded_up(rate * 600 / 1000)
    above = chain.upper.books()["orders"]
    mine = [pk for pk in above if pk not in chain.before]
    assert len(mine) == (3 if who == "this panel" else 1)
    chain.agree(same_link=len(mine))
    chain.quiet()


def test_a_subscription_through_both_is_paid_by_what_was_delivered(chain: Chain) -> None:
    fields = {"username": "ann", "min": 100, "max": 100, "posts": 3, "delay": 0}
    order, stopped = chain.add(13, **fields), chain.add(13, **{**fields, "username": "bob"})
    chain.send()
    assert chain.rita.call("cancel", order=stopped)["status"] == "success"
    chain.until_all_ended()
    answer = chain.status(order)
    assert (answer["status"], answer["posts"], answer["charge"]) == ("Completed", 3, "0.15")  # 300 at 0.5
    assert chain.rita.call("status", order=answer["orders"][2])["status"] == "Completed"
    assert chain.status(stopped)["status"] == "Canceled"
    chain.agree()


def test_the_balance_there_is_the_balance_in_our_books(chain: Chain) -> None:
    chain.add(1, link=f"{PAGE}/one", quantity=777)
    chain.send()
    chain.provider.refresh_from_db()
    assert ask_balance(chain.provider).amount == chain.upper.wallet
    assert chain.rita.call("balance") == {"balance": "98.907343", "currency": "USD"}  # less ⌈1.40625 × 777 ÷ 1000⌉
    chain.until_all_ended()
    chain.agree()


def test_what_the_upper_panel_refuses_is_given_back(chain: Chain) -> None:
    order = chain.add(1, link=f"{PAGE}/?sandbox=refuse:link", quantity=100)
    chain.until_all_ended()
    assert chain.status(order)["status"] == "Canceled"
    assert chain.status(order)["charge"] == "0.00"
    assert Order.objects.get(pk=order).state == "ended"
    chain.agree()
