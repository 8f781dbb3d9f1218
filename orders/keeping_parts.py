"""What an order that its provider divided costs its customer in the end: a subscription, a drip-feed sent whole.

One pure decision, as in `keeping`: no database, no money moved. How much was delivered is told by the prices of the
orders that the provider made for it: their sum, beside what all of it was to cost there, is the share that stays paid.
Rules: docs/orders.md, "Subscriptions".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.amounts import divide_up
from orders.keeping import BELIEVED_TIMES, NeedsOperator, Sold
from orders.models import FINAL, Status

ABOVE_COST = "The orders that the provider made for it cost more than all of it was to cost."


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the orders that the provider made. `status` is None until it was read; `charge` in units of 10⁻⁶ of the
    currency that is booked, None where it was not told in it.
    """

    status: Status | None
    charge: int | None

    @property
    def final(self) -> bool:
        return self.status in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the provider said at the end: the whole order's own charge, and its parts. `done` is the most runs or posts
    that it ever told of; `done_unreadable`, whether its last word counts them in a way that makes no sense.
    """

    status: Status
    done: int | None
    cost: int | None
    parts: Sequence[Part]
    done_unreadable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What stays paid; what the provider keeps (None: as it is booked); a doubt that the operator must hear of."""

    amount: int
    cost: int | None = None
    doubt: str = ""


def keep_subscription(sold: Sold, told: Told) -> Kept:
    """The part of what is held that is taken, 0 to `sold.charge`; raises NeedsOperator where the parts leave it open.

    The status alone says nothing: a subscription that completed may have had fewer posts, or smaller ones.
    """
    if _made_nothing(told):
        return Kept(amount=0, cost=0)
    return _by_parts(sold, told, _sum_of(sold, told))


def keep_drip_feed(sold: Sold, told: Told) -> Kept:
    """The part of a drip-feed's charge that stays paid; raises NeedsOperator where nothing says how much was run."""
    if told.status is Status.COMPLETED:
        return Kept(amount=sold.charge, cost=_cost_of_completed(sold, told))
    if told.status is Status.CANCELED and (_made_nothing(told) or _took_nothing(told)):
        return Kept(amount=0, cost=0)
    try:
        total = _sum_of(sold, told)
    except NeedsOperator as unclear:
        return _by_its_charge(sold, told, unclear)
    return _by_parts(sold, told, total)


def unfinished(parts: Sequence[Part]) -> int:
    """How many of the parts have not ended, or were never read."""
    return sum(not part.final for part in parts)


def known_sum(parts: Sequence[Part]) -> int:
    """What the parts cost together, as far as they tell it."""
    return sum(part.charge for part in parts if part.charge is not None)


def _made_nothing(told: Told) -> bool:
    """Whether all of it says that nothing was made; a price that stands beside it is no slip to be passed over."""
    if told.done != 0 or told.done_unreadable or told.parts:
        return False
    if told.cost:
        raise NeedsOperator("The provider made nothing for it, but keeps a price.")
    return True


def _took_nothing(told: Told) -> bool:
    """Many providers show the price on the orders that they made, and 0 on the whole: that 0 says nothing."""
    return told.cost == 0 and not told.done and not told.done_unreadable and not told.parts


def _cost_of_completed(sold: Sold, told: Told) -> int | None:
    """The order's own charge; where that is 0 the sum of its parts, or the cost as it is booked."""
    own = _believed(sold, told.cost)
    if own != 0:
        return own
    try:
        return _sum_of(sold, told) or None
    except NeedsOperator:
        return None


def _sum_of(sold: Sold, told: Told) -> int:
    """What the parts cost together, where all of them are known, have ended and say their price."""
    parts = told.parts
    if told.done_unreadable:
        raise NeedsOperator("The provider's count of what it made for it cannot be read.")
    if told.done is not None and told.done != len(parts):
        raise NeedsOperator(f"The provider tells of {told.done} made so far, but {len(parts)} of its orders are known.")
    if not parts:
        raise NeedsOperator("The provider does not say which orders it made for it.")
    if open_still := unfinished(parts):
        raise NeedsOperator(f"{open_still} of the {len(parts)} orders that the provider made for it have not ended.")
    charges = [part.charge for part in parts if part.charge is not None]
    if len(charges) < len(parts):
        silent = len(parts) - len(charges)
        raise NeedsOperator(f"{silent} of the {len(parts)} orders that the provider made for it tell no usable charge.")
    if any(part.status is Status.CANCELED and part.charge for part in parts):
        raise NeedsOperator("An order that the provider made for it was canceled, but a charge still stands on it.")
    return _usable(sold, sum(charges))


def _usable(sold: Sold, total: int) -> int:
    """The sum, where a share of the booked cost can be made of it."""
    if sold.cost is None or (sold.cost == 0 and sold.charge > 0):
        raise NeedsOperator("No cost was booked that the prices of the provider's orders could be compared with.")
    if total > sold.cost * BELIEVED_TIMES:
        raise NeedsOperator("The prices of the provider's orders are far above what all of it was to cost.")
    return total


def _by_parts(sold: Sold, told: Told, total: int) -> Kept:
    assert sold.cost is not None
    own = _believed(sold, told.cost)
    doubt = ABOVE_COST if total > sold.cost else ""
    share = divide_up(sold.charge * total, sold.cost) if sold.cost else 0
    return Kept(amount=min(sold.charge, share), cost=max(total, own or 0), doubt=doubt)


def _by_its_charge(sold: Sold, told: Told, unclear: NeedsOperator) -> Kept:
    """The share of the price that the provider took. A canceled one that still shows its whole price, or more, shows
    an old number; one that shows less than its parts cost does not show what they cost.
    """
    if not told.cost or not sold.cost or not known_sum(told.parts) <= told.cost <= sold.cost:
        raise unclear
    if told.status is Status.CANCELED and told.cost == sold.cost:
        raise NeedsOperator("Canceled, but the provider's whole price still stands.")
    return Kept(amount=divide_up(sold.charge * told.cost, sold.cost), cost=told.cost)


def _believed(sold: Sold, cost: int | None) -> int | None:
    """A price of the provider's, or None where it is not told or a slip of units."""
    return cost if cost is not None and sold.cost is not None and cost <= sold.cost * BELIEVED_TIMES else None
