"""Five hundred orders over every outcome: our orders and the provider's journal agree one to one, and so do the
books.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random

import pytest

from ledger.amounts import from_units, to_units
from ledger.models import Transfer
from orders.deciding import it_exists, refund_whole, settle_by_hand
from orders.keeping import NeedsOperator, Report, Sold, keep
from orders.models import Order, State, Status
from orders.placing import place_orders
from providers.books import top_up
from providers.models import Provider
from providers.sandbox.server import Sandbox
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    balance,
    booked,
    books_are_right,
    due_now,
    followed,
    line,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = 500
FARES = {
    "fast": 40, "partial:30": 12, "partial:77": 8, "cancel": 10, "cancel_late": 6, "cancel_keep:20": 4, "fail": 3,
    "refuse:link": 5, "refuse:service": 2, "stuck": 2,
}  # fmt: skip
FAULTS = ("reset_after", "cut_json", "http_after", "reset_before", "rate_limit", "duplicate_id", "empty_after")


@pytest.mark.parametrize("seed", [1])
def test_five_hundred_orders_over_all_outcomes(sandbox: Sandbox, seed: int) -> None:
    random = Random(seed)
    alice = a_customer("100000")
    provider = a_provider(sandbox, concurrency=4)
    sandbox.set_balance("100000")
    top_up(provider=provider, amount=Decimal(99000), reference="test", actor=OPERATOR)
    _place(alice, provider, random)
    _send_all(sandbox, provider, random)
    _resolve_unknown(sandbox, provider)
    sandbox.finish_all()
    followed(provider)
    _decide_unclear(sandbox, provider)

    _one_to_one(sandbox, provider)
    _each_kept_what_the_table_says()
    assert booked(provider) == sandbox.balance
    paid = sum((order.charge - order.refunded for order in Order.objects.all()), Decimal(0))
    assert balance(alice) == 100000 - paid
    books_are_right()


def _place(alice: object, provider: Provider, random: Random) -> None:
    followers = a_service(provider, "1", rate="1.125")
    package = a_service(provider, "14", type="package", min=1, max=1, rate="0.30", name="Likes package", refill=False)
    package.routes.get().provider_service.__class__.objects.filter(external_id="14").update(rate=Decimal("0.25"))
    words = random.choices(list(FARES), weights=list(FARES.values()), k=ORDERS)
    lines = []
    for number, word in enumerate(words):
        link = f"https://example.com/{number}?sandbox={word}"
        if number % 10 == 3 and not word.startswith("partial"):
            lines.append(line(package, None, link))
        else:
            lines.append(line(followers, random.randint(50, 10_000), link))
    place_orders(customer=alice, lines=lines)  # type: ignore[arg-type]


def _send_all(sandbox: Sandbox, provider: Provider, random: Random) -> None:
    """Sends until nothing waits, with a fault now and then; a pause that too many of them cause ends by a probe."""
    for _ in range(200):
        if not Order.objects.filter(state=State.WAITING).exists():
            return
        sandbox.faults.add("add", random.choice(FAULTS), times=1, skip=random.randint(0, 40))
        turn("submit_orders", provider)
        turn("probe_providers", provider) if Provider.objects.get().queue == Provider.Queue.PAUSED else None
        due_now()
    raise AssertionError(f"orders still wait: {Counter(Order.objects.values_list('state', flat=True))}")


def _resolve_unknown(sandbox: Sandbox, provider: Provider) -> None:
    """The operator looks into the provider's panel: here the journal, which is the truth."""
    sandbox.faults.clear()
    made = {entry["link"]: str(entry["order"]) for entry in sandbox.journal.orders()}
    unknown = list(Order.objects.filter(state=State.UNKNOWN))
    assert unknown
    for order in unknown:
        if order.link in made:
            it_exists(order=order, upstream_id=made[order.link], actor=OPERATOR, reason="seen in the provider's panel")
        else:
            refund_whole(order=order, actor=OPERATOR, reason="not in the provider's panel")


def _decide_unclear(sandbox: Sandbox, provider: Provider) -> None:
    """Canceled with a part kept, and the word that nobody knows: a person's, who asks the provider for its price."""
    for order in Order.objects.filter(state=State.REVIEW):
        settle_by_hand(order=order, status=Status.CANCELED, delivered=None, actor=OPERATOR, reason="asked the provider")
    assert set(Order.objects.values_list("state", flat=True)) <= {State.ENDED, State.ACCEPTED, State.HELD}


def _one_to_one(sandbox: Sandbox, provider: Provider) -> None:
    theirs = {str(entry["order"]): entry["link"] for entry in sandbox.journal.orders()}
    ours = dict(Order.objects.filter(upstream_id__isnull=False).values_list("upstream_id", "link"))
    assert ours == theirs
    assert len(set(theirs.values())) == len(theirs), "no order was made twice"


def _each_kept_what_the_table_says() -> None:
    statuses: Counter[str] = Counter()
    for order in Order.objects.filter(state=State.ENDED):
        statuses[order.status] += 1
        refunds = Transfer.objects.filter(order_id=order.pk, kind=Transfer.Kind.REFUND)
        assert sum((refund.amount for refund in refunds), Decimal(0)) == order.refunded
        assert order.charge - order.refunded == _kept(order)
    assert set(statuses) == {Status.COMPLETED, Status.PARTIAL, Status.CANCELED}


def _kept(order: Order) -> Decimal:
    sold = Sold(rate=to_units(order.rate), charge=to_units(order.charge), quantity=order.quantity, cost=None)
    try:
        return from_units(keep(sold, Report(status=Status(order.status), remains=order.remains)))
    except NeedsOperator:
        return Decimal(0)
