"""What an order costs its customer in the end.

One pure decision, from what the provider says to what stays paid. It reads no database and moves no money: settling
does that, with the answer given here. Rules: docs/orders.md, "Settling".
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.amounts import PER, divide_up
from orders.models import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What was promised and paid, in units of 10⁻⁶. `quantity` is None for what cannot be divided (a package)."""

    rate: int
    charge: int
    quantity: int | None
    cost: int | None  # booked, in the provider's currency; None where nothing was booked


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the provider said at the end; None for what it left out, or what could not be read.

    `cost` is its price in units of 10⁻⁶ of the currency that its prices are booked in; a price in another is None.
    """

    status: Status
    remains: int | None = None
    cost: int | None = None


BELIEVED_TIMES = 500  # the booked cost; beyond, a charge is a slip of units (a thousand for one) and no price


class NeedsOperator(Exception):
    """The report does not say what was delivered; the reason is for the attention list."""


def keep(sold: Sold, report: Report) -> int:
    """The part of the charge that stays paid, 0 to `sold.charge`.

    Raises NeedsOperator where the report leaves it open: guessing would be somebody's money.
    """
    match report.status:
        case Status.COMPLETED:
            return sold.charge  # whatever `remains` says: providers leave old numbers in it
        case Status.CANCELED:
            return _keep_of_canceled(sold, report)
        case Status.PARTIAL:
            return _keep_of_partial(sold, report)
        case _:
            raise AssertionError(f"{report.status} is not an end")


def delivered_of(sold: Sold, report: Report) -> int:
    """How much was delivered of what has a quantity, 0 to all of it. Raises NeedsOperator just where `keep` does."""
    assert sold.quantity is not None
    match report.status:
        case Status.COMPLETED:
            return sold.quantity
        case Status.CANCELED:
            return _keep_of_canceled(sold, report)  # nothing, and nothing stays paid
        case Status.PARTIAL:
            if report.remains is None or report.remains <= 0:
                raise NeedsOperator("Partial, but the provider does not say how much remains.")
            return sold.quantity - min(report.remains, sold.quantity)
        case _:
            raise AssertionError(f"{report.status} is not an end")


def keep_without(sold: Sold, undelivered: int) -> int:
    """What stays paid once so much of the quantity is known not to come: of an order that is delivered in runs."""
    assert sold.quantity is not None
    return sold.charge if undelivered == 0 else keep_for_delivered(sold, sold.quantity - undelivered)


def keep_for_delivered(sold: Sold, delivered: int) -> int:
    """What stays paid for a delivered quantity: rounded up, as the charge was, and never above it."""
    assert delivered >= 0
    return min(sold.charge, divide_up(sold.rate * delivered, PER))


def final_cost(sold: Sold, report: Report) -> int | None:
    """What the provider keeps of the booked cost in the end, or None to leave the books as they are.

    A canceled order was given back whole, also where the answer repeats the old price: `keep` has sent the other case,
    a part kept, to the operator. For the rest only a price in the booked currency is believed,
    and none that is hundreds of times the booked one.
    """
    if sold.cost is None:
        return None
    if report.status is Status.CANCELED:
        return 0
    return report.cost if report.cost is not None and report.cost <= sold.cost * BELIEVED_TIMES else None


def _keep_of_canceled(sold: Sold, report: Report) -> int:
    if report.cost is not None and sold.cost is not None and 0 < report.cost < sold.cost:
        raise NeedsOperator("Canceled, but the provider kept a part of its price.")
    return 0


def _keep_of_partial(sold: Sold, report: Report) -> int:
    if sold.quantity is None:
        return _share(sold, report)
    return keep_for_delivered(sold, delivered_of(sold, report))


def _share(sold: Sold, report: Report) -> int:
    """For what has no quantity: the customer pays the share of the price that the provider took."""
    if report.cost is None or not sold.cost or not 0 <= report.cost <= sold.cost:
        raise NeedsOperator("Partial, and the provider's charge does not say how much was delivered.")
    return divide_up(sold.charge * report.cost, sold.cost)
