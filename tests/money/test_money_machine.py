"""The panel's money beside a plain-Python model of it: whatever customers, workers, providers and operators do, in
whatever order and however late, wallets, refunds and costs are what the model says after every step.

The verbs are called as the jobs and pages call them; a provider's answers are made up. Deterministic here; `make soak`
looks further with new examples each time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as search
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.deposits import MoneyRefused, correct, deposit
from accounts.models import Customer
from catalog.models import Service
from ledger.amounts import from_units, to_units
from ledger.balances import balance_of
from ledger.models import Account
from ledger.verification import verify
from orders import deciding
from orders.cancelling import Cancelled, CannotCancel, request_cancel
from orders.claiming import claim, mark
from orders.models import Order, State, Status
from orders.outcomes import Sent, write_outcome
from orders.placing import Refused, place_orders
from orders.reading import News
from orders.refunding import Refund, RefundAboveCharge, refund_all
from orders.routing import ExchangeRates, promise_of, purchase_at
from orders.syncing import write_news
from orders.tidying import lost_sendings
from providers.models import Provider
from providers.outcomes import Accepted, Cause, Evidence, NotSent, Refusal, Rejected, Unknown
from tests.money.model import BY_THE_OPERATOR, FREE, OPEN, Model, Sale, Wallet
from tests.orders.builders import OPERATOR, a_customer, a_provider, a_service, line

EVERY_CHANGE = search(
    max_examples=50, stateful_step_count=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
SOAK = search(EVERY_CHANGE, derandomize=False, max_examples=int(os.environ.get("MONEY_EXAMPLES", "1000")))
ANSWER = Evidence(http_status=200, answer="{}")
FUNDS = 100_000_000  # small enough that some orders cannot be paid
serial = count(1)  # names that no two examples share

who = st.integers(0, 1)
some = st.integers(0, 1_000)  # which of those there are
money = st.integers(1, 20_000_000) | st.sampled_from([1, 999_999])
quantities = st.integers(1, 9_999) | st.sampled_from([1, 10, 10_000])
REFUSALS = [Cause.LINK, Cause.SERVICE_GONE, Cause.OTHER, Cause.FUNDS, Cause.DUPLICATE_LINK]
wishes = st.tuples(st.integers(0, 3), quantities)  # a service and how much of it
ends = st.sampled_from([Status.COMPLETED, Status.PARTIAL, Status.CANCELED])


class MoneyBesideItsModel(RuleBasedStateMachine):
    @initialize(wanted=st.lists(wishes, min_size=3, max_size=6), sent=st.integers(0, 6), taken=st.integers(0, 6))
    def begin(self, wanted: list[tuple[int, int]], sent: int, taken: int) -> None:
        number = next(serial)
        self.model = Model([Wallet(FUNDS), Wallet(FUNDS)])
        emails = [f"{name}{number}@example.com" for name in ("alice", "bob")]
        self.customers = [a_customer(str(from_units(FUNDS)), email) for email in emails]
        self.provider = a_provider(name=f"Provider {number}")
        self.services = [
            a_service(self.provider, "1", rate="1.234567", min=1, name="Divided"),
            a_service(self.provider, "2", rate="7.000001", min=1, cancel=False, name="Not to be canceled"),
            a_service(self.provider, "3", rate="3.333333", type="package", min=1, max=1, name="Whole"),
            a_service(None, rate="2.5", min=1, name="By hand"),
        ]
        self.requests: list[Sent] = []  # marked, and not yet answered, or answered already: answers may come twice
        self.claimed: list[Order] = []
        self.place(0, wanted, twice=False)
        if sent:
            self.claim(sent, at_once=True)
        for number in range(min(taken, len(self.requests))):
            self.accept(number, used=1)

    # What the customers do

    @rule(buyer=who, wanted=st.lists(wishes, min_size=1, max_size=3), twice=st.booleans())
    def place(self, buyer: int, wanted: list[tuple[int, int]], twice: bool) -> None:
        sales = [self.sale(self.model.wallets[buyer], self.services[which], quantity) for which, quantity in wanted]
        lines = [
            line(self.services[which], sale.quantity, f"https://example.com/{next(serial)}")
            for (which, _), sale in zip(wanted, sales, strict=True)
        ]
        customer, token = self.customer(buyer), f"token {next(serial)}"
        needed = sum(sale.charge for sale in sales)
        if needed > self.model.wallets[buyer].balance:
            with pytest.raises(Refused):
                place_orders(customer=customer, lines=lines, once=token)
            return
        orders = place_orders(customer=customer, lines=lines, once=token)
        if twice:
            assert place_orders(customer=customer, lines=lines, once=token) == orders
        self.model.wallets[buyer].balance -= needed
        self.model.sales |= {order.pk: sale for order, sale in zip(orders, sales, strict=True)}

    @precondition(lambda self: self.model.sales)
    @rule(which=some)
    def cancel(self, which: int) -> None:
        number, sale = self.pick(which, list(self.model.sales))
        if not self.may_be_canceled(sale):
            with pytest.raises(CannotCancel):
                request_cancel(order=self.order(number), actor=OPERATOR)
            return
        became = request_cancel(order=self.order(number), actor=OPERATOR)
        if sale.state in FREE:
            assert became is Cancelled.DONE
            sale.cancel()
        elif sale.state in OPEN:
            assert became is Cancelled.WISHED
            sale.wished = True
        else:
            assert became is Cancelled.ASKED
            sale.asked_to_cancel = True

    def may_be_canceled(self, sale: Sale) -> bool:
        if sale.state in FREE:
            return True
        if sale.state in (State.ENDED, State.REVIEW) or sale.wished or sale.asked_to_cancel:
            return False
        return sale.cancelable or sale.state != State.ACCEPTED

    # What the workers do

    @rule(most=st.integers(1, 4), at_once=st.booleans())
    def claim(self, most: int, at_once: bool) -> None:
        Order.objects.filter(provider=self.provider, state=State.WAITING).update(not_before=timezone.now())
        orders = claim(self.provider, most)
        assert [order.pk for order in orders] == self.model.claim(most)
        if at_once:
            for order in orders:
                self.begin_to_send(order)
        else:
            self.claimed += orders

    @precondition(lambda self: self.claimed)
    @rule(which=some)
    def wake_up(self, which: int) -> None:
        """A worker goes on with what it claimed, perhaps when that is another's already, or has been canceled."""
        self.begin_to_send(self.claimed.pop(which % len(self.claimed)))

    def begin_to_send(self, order: Order) -> None:
        sale = self.model.sales[order.pk]
        assert order.provider_service is not None
        order.provider_service.provider = self.provider
        fields = {"service": order.provider_service.external_id}
        purchase = purchase_at(order.provider_service, promise_of(order), ExchangeRates())
        marked = mark(order, fields, lease=timedelta(minutes=5))
        assert marked == (sale.state == State.WAITING and sale.attempt == order.attempt)
        if marked:
            sale.state = State.SENDING
            self.requests.append(
                Sent(order=order, purchase=purchase, fields=fields, outcome=Unknown("not yet"), marked=True)
            )

    @rule()
    def workers_die(self) -> None:
        """All leases run out."""
        Order.objects.filter(provider=self.provider, state__in=[State.WAITING, State.SENDING]).update(
            lease_until=timezone.now() - timedelta(seconds=1)
        )
        lost_sendings()
        for sale in self.model.sales.values():
            sale.leased = False
            if sale.state == State.SENDING:
                sale.state = State.UNKNOWN

    # What the providers answer, once or twice, soon or late

    @precondition(lambda self: self.requests)
    @rule(which=some, used=st.integers(0, 9))
    def accept(self, which: int, used: int) -> None:
        sent = self.requests[which % len(self.requests)]
        held = list(Order.objects.filter(provider=self.provider, upstream_id__isnull=False).exclude(pk=sent.order.pk))
        taken = held[0].upstream_id if held and used == 0 else None
        self.answer(sent, Accepted(taken or str(next(serial)), ANSWER))
        sale = self.model.sales[sent.order.pk]
        if not self.newest(sent, *OPEN):
            return
        if taken:
            sale.state, sale.leased = State.UNKNOWN, False
        else:
            sale.accepted()

    @precondition(lambda self: self.requests)
    @rule(which=some, cause=st.sampled_from(REFUSALS))
    def refuse(self, which: int, cause: Cause) -> None:
        sent = self.requests[which % len(self.requests)]
        self.answer(sent, Rejected(Refusal.of(cause, "no"), ANSWER))
        if self.newest(sent, *OPEN):
            waits = State.WAITING if cause in (Cause.FUNDS, Cause.DUPLICATE_LINK) else None
            self.model.sales[sent.order.pk].refused(State.HELD if cause is Cause.OTHER else waits)

    @precondition(lambda self: self.requests)
    @rule(which=some)
    def not_sent(self, which: int) -> None:
        sent = self.requests[which % len(self.requests)]
        self.answer(sent, NotSent("turned away", None, ANSWER))
        sale = self.model.sales[sent.order.pk]
        if self.newest(sent, State.WAITING, State.SENDING):
            sale.state, sale.leased = State.WAITING, False

    @precondition(lambda self: self.requests)
    @rule(which=some)
    def no_answer(self, which: int) -> None:
        sent = self.requests[which % len(self.requests)]
        self.answer(sent, Unknown("nothing came"))
        if self.newest(sent, State.SENDING):
            self.model.sales[sent.order.pk].state = State.UNKNOWN

    @precondition(lambda self: self.model.sales)
    @rule(which=some, status=ends, remains=st.none() | st.integers(-1, 12_000), share=st.none() | st.integers(0, 11))
    def end(self, which: int, status: Status, remains: int | None, share: int | None) -> None:
        """The last word of the provider, now and then on orders that are not with it (any more). `share`: tenths of the
        price.
        """
        with_it = self.model.in_state(State.ACCEPTED) if which % 5 else []
        number, sale = self.pick(which, with_it or list(self.model.sales))
        cost = None if share is None or sale.cost is None else sale.cost * share // 10
        charge = None if cost is None else from_units(cost)
        news = News(
            order_id=number, status=status, word=status.value, start_count=None, remains=remains,
            remains_said=remains, charge=charge, cost=charge,
        )  # fmt: skip
        write_news([news])
        if sale.state == State.ACCEPTED:
            sale.reported(status, remains, cost)

    # What the operator decides

    @precondition(lambda self: self.model.sales)
    @rule(which=some)
    def refund_whole(self, which: int) -> None:
        number, sale = self.pick(which, list(self.model.sales))
        if self.decide(sale.state in BY_THE_OPERATOR, deciding.refund_whole, number):
            sale.cancel()

    @precondition(lambda self: self.model.in_state(*OPEN))
    @rule(which=some, exists=st.booleans())
    def look_it_up(self, which: int, exists: bool) -> None:
        number, sale = self.pick(which, self.model.in_state(*OPEN))
        known = sale.state == State.UNKNOWN
        if exists and self.decide(known, deciding.it_exists, number, upstream_id=str(next(serial))):
            sale.accepted()
        elif not exists and self.decide(known, deciding.send_again, number):
            sale.state, sale.leased, sale.wished = State.WAITING, False, False

    @precondition(lambda self: self.model.in_state(State.HELD))
    @rule(which=some)
    def release(self, which: int) -> None:
        number, sale = self.pick(which, self.model.in_state(State.HELD))
        assert self.decide(True, deciding.release, number)
        sale.state = State.WAITING

    @precondition(lambda self: self.model.in_state(State.REVIEW, State.BY_HAND, State.ENDED))
    @rule(which=some, status=ends, delivered=st.none() | st.integers(0, 10_000))
    def settle_by_hand(self, which: int, status: Status, delivered: int | None) -> None:
        number, sale = self.pick(which, self.model.in_state(State.REVIEW, State.BY_HAND, State.ENDED))
        if delivered is not None and sale.quantity is not None:
            delivered = min(delivered, sale.quantity)
        said = status != Status.PARTIAL or (sale.quantity is not None and delivered is not None)
        possible = sale.state != State.ENDED and said
        if self.decide(possible, deciding.settle_by_hand, number, status=status, delivered=delivered):
            kept = {Status.COMPLETED: sale.charge, Status.CANCELED: 0}
            sale.end(kept[status] if status in kept else sale.kept_for(delivered or 0))

    @precondition(lambda self: self.model.sales)
    @rule(which=some, tenths=st.integers(0, 12))
    def refund_a_part(self, which: int, tenths: int) -> None:
        """Of the charge, whatever was refunded before: more than what is left of it must be refused."""
        number, sale = self.pick(which, list(self.model.sales))
        back = sale.charge * tenths // 10
        refund = Refund(order=self.order(number), amount=from_units(back), why=f"part{next(serial)}")
        if back > sale.charge - sale.refunded:
            with pytest.raises(RefundAboveCharge), transaction.atomic():
                refund_all([refund])
            return
        with transaction.atomic():
            refund_all([refund])
        sale.give_back(back)

    @rule(customer=who, amount=money, what=st.sampled_from(["pay", "pay twice", "give", "take"]))
    def move_by_hand(self, customer: int, amount: int, what: str) -> None:
        """Deposits, one of them recorded twice, and corrections."""
        wallet, owner, reference = self.model.wallets[customer], self.customer(customer), str(next(serial))
        if what in ("give", "take"):
            signed = -amount if what == "take" else amount
            with self.refused_if(signed < -wallet.balance):
                correct(customer=owner, amount=from_units(signed), reason="a slip", reference=reference, actor=OPERATOR)
                wallet.balance += signed
            return
        deposit(customer=owner, amount=from_units(amount), reference=reference, actor=OPERATOR)
        wallet.balance += amount
        if what == "pay twice":
            with self.refused_if(True):
                deposit(customer=owner, amount=from_units(amount), reference=reference, actor=OPERATOR)

    # What must hold after every step

    @invariant()
    def wallets_hold_what_the_model_says(self) -> None:
        ids = [customer.wallet_id for customer in self.customers]
        held = dict(Account.objects.filter(pk__in=ids).values_list("pk", "balance"))
        assert [to_units(held[pk] or Decimal(0)) for pk in ids] == [wallet.balance for wallet in self.model.wallets]
        assert all(wallet.balance >= 0 for wallet in self.model.wallets)

    @invariant()
    def orders_are_where_the_model_says(self) -> None:
        rows = Order.objects.filter(pk__in=self.model.sales).values_list("pk", "state", "charge", "refunded", "cost")
        seen = {
            pk: (State(state), to_units(charge), to_units(refunded), None if cost is None else to_units(cost))
            for pk, state, charge, refunded, cost in rows
        }
        assert seen == {pk: (s.state, s.charge, s.refunded, s.cost) for pk, s in self.model.sales.items()}
        assert all(0 <= sale.refunded <= sale.charge for sale in self.model.sales.values())

    def teardown(self) -> None:
        assert verify().differences == []
        costs = sum(sale.cost or 0 for sale in self.model.sales.values())
        assert to_units(balance_of(self.provider.account)) == -costs

    # Words of the machine

    def sale(self, wallet: Wallet, service: Service, quantity: int) -> Sale:
        whole = service.type == "package"
        price = 900_000 if whole else -(-900_000 * quantity // 1000)
        by_hand = service is self.services[3]
        return Sale(
            wallet=wallet,
            rate=to_units(service.rate),
            quantity=None if whole else quantity,
            price=0 if by_hand else price,
            state=State.BY_HAND if by_hand else State.WAITING,
            cancelable=service.cancel,
        )

    def refused_if(self, refused: bool) -> AbstractContextManager[object]:
        return pytest.raises(MoneyRefused) if refused else nullcontext()

    def customer(self, which: int) -> Customer:
        return Customer.objects.select_related("wallet").get(pk=self.customers[which].pk)

    def order(self, number: int) -> Order:
        return Order.objects.select_related("customer__wallet").get(pk=number)

    def pick(self, which: int, numbers: Sequence[int]) -> tuple[int, Sale]:
        number = numbers[which % len(numbers)]
        return number, self.model.sales[number]

    def newest(self, sent: Sent, *states: State) -> bool:
        sale = self.model.sales[sent.order.pk]
        return sale.attempt == sent.order.attempt and sale.state in states

    def answer(self, sent: Sent, outcome: Accepted | Rejected | NotSent | Unknown) -> None:
        order = self.order(sent.order.pk)
        order.attempt, order.provider = sent.order.attempt, self.provider
        order.provider_service = sent.order.provider_service
        write_outcome(Sent(order=order, purchase=sent.purchase, fields=sent.fields, outcome=outcome, marked=True))
        Provider.objects.filter(pk=self.provider.pk).update(unknowns_in_a_row=0)

    def decide(self, possible: bool, verb: object, number: int, **given: object) -> bool:
        """Whether the decision was taken; one that does not fit is refused and changes nothing."""
        assert callable(verb)
        if not possible:
            with pytest.raises(deciding.CannotDecide):
                verb(order=self.order(number), actor=OPERATOR, reason="looked", **given)
            return False
        verb(order=self.order(number), actor=OPERATOR, reason="looked", **given)
        return True


@pytest.mark.django_db
def test_money_agrees_with_its_model_after_every_step() -> None:
    run_state_machine_as_test(MoneyBesideItsModel, settings=EVERY_CHANGE)


@pytest.mark.soak
@pytest.mark.django_db
def test_money_agrees_with_its_model_in_new_examples() -> None:
    run_state_machine_as_test(MoneyBesideItsModel, settings=SOAK)
