"""The comparison: what the panel holds against what the provider's journal and the books say.

`at_once` is what must hold at every moment, so also right after the kill; `recovered` what must hold once the jobs have
run; `in_the_end` what must hold when the operator has decided what was left to him.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from accounts.models import Customer
from ledger.amounts import PER, divide_up, from_units, to_units
from ledger.balances import balance_of
from ledger.models import Transfer
from ledger.verification import verify
from orders.models import Attempt, Order, OrderEvent, State
from orders.tidying import DIED
from providers.models import Provider
from providers.sandbox.orders import Order as Upstream
from providers.sandbox.server import Sandbox
from records.jobs import INTERRUPTED
from records.models import AttentionItem, JobRun
from torture.plan import Plan, Wanted
from torture.world import MONEY, OPENING

ON_THE_LIST = (State.UNKNOWN, State.HELD, State.REVIEW)

#: What is counted, in the order of the report. `zero`: one is a violation.
ZERO = (
    "duplicates", "lost", "double_refunds", "over_refunds", "refunded_although_delivered", "refund_missing",
    "ledger_differences", "deposits_wrong", "false_unknowns", "wrongly_attached", "wrongly_not_placed",
    "refills_twice", "balance_differs", "failures",
)  # fmt: skip
COUNTED = ("orders", "unknown", "unknown_unsent", "attached", "not_placed", "left_to_operator", "swapped_by_provider")


@dataclass(slots=True)
class Findings:
    """Counts by name, and a sentence for each violation."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def wrong(self, what: str, sentence: str) -> None:
        assert what in ZERO, what
        self.counts[what] += 1
        self.violations.append(f"{what}: {sentence}")


@dataclass(slots=True)
class Truth:
    """What the provider did: orders and requests by link, from its journal."""

    orders: dict[str, list[Upstream]]
    requests: Counter[str]
    lies: set[str]  # links whose `add` was answered with another order's id
    refills: Counter[int]

    @classmethod
    def of(cls, sandbox: Sandbox) -> Truth:
        journal = list(sandbox.journal)
        orders: dict[str, list[Upstream]] = {}
        made = sandbox.orders
        for entry in journal:
            if entry["kind"] == "order":
                orders.setdefault(entry["link"], []).append(made[entry["order"]])
        adds = [entry for entry in journal if entry["kind"] == "request" and entry["action"] == "add"]
        return cls(
            orders=orders,
            requests=Counter(entry["fields"]["link"] for entry in adds),
            lies={entry["fields"]["link"] for entry in adds if "duplicate_id" in entry["fault"]},
            refills=Counter(entry["order"] for entry in journal if entry["kind"] == "refill"),
        )

    def lied_about(self, order: Order) -> bool:
        """Whether the provider gave this order another's id, or gave its id away to another."""
        owners = {link for link, orders in self.orders.items() for each in orders if str(each.id) == order.upstream_id}
        return bool(self.lies & (owners | {order.link}))

    @property
    def made(self) -> dict[str, str]:
        """The upstream id of each link that exists upstream."""
        return {link: str(orders[0].id) for link, orders in self.orders.items()}


def at_once(found: Findings) -> None:
    """The books, at any moment."""
    for sentence in verify().differences:
        found.wrong("ledger_differences", sentence)
    for order in Order.objects.filter(state=State.SENDING, lease_until__isnull=True):
        found.wrong("lost", f"order {order.pk} is being sent without a lease")


def recovered(plan: Plan, truth: Truth, found: Findings) -> None:
    """Nothing is lost, nothing is there twice, and reconciling has told the truth."""
    at_once(found)
    _each_was_placed_once(plan, found)
    for link, orders in truth.orders.items():
        if len(orders) > 1:
            found.wrong("duplicates", f"{link} was made {len(orders)} times: {[order.id for order in orders]}")
    for order in Order.objects.order_by("id"):
        why = _lost(order, truth)
        if why:
            found.wrong("lost", f"order {order.pk} ({order.link}) is {order.state}: {why}")
    _unknowns(plan, truth, found)
    _refills(truth, found)
    for run in JobRun.objects.exclude(error="").exclude(error=INTERRUPTED):
        found.wrong("failures", f"{run.job} {run.scope}: {run.error[:2000]}")


