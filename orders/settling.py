"""The end of orders: once each, in the transaction that writes the final status.

`settle` asks `keep` what stays paid, moves the refunds, corrects the booked costs and tells the story. What `keep`
leaves open goes to the operator's list: the order waits in REVIEW, and no money moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.utils import timezone

from ledger.amounts import from_units, to_units
from ledger.posting import Posting, post
from orders.costing import can_be_booked, correction_posting
from orders.dividing import is_divided, is_subscription
from orders.holding import holds
from orders.keeping import NeedsOperator, Report, Sold, delivered_of, final_cost, keep
from orders.keeping_parts import Kept, Part, Told, keep_drip_feed, keep_subscription, known_sum
from orders.models import CancelRequest, Order, State, Status
from orders.refunding import Refund, refund_all
from orders.runs import end_parents, end_runs
from orders.same_link import hint_of_end
from orders.story import line, tell
from records.attention import Item, close_of_orders, raise_many


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An order, locked by the caller and its readings already on it, with the provider's last word on it.

    `cost` is the provider's price where it came in the booked currency, else None; `done`, `done_unreadable` and
    `parts` are of what the provider divides by itself.
    """

    order: Order
    status: Status
    remains: int | None
    cost: Decimal | None
    done: int | None = None
    done_unreadable: bool = False
    parts: Sequence[Part] = ()


CAUSES_OF_AN_OPEN_ORDER = (  # items that an order's end answers
    "unknown_submission",
    "order_held",
    "settlement_unclear",
    "status_error",
    "order_absent",
    "order_overdue",
    "cancel_unanswered",
    "cancel_asked_by_hand",
)
RAN_THEIR_COURSE = (Status.COMPLETED, Status.EXPIRED)
SETTLED_FIELDS = ["state", "status", "reason", "cost", "ended_at", "ask_again_at", "lease_until", "undelivered"]


def settle(endings: Sequence[Ending]) -> tuple[int, int]:
    """Ends the orders and moves their money; returns how many ended and how many need the operator.

    Call it inside a transaction that holds the orders' rows, in id order; the caller has checked that none has ended.
    A run carries its drip-feed's row, locked before, as its `parent`: that is whose money moves.
    """
    assert connection.in_atomic_block
    decided: list[tuple[Ending, Kept]] = []
    unclear: list[tuple[Ending, str]] = []
    for ending in endings:
        assert ending.order.state != State.ENDED
        try:
            decided.append((ending, _kept(ending)))
        except NeedsOperator as why:
            unclear.append((ending, str(why)))
    _end(decided)
    _ask_operator(unclear)
    return len(decided), len(unclear)


def _kept(ending: Ending) -> Kept:
    """What stays paid, by the rule of the order's kind; raises NeedsOperator."""
    order = ending.order
    if not is_divided(order):
        report = _report(ending)
        return Kept(amount=keep(sold(order), report), cost=final_cost(sold(order), report))
    told = Told(
        status=ending.status, done=ending.done, done_unreadable=ending.done_unreadable, cost=_report(ending).cost,
        parts=ending.parts,
    )  # fmt: skip
    rule = keep_subscription if is_subscription(order.service_type) else keep_drip_feed
    return rule(sold(order), told)


def sold(order: Order) -> Sold:
    """The order as `keep` sees it."""
    return Sold(
        rate=to_units(order.rate),
        charge=to_units(order.charge),
        quantity=order.quantity,
        cost=None if order.cost is None else to_units(order.cost),
    )


def _report(ending: Ending) -> Report:
    return Report(
        status=ending.status,
        remains=ending.remains,
        cost=None if ending.cost is None else to_units(ending.cost),
    )


def _end(decided: Sequence[tuple[Ending, Kept]]) -> None:
    if not decided:
        return
    refunds, postings = [], []
    for ending, kept in decided:
        order = ending.order
        refunds.append(refund_of(order, from_units(kept.amount), ending.status))
        postings += true_up(order, None if kept.cost is None else from_units(kept.cost))
        close(order, ending.status)
        if order.parent is not None:
            assert order.quantity is not None
            order.undelivered = order.quantity - delivered_of(sold(order), _report(ending))
    Order.objects.bulk_update([ending.order for ending, _ in decided], SETTLED_FIELDS)
    runs = [ending.order for ending, _ in decided if ending.order.parent_id is not None]
    refund_all([*refunds, *end_runs(runs)])
    end_parents(runs)
    post(postings)
    close_cancels([ending.order for ending, _ in decided])
    hint_of_end([ending.order for ending, _ in decided])
    ended = [ending.order.pk for ending, _ in decided]
    close_of_orders(ended, causes=CAUSES_OF_AN_OPEN_ORDER, decision="The order has ended.")
    tell([line(ending.order, "ended") for ending, _ in decided])
    raise_many([_doubt(ending, kept.doubt) for ending, kept in decided if kept.doubt])


