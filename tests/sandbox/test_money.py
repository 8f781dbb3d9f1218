"""Whatever happens, what the account held at first is what it holds and what its orders cost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from providers.sandbox.amounts import UNIT, price_of
from providers.sandbox.orders import ENDED
from providers.sandbox.plans import WORDS
from providers.sandbox.server import Sandbox
from tests.sandbox.builders import ORDERS

words = st.lists(st.sampled_from(sorted(WORDS)) | st.sampled_from(["partial:7", "cancel_keep:33"]), max_size=2)


class Books(RuleBasedStateMachine):
    """Orders of all types placed, canceled, refilled and ended by hand while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = Sandbox(balance="20", partial=0.2, cancel=0.2)
        self.added = Decimal(0)

    def teardown(self) -> None:
        self.sandbox.stop()

    def ask(self, action: str, **fields: str) -> Any:
        return self.sandbox.answer({"key": self.sandbox.key, "action": action, **fields})

    def any_order(self, choose: Callable[[int], int]) -> str:
        orders = list(self.sandbox.orders)
        return str(orders[choose(len(orders))])

    @rule(kind=st.sampled_from(sorted(ORDERS)), words=words, runs=st.integers(0, 4), odd=st.integers(0, 9))
    def place(self, kind: str, words: list[str], runs: int, odd: int) -> None:
        fields = dict(ORDERS[kind])
        name = "username" if kind == "Subscriptions" else "link"
        fields[name] += f"?sandbox={','.join(words)}"
        if kind == "Default":
            fields |= {"quantity": str(101 + odd)} | ({"runs": str(runs), "interval": "7"} if runs else {})
        self.ask("add", **fields)

    @rule(seconds=st.sampled_from([1.0, 7.0, 30.0, 500.0]))
    def time_passes(self, seconds: float) -> None:
        self.sandbox.advance(seconds)

    @precondition(lambda self: self.sandbox.orders)
    @rule(data=st.data(), action=st.sampled_from(["cancel", "refill"]))
    def ask_for(self, data: st.DataObject, action: str) -> None:
        self.ask(action, order=self.any_order(lambda count: data.draw(st.integers(0, count - 1))))

    @precondition(lambda self: self.sandbox.orders)
    @rule(data=st.data(), status=st.sampled_from(["Canceled", "Partial", "Completed"]), remains=st.integers(0, 1500))
    def end_by_hand(self, data: st.DataObject, status: str, remains: int) -> None:
        order = self.any_order(lambda count: data.draw(st.integers(0, count - 1)))
        self.sandbox.set_order(order, status=status, remains=remains)

    @rule(amount=st.integers(0, 50))
    def top_up(self, amount: int) -> None:
        before = self.sandbox.balance
        self.sandbox.set_balance(before + amount)
        self.added += amount

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        spent = sum(order.charge for order in self.sandbox.orders.values() if order.parent is None)
        assert self.sandbox.opening + self.added == self.sandbox.balance + Decimal(spent) / UNIT
        assert self.sandbox.balance >= 0

    @invariant()
    def no_order_costs_less_than_nothing_or_more_than_was_taken(self) -> None:
        taken: dict[int, Decimal] = {}
        for entry in self.sandbox.journal.charges():
            amount = Decimal(entry["charge"] if entry["kind"] == "order" else entry["amount"])
            taken[entry["order"]] = taken.get(entry["order"], Decimal(0)) + amount
        for order in self.sandbox.orders.values():
            assert order.charge >= 0
            if order.parent is None:
                assert Decimal(order.charge) / UNIT <= taken[order.id]

    @invariant()
    def the_journal_adds_up_to_the_balance(self) -> None:
        balance = self.sandbox.opening
        for entry in self.sandbox.journal:
            if entry["kind"] == "order":
                balance -= Decimal(entry["charge"])
            elif entry["kind"] == "charge":
                balance -= Decimal(entry["amount"])
            elif entry["kind"] in {"refund", "top_up"}:
                balance += Decimal(entry["amount"])
            if "balance" in entry:
                assert Decimal(entry["balance"]) == balance, entry
        assert balance == self.sandbox.balance

    @invariant()
    def the_journal_tells_each_state(self) -> None:
        for order in self.sandbox.orders.values():
            assert self.sandbox.journal.statuses(order.id)[-1] == order.status
            assert order.due is None or order.status not in ENDED


Books.TestCase.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestBooks = Books.TestCase


@given(rate=st.integers(0, 10**12), quantity=st.integers(0, 10**7))
def test_a_price_is_exact_and_at_most_a_millionth_above(rate: int, quantity: int) -> None:
    assert 0 <= price_of(rate, quantity) * 1000 - rate * quantity < 1000


@given(rate=st.integers(0, 10**9), first=st.integers(0, 10**5), more=st.integers(0, 10**5))
def test_more_never_costs_less(rate: int, first: int, more: int) -> None:
    assert price_of(rate, first) <= price_of(rate, first + more)