def in_the_end(plan: Plan, sandbox: Sandbox, truth: Truth, found: Findings) -> None:
    """Every order has ended, its money is what was delivered, and the provider holds what the books say."""
    at_once(found)
    paid = Decimal(0)
    for order in Order.objects.order_by("id"):
        if order.state != State.ENDED:
            found.wrong("lost", f"order {order.pk} ({order.link}) is {order.state} in the end: {order.reason}")
        _refunds(order, truth, found)
        paid += order.charge - order.refunded
    _deposits(plan, paid, found)
    provider = Provider.objects.select_related("account").get()
    if balance_of(provider.account) != sandbox.balance:
        found.wrong("balance_differs", f"booked {balance_of(provider.account)}, the provider holds {sandbox.balance}")


def _each_was_placed_once(plan: Plan, found: Findings) -> None:
    wanted: list[Wanted] = [plan.before, plan.afterwards, *(each for batch in plan.batches for each in batch)]
    placed = Counter(Order.objects.values_list("link", flat=True))
    for each in wanted:
        if placed[each.link] != 1:
            found.wrong("lost" if not placed[each.link] else "duplicates", f"{each.link}: {placed[each.link]} orders")
    found.counts["orders"] = sum(placed.values())


def _lost(order: Order, truth: Truth) -> str:
    """Why the promise does not hold for this order; "" where it does."""
    upstream = truth.orders.get(order.link, [])
    if order.upstream_id is not None:
        its_own = any(str(each.id) == order.upstream_id for each in upstream)
        return "" if its_own or truth.lied_about(order) else f"its id {order.upstream_id} is not its own: {upstream}"
    if order.state in ON_THE_LIST:
        listed = AttentionItem.objects.filter(order_id=order.pk, closed_at__isnull=True).exists()
        return "" if listed else "nobody is told"
    if order.state == State.ENDED:
        return f"it was given back and exists upstream as {upstream[0].id}" if upstream else ""
    return f"nothing moves it any more (lease until {order.lease_until}, attempt {order.attempt})"


def _unknowns(plan: Plan, truth: Truth, found: Findings) -> None:
    for order in Order.objects.filter(events__kind="unknown").distinct().order_by("id"):
        found.counts["unknown"] += 1
        _reached(plan, order, truth, found)
    for event in OrderEvent.objects.filter(kind="accepted", note__startswith="found upstream").select_related("order"):
        if truth.made.get(event.order.link) == event.order.upstream_id:
            found.counts["attached"] += 1
        elif truth.lied_about(event.order):
            found.counts["swapped_by_provider"] += 1
        else:
            found.wrong("wrongly_attached", f"order {event.order_id} got {event.order.upstream_id}")
    for order_id, link in _shown_not_placed():
        found.counts["not_placed"] += 1
        attempts = Attempt.objects.filter(order_id=order_id, outcome=Attempt.Outcome.ACCEPTED).count()
        if len(truth.orders.get(link, [])) > attempts and link not in truth.lies:
            found.wrong("wrongly_not_placed", f"order {order_id} exists upstream as {truth.made[link]}")
    found.counts["left_to_operator"] = Order.objects.filter(state=State.UNKNOWN).count()