def true_up(order: Order, final: Decimal | None) -> list[Posting]:
    """Makes the booked cost on the instance the final one, and returns the transfer for it; None leaves it as it is.

    So does a price that no account can hold: it is no price, and must not keep the other orders of its answer waiting.
    """
    if final is None or order.cost is None:
        return []
    assert order.exchange_rate is not None
    if not can_be_booked(final, order.exchange_rate):
        return []
    postings = correction_posting(order, final)
    order.cost = final
    return postings


def refund_of(order: Order, kept: Decimal, status: Status) -> Refund:
    """The refund that leaves `kept` paid; what was refunded before counts."""
    return payback(order, kept, why="end", note=f"Order {order.pk}: {status.label}")


def payback(order: Order, kept: Decimal, *, why: str, note: str) -> Refund:
    """The money back at an order's end, whichever; where its charge is held, the hold ends with it."""
    back = max(order.charge - kept - order.refunded, Decimal(0))
    captured = order.charge - back if holds(order) else None
    return Refund(order=order, amount=back, why=why, note=note, captured=captured)


def close(order: Order, status: Status, *, reason: str = "") -> None:
    """Writes the end onto the instance (not to the database)."""
    now = timezone.now()
    order.state, order.status, order.reason = State.ENDED, status, reason
    order.ended_at, order.lease_until = now, None
    if order.upstream_id is not None:
        order.ask_again_at = now + timedelta(days=settings.ORDER_ASK_AGAIN_DAYS[0])


def close_cancels(orders: Sequence[Order]) -> None:
    """What became of the wishes to cancel: the orders' own end says so. What ran its course was not canceled."""
    ended = CancelRequest.objects.filter(ended_at__isnull=True)
    now = timezone.now()
    done = [order.pk for order in orders if order.status not in RAN_THEIR_COURSE]
    late = [order.pk for order in orders if order.status in RAN_THEIR_COURSE]
    if done:
        ended.filter(order_id__in=done).update(status=CancelRequest.Status.DONE, ended_at=now)
    if late:
        ended.filter(order_id__in=late).update(status=CancelRequest.Status.TOO_LATE, ended_at=now)


def _ask_operator(unclear: Sequence[tuple[Ending, str]]) -> None:
    """What the customer pays is open, what the provider took is not: its price, where it said it, is booked now."""
    if not unclear:
        return
    postings: list[Posting] = []
    for ending, why in unclear:
        ending.order.state, ending.order.reason = State.REVIEW, why
        postings += true_up(ending.order, _cost_to_book(ending))
    Order.objects.bulk_update([ending.order for ending, _ in unclear], ["state", "reason", "cost"])
    post(postings)
    raise_many(
        [
            Item(
                cause="settlement_unclear",
                key=f"settlement:{ending.order.pk}",
                summary=f"Order {ending.order.pk} ended as {ending.status.label}: {why}",
                evidence={
                    "status": ending.status.value,
                    "remains": ending.remains,
                    "provider's charge": ending.cost,
                    "charge": ending.order.charge,
                    **_evidence_of_parts(ending),
                },
                provider_id=ending.order.provider_id,
                order_id=ending.order.pk,
            )
            for ending, why in unclear
        ]
    )
    tell([line(ending.order, "review", note=why) for ending, why in unclear])


def _cost_to_book(ending: Ending) -> Decimal | None:
    """The provider's own price; of what it divides only where that is no less than what the parts are known to cost."""
    if ending.cost is None or not is_divided(ending.order):
        return ending.cost
    return ending.cost if ending.cost > 0 and to_units(ending.cost) >= known_sum(ending.parts) else None


def _evidence_of_parts(ending: Ending) -> dict[str, object]:
    if not is_divided(ending.order):
        return {}
    return {
        "made so far": ending.done,
        "its orders known here": len(ending.parts),
        "their charges": f"{from_units(known_sum(ending.parts)):f}",
    }


def _doubt(ending: Ending, why: str) -> Item:
    """What was settled all the same, by the rule, and contradicts what was known."""
    order = ending.order
    return Item(
        cause="contradiction",
        key=f"contradiction:{order.pk}",
        summary=f"Order {order.pk}: {why} All of its charge was kept, and no more.",
        evidence={"status": ending.status.value, "charge": order.charge, **_evidence_of_parts(ending)},
        provider_id=order.provider_id,
        order_id=order.pk,
    )
