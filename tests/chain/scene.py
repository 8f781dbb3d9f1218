"""A reseller's script, the panel below, the panel above, and the provider of both: how they go on and are compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction

from catalog.fetching import fetch_listings
from catalog.importing import apply_import, plan_import
from catalog.models import ProviderService, Service
from ledger.accounts import open_provider_account
from ledger.balances import balance_of
from ledger.verification import verify
from orders.models import Order, RefillRequest, State
from providers.books import post_opening_balance
from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.audit import SYSTEM
from records.models import AttentionItem
from tests.api_v2.builders import Reseller, a_reseller
from tests.chain.jobs import run_all
from tests.chain.upper import Upper
from tests.chain.wire import Wire
from torture.clock import let_pass

FUNDS = "100"
MARKUP = Decimal(25)
REST_SECONDS = 900.0  # between two rounds: leases and pauses end, what is new becomes fresh, the next run is due
MOST_ROUNDS = 25
RUN_BY_US = "12"  # of the sandbox's services: neither panel above is asked to run its drip-feeds


@dataclass(slots=True)
class Chain:
    """`before` holds the ids of orders that the upper panel had of earlier tests."""

    sandbox: Sandbox
    upper: Upper
    wire: Wire
    provider: Provider
    rita: Reseller
    before: set[str] = field(default_factory=set)

    def service(self, sandbox_id: int | str) -> int:
        """What the panel below sells that comes from this service of the sandbox."""
        external = str(self.upper.sold[str(sandbox_id)])
        return int(Service.objects.values_list("pk", flat=True).get(routes__provider_service__external_id=external))

    def add(self, sandbox_id: int | str, **fields: object) -> int:
        answer = self.rita.call("add", service=self.service(sandbox_id), **fields)
        assert set(answer) == {"order"}, answer
        return int(answer["order"])

    def status(self, order: int | str) -> Any:
        return self.rita.call("status", order=order)

    def send(self) -> None:
        """Until the last provider has what was ordered here, and no further."""
        run_all()
        self.upper.work()

    def look(self) -> None:
        """Both panels ask what became of it; no time passes."""
        self.upper.work()
        run_all()

    def until_all_ended(self) -> None:
        """Time passes everywhere and the workers of both panels work, until nothing of ours is under way."""
        for _ in range(MOST_ROUNDS):
            self.send()
            self.sandbox.finish_all()
            self.look()
            if not self._under_way():
                return
            self.rest()
        raise AssertionError(f"still under way: {self._under_way()}; {self.asked_here()}")

    def two_days_later(self) -> None:
        for seconds in (90_000.0, 90_000.0):
            let_pass(seconds)
            self.upper.rest(seconds)
            self.send()
            self.look()

    def rest(self, *, twice: bool = False) -> None:
        """Time passes at both panels; twice is longer than a lost request needs to settle."""
        seconds = REST_SECONDS * (1 + twice)
        let_pass(seconds)
        self.upper.rest(seconds)

    def _under_way(self) -> list[str]:
        orders = Order.objects.exclude(state=State.ENDED).values_list("pk", "state", "reason")
        refills = RefillRequest.objects.filter(ended_at__isnull=True).values_list("pk", "status")
        return [*map(str, orders), *map(str, refills)]

    def agree(self, *, same_link: int = 1) -> None:
        """The books of both panels are right in themselves, and say the same of each other to the last digit.

        Upstream at most `same_link` orders have one link: every test gives each of its orders a link of its own.
        """
        books = self.upper.books()
        assert verify().differences == []
        assert books["differences"] == []
        assert balance_of(self.provider.account) == Decimal(books["wallet"])
        assert Decimal(books["provider"]) == self.sandbox.balance
        above = {pk: order for pk, order in books["orders"].items() if pk not in self.before}
        ours = {order.upstream_id or "": order for order in Order.objects.exclude(upstream_id=None)}
        assert sorted(ours) == sorted(above)
        for upstream_id, order in ours.items():
            theirs = above[upstream_id]
            assert (order.link, order.status) == (theirs["link"], theirs["status"]), upstream_id
            assert order.cost == Decimal(theirs["paid"]), upstream_id
        assert max(Counter(order["link"] for order in above.values()).values(), default=1) <= same_link
        spent = sum((order.charge - order.refunded for order in self._sold()), Decimal(0))
        assert Decimal(self.rita.call("balance")["balance"]) == Decimal(FUNDS) - spent

    def quiet(self) -> None:
        """Neither operator is asked for anything."""
        asked = self.asked_here()
        assert asked == [], asked
        assert self.upper.books()["attention"] == []

    def asked_here(self) -> list[tuple[str, str]]:
        """What the operator of the panel below is asked for."""
        items = AttentionItem.objects.filter(closed_at__isnull=True)
        return [(item.cause, f"{item.summary} {item.evidence}") for item in items]

    def _sold(self) -> list[Order]:
        return list(Order.objects.filter(parent__isnull=True))


def a_chain(sandbox: Sandbox, upper: Upper, wire: Wire) -> Chain:
    """The panel below has what the upper one says it has, and sells all that it lists."""
    provider = Provider.objects.create(
        name="The panel above", url=wire.url, key=upper.key, currency="USD", deadline_seconds=2,
        account=open_provider_account(currency="USD"), requests_per_minute=100_000,
    )  # fmt: skip
    with transaction.atomic():
        post_opening_balance(provider, upper.wallet)
    plan = plan_import(provider, fetch_listings(provider), markup=MARKUP)
    apply_import(plan, markup=MARKUP, publish=True, actor=SYSTEM)
    ours = str(upper.sold[RUN_BY_US])
    ProviderService.objects.filter(external_id=ours).update(dripfeed=False)
    Service.objects.filter(routes__provider_service__external_id=ours).update(dripfeed=True)
    return Chain(sandbox, upper, wire, provider, a_reseller(FUNDS), set(upper.books()["orders"]))