def _reached(plan: Plan, order: Order, truth: Truth, found: Findings) -> None:
    """An unknown attempt of which nothing reached the provider: false, but where the process died at the very edge."""
    known = unknown = 0
    for attempt in order.attempts.all():
        if attempt.outcome == Attempt.Outcome.UNKNOWN:
            unknown += 1
        elif attempt.outcome != Attempt.Outcome.NOT_SENT or attempt.http_status is not None:
            known += 1
    unreached = unknown - (truth.requests[order.link] - known)
    if unreached <= 0:
        return
    died = order.attempts.filter(outcome=Attempt.Outcome.UNKNOWN, reading=DIED).exists()
    if died and _killed_at_the_edge(plan):
        found.counts["unknown_unsent"] += 1
    else:
        found.wrong("false_unknowns", f"order {order.pk} is unknown, and nothing of it reached the provider")


def _killed_at_the_edge(plan: Plan) -> bool:
    """Whether the kill can have hit a request between its mark and its end: at two points by their place, and at every
    point of sending where lanes run side by side, since each is elsewhere.
    """
    return plan.point in ("submit:marked", "submit:half_written") or (plan.stage == "submit" and plan.lanes > 1)


def _shown_not_placed() -> Iterable[tuple[int, str]]:
    items = AttentionItem.objects.filter(cause="unknown_submission", order_id__isnull=False)
    no = "It does not exist"
    shown = {item.order_id or 0 for item in items if str(item.evidence.get("finding", "")).startswith(no)}
    shown |= set(OrderEvent.objects.filter(kind="not_placed").values_list("order_id", flat=True))
    return list(Order.objects.filter(pk__in=shown).values_list("pk", "link"))


def _refills(truth: Truth, found: Findings) -> None:
    for upstream_id, times in truth.refills.items():
        asked = Order.objects.filter(upstream_id=str(upstream_id), refills__isnull=False).count()
        if times > asked:
            found.wrong("refills_twice", f"{upstream_id} was refilled {times} times and asked for {asked} times")


def _refunds(order: Order, truth: Truth, found: Findings) -> None:
    refunds = Transfer.objects.filter(order_id=order.pk, kind=Transfer.Kind.REFUND)
    given = sum((refund.amount for refund in refunds), Decimal(0))
    if given > order.charge:
        found.wrong("over_refunds", f"order {order.pk} was refunded {given} of {order.charge}")
    due = _due(order, truth)
    if given > due:
        what = "double_refunds" if len(refunds) > 1 else "refunded_although_delivered"
        found.wrong(what, f"order {order.pk} ({order.link}) was refunded {given}, due is {due}")
    elif given < due:
        found.wrong("refund_missing", f"order {order.pk} ({order.link}) was refunded {given}, due is {due}")


def _due(order: Order, truth: Truth) -> Decimal:
    """What the customer must have back, by what the provider delivered under the id that the order holds."""
    held = {str(each.id): each for orders in truth.orders.values() for each in orders}
    upstream = held.get(order.upstream_id or "")
    if upstream is None or upstream.status == "Canceled":
        return order.charge
    if upstream.status == "Completed":
        return Decimal(0)
    if order.quantity is None:  # a package: the share that the provider took
        assert order.provider_service is not None
        taken, price = upstream.charge, to_units(order.provider_service.rate)
        if not 0 <= taken <= price:  # it is another's, which the provider named twice: the operator gave all back
            return order.charge
        return order.charge - from_units(divide_up(to_units(order.charge) * taken, price))
    delivered = max(0, order.quantity - upstream.remains)
    kept = divide_up(to_units(order.rate) * delivered, PER)
    return order.charge - min(order.charge, from_units(kept))


def _deposits(plan: Plan, paid: Decimal, found: Findings) -> None:
    for number, amount in enumerate(plan.deposits):
        posted = [each.amount for each in Transfer.objects.filter(reference=f"deposit:payment-{number}")]
        if posted != [Decimal(amount)]:
            found.wrong("deposits_wrong", f"payment-{number} of {amount} was posted as {posted}")
    wallet = Customer.objects.select_related("wallet").get().wallet
    due = MONEY + sum(plan.deposits) - paid
    if wallet.balance != due:
        found.wrong("deposits_wrong", f"the wallet has {wallet.balance}, due is {due} of {OPENING}")
