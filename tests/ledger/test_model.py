"""The ledger beside a plain-Python model of itself: whatever is posted, in whatever order, their balances agree."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import settings as search
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pytest_django import Settings

from ledger.accounts import house_account
from ledger.amounts import from_units
from ledger.balances import balance_of, cut_checkpoints, statement_lines
from ledger.models import Account
from ledger.posting import AlreadyPosted, InsufficientFunds
from ledger.verification import verify
from tests.ledger.builders import charge_of, deposit_of, posted, refund_of, wallet_with

amounts = st.integers(min_value=1, max_value=20_000_000).map(from_units)
FEW = search(max_examples=25, stateful_step_count=20, deadline=None)
whose = st.integers(min_value=0, max_value=1)


class LedgerBesideItsModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.wallets = [wallet_with(), wallet_with(floor="-5")]
        self.floors = [Decimal(0), Decimal(-5)]
        self.balances = [Decimal(0), Decimal(0)]
        self.lines: list[list[Decimal]] = [[], []]
        self.open_charges: list[tuple[int, Decimal]] = []
        self.last_reference = ""
        self.sales = house_account(Account.Kind.SALES, "USD")
        self.sold = balance_of(self.sales)  # what earlier runs of the machine have sold

    def moved(self, who: int, amount: Decimal) -> None:
        self.balances[who] += amount
        self.lines[who].append(amount)

    @rule(who=whose, amount=amounts)
    def deposit(self, who: int, amount: Decimal) -> None:
        (transfer,) = posted(deposit_of(self.wallets[who], amount))
        self.last_reference = transfer.reference
        self.moved(who, amount)

    @rule(who=whose, prices=st.lists(amounts, min_size=1, max_size=4))
    def charge(self, who: int, prices: list[Decimal]) -> None:
        postings = [charge_of(self.wallets[who], price) for price in prices]
        if self.balances[who] - sum(prices) < self.floors[who]:
            with pytest.raises(InsufficientFunds) as caught:
                posted(*postings)
            assert (caught.value.needed, caught.value.balance) == (sum(prices), self.balances[who])
            return
        posted(*postings)
        for price in prices:
            self.moved(who, -price)
            self.sold += price
            self.open_charges.append((who, price))

    @rule(part=st.integers(min_value=1, max_value=4))
    def refund(self, part: int) -> None:
        if self.open_charges:
            who, price = self.open_charges.pop()
            amount = max(price * part // 4, Decimal("0.000001"))
            posted(refund_of(self.wallets[who], amount))
            self.moved(who, amount)
            self.sold -= amount

    @rule(who=whose, amount=amounts)
    def repeat(self, who: int, amount: Decimal) -> None:
        if self.last_reference:
            with pytest.raises(AlreadyPosted):
                posted(charge_of(self.wallets[who], "0.01"), deposit_of(self.wallets[who], amount, self.last_reference))

    @rule()
    def cut(self) -> None:
        cut_checkpoints()

    @invariant()
    def balances_agree(self) -> None:
        assert [balance_of(wallet) for wallet in self.wallets] == self.balances
        assert balance_of(self.sales) == self.sold

    def teardown(self) -> None:
        for wallet, lines in zip(self.wallets, self.lines, strict=True):
            seen = list(statement_lines(wallet))[::-1]
            assert [line.amount for line in seen] == lines
            assert [line.balance_after for line in seen] == [sum(lines[: n + 1]) for n in range(len(lines))]
        assert verify().differences == []


@pytest.mark.django_db
def test_the_ledger_agrees_with_its_model(settings: Settings) -> None:
    settings.LEDGER_CHECKPOINT_AGE_MINUTES = 0  # all that was posted counts as settled
    run_state_machine_as_test(LedgerBesideItsModel, settings=FEW)
