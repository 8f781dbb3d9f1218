"""What the panel should hold, in plain Python: no database, none of the panel's own arithmetic, money in 10⁻⁶."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orders.models import State, Status

FREE = (State.WAITING, State.HELD)
OPEN = (State.SENDING, State.UNKNOWN)
BY_THE_OPERATOR = (State.UNKNOWN, State.HELD, State.WAITING, State.BY_HAND, State.REVIEW)


@dataclass(slots=True)
class Wallet:
    balance: int = 0


@dataclass(slots=True, kw_only=True)
class Sale:
    """An order as the model has it; `price` is what its provider takes."""

    wallet: Wallet
    rate: int
    quantity: int | None
    price: int
    state: State
    cancelable: bool
    charge: int = 0
    refunded: int = 0
    cost: int | None = None
    attempt: int = 0
    leased: bool = False
    wished: bool = False
    asked_to_cancel: bool = False

    def __post_init__(self) -> None:
        self.charge = self.rate if self.quantity is None else up(self.rate * self.quantity, 1000)

    def give_back(self, amount: int) -> None:
        assert 0 <= amount <= self.charge - self.refunded
        self.refunded += amount
        self.wallet.balance += amount

    def cancel(self) -> None:
        """Ended, nothing kept."""
        self.give_back(self.charge - self.refunded)
        self.state = State.ENDED

    def end(self, kept: int) -> None:
        self.give_back(max(self.charge - kept - self.refunded, 0))
        self.state = State.ENDED

    def accepted(self) -> None:
        self.state, self.cost, self.leased = State.ACCEPTED, self.price, False
        self.asked_to_cancel = self.wished and self.cancelable

    def refused(self, otherwise: State | None) -> None:
        """`otherwise` is where a refusal leaves an order that nobody wished to cancel; None ends it."""
        if self.wished or otherwise is None:
            self.cancel()
        else:
            self.state, self.leased = otherwise, False

    def kept_for(self, delivered: int) -> int:
        return min(self.charge, up(self.rate * delivered, 1000))

    def reported(self, status: Status, remains: int | None, cost: int | None) -> None:
        """The provider's last word."""
        booked = self.cost
        assert booked is not None
        if status == Status.COMPLETED:
            kept: int | None = self.charge
        elif status == Status.CANCELED:
            kept = None if cost is not None and 0 < cost < booked else 0
        elif self.quantity is None:
            believed = cost is not None and booked > 0 and cost <= booked
            kept = up(self.charge * (cost or 0), booked) if believed else None
        else:
            kept = None if remains is None or remains <= 0 else self.kept_for(max(self.quantity - remains, 0))
        if kept is None:
            self.state = State.REVIEW
            self.cost = booked if cost is None else cost
            return
        self.end(kept)
        self.cost = 0 if status == Status.CANCELED else booked if cost is None else cost


@dataclass(slots=True)
class Model:
    wallets: Sequence[Wallet]
    sales: dict[int, Sale] = field(default_factory=dict)  # by the order's id

    def in_state(self, *states: State) -> list[int]:
        return [number for number, sale in self.sales.items() if sale.state in states]

    def claim(self, most: int) -> list[int]:
        """The oldest that wait and are not leased."""
        free = [number for number in self.in_state(State.WAITING) if not self.sales[number].leased][:most]
        for number in free:
            self.sales[number].attempt += 1
            self.sales[number].leased = True
        return free


def up(above: int, below: int) -> int:
    """Rounded up, as everything that a customer pays."""
    return (above + below - 1) // below
