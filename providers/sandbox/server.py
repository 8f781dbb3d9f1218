"""The sandbox as a whole: `Sandbox(...)` starts it in this process on a free port, for a test or for the command.

    with Sandbox() as sandbox:
        sandbox.faults.add("add", "timeout_after", times=1)
        requests.post(sandbox.url, {"key": sandbox.key, "action": "balance"})
        sandbox.advance(60)
        assert sandbox.journal.orders() == []
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from providers.sandbox.account import Account, Shares
from providers.sandbox.amounts import UNIT, price_of, read_amount, write_amount
from providers.sandbox.catalogue import OWN, load_catalogue, read_catalogue
from providers.sandbox.clock import Clock
from providers.sandbox.dialect import DIALECTS, HIDDEN, Answer, Api
from providers.sandbox.faults import Faults
from providers.sandbox.journal import Journal
from providers.sandbox.lifecycle import Lifecycle
from providers.sandbox.listener import Listener
from providers.sandbox.orders import CANCELED, ENDED, PARTIAL, Order, Refill
from providers.sandbox.store import Store

API_PATH = "/api/v2"
KEY = "sandbox-key"
BALANCE = "100.84292"  # the seed's example


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a sandbox is set up. In a test the clock stands still (`speed` 0) until the test advances it."""

    host: str = "127.0.0.1"
    port: int = 0
    key: str = KEY
    balance: str = BALANCE
    currency: str = "USD"
    dialect: str = "seed"
    services: Path | list[dict[str, Any]] | None = None
    state: Path | None = None
    journal: Path | None = None
    fsync: bool = False
    speed: float = 0.0
    seed: int = 1
    partial: float = 0.0
    cancel: float = 0.0
    idempotency: str = ""
    idle_seconds: float = 60.0


class Sandbox:
    """A running provider. Raises OSError (port), BadCatalogue or Unusable when it cannot be."""

    def __init__(self, options: Options | None = None, /, **changes: Any) -> None:
        self.options = replace(options or Options(), **changes)
        wanted = self.options.services
        catalogue = read_catalogue(wanted) if isinstance(wanted, list) else load_catalogue(wanted or OWN)
        self.key = self.options.key
        self.currency = self.options.currency
        self.services = {id: dict(service.listing) for id, service in catalogue.items()}
        self.faults = Faults(Random(self.options.seed))  # noqa: S311 - repeatable on purpose
        self.store = Store(self.options.state, self.options.journal, fsync=self.options.fsync)
        try:
            self.clock = self._open()
            self._life = Lifecycle(self.store, self.clock, self.options.seed)
            self._account = Account(
                store=self.store,
                clock=self.clock,
                life=self._life,
                services=catalogue,
                shares=Shares(partial=self.options.partial, cancel=self.options.cancel),
                idempotency=self.options.idempotency,
            )
            dialect = DIALECTS[self.options.dialect]
            self._api = Api(self._account, key=self.key, currency=self.currency, dialect=dialect)
            self._listener = Listener(self, host=self.options.host, port=self.options.port)
        except BaseException:
            self.store.close()
            raise
        self.journal = Journal(self._entries)

    def _open(self) -> Clock:
        """The account and the clock, as the state file has them or new."""
        opening = read_amount(self.options.balance)
        fresh = self.store.open_account(opening)
        kept = json.loads(self.store.fact("clock") or "{}")
        clock = Clock(**kept) if kept else Clock(speed=self.options.speed)
        clock.run_at(self.options.speed)
        self._keep(clock)
        facts = {"fresh": fresh, "balance": write_amount(self.store.balance()), "currency": self.currency}
        self.store.note("started", clock=clock.now(), speed=clock.speed, **facts)
        return clock

    def _keep(self, clock: Clock) -> None:
        self.store.keep_fact("clock", json.dumps({"speed": clock.speed, "shown": clock.shown, "wall": clock.wall}))

    # Running

    def start(self) -> Self:
        self._listener.start()
        return self

    def stop(self) -> None:
        self._listener.stop()
        self.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def busy(self) -> bool:
        """Whether a connection is open: while it is, something that was asked for may still be done."""
        return self._listener.busy

    @property
    def root(self) -> str:
        return f"http://{self.options.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}{API_PATH}"

    def answer(self, fields: dict[str, str], *, request: int | None = None) -> Answer:
        """The answer to a request without the sockets and faults; the key is in the fields."""
        return self._api.answer(fields, request=request)

    # Time

    def catch_up(self) -> None:
        self._life.catch_up()

    def advance(self, seconds: float) -> None:
        """Let time pass, and do all that happens in it."""
        self.clock.advance(seconds)
        self._keep(self.clock)
        self.catch_up()

    def run_at(self, speed: float) -> None:
        self.clock.run_at(speed)
        self._keep(self.clock)

    def finish_all(self) -> None:
        """Let time pass until nothing more happens by itself (endless subscriptions and stuck orders stay)."""
        self._life.finish_all()
        self._keep(self.clock)

    # Looking

    def _entries(self) -> list[dict[str, Any]]:
        self.catch_up()
        return self.store.entries()

    @property
    def balance(self) -> Decimal:
        self.catch_up()
        return Decimal(self.store.balance()) / UNIT

    @property
    def opening(self) -> Decimal:
        return Decimal(self.store.opening()) / UNIT

    @property
    def orders(self) -> dict[int, Order]:
        """All orders by id, runs and posts included; `charge` and `rate` are in 10⁻⁶."""
        self.catch_up()
        return {order.id: order for order in self.store.orders_where("1 ORDER BY id")}

    @property
    def refills(self) -> dict[int, Refill]:
        self.catch_up()
        return {refill.id: refill for refill in self.store.refills_where("1 ORDER BY id")}

    # Interfering

    def set_order(
        self,
        id: int | str,
        *,
        status: str | None = None,
        remains: int | None = None,
        charge: str | Decimal | None = None,
        start_count: int | None = None,
        show: dict[str, Any] | None = None,
        hide: tuple[str, ...] = (),
    ) -> Order:
        """Do to an order by hand what its life would not; money follows.

        A `status` stops its own life. Without `charge`, Canceled gives all back and Partial the part that `remains`
        is of the quantity. `show` replaces fields of its status answers by anything, `hide` leaves them out.
        """
        with self.store.transaction():
            self.catch_up()
            order = self.store.order(int(id))
            if order is None:
                raise KeyError(f"there is no order {id}")
            order.start_count = order.start_count if start_count is None else start_count
            order.shown |= (show or {}) | dict.fromkeys(hide, HIDDEN)
            now = self.clock.now()
            wanted = _charge_wanted(order, status, remains, charge)
            left = _remains_wanted(order, status, remains, now)
            if status is not None or remains is not None:
                order.started_at = None  # what remains is what was said, and falls no more
                order.remains = left
            if status is None:
                self.store.save_order(order)
                self._life.give_back(order, order.charge - wanted, now)
            else:
                self._life.end(order, status, now, remains=left, charge=wanted)
        return order

    def set_balance(self, amount: str | Decimal) -> None:
        """Top the account up, or take from it, until it holds this."""
        with self.store.transaction():
            change = read_amount(amount) - self.store.balance()
            balance = self.store.move_balance(change)
            facts = {"amount": write_amount(change), "balance": write_amount(balance)}
            self.store.note("top_up", clock=self.clock.now(), **facts)

    def place_by_hand(self, **fields: str) -> int:
        """An order in the same account that no request made: somebody uses the provider's own page."""
        return self._account.place(fields, by="hand").id


def _charge_wanted(order: Order, status: str | None, remains: int | None, charge: str | Decimal | None) -> int:
    if charge is not None:
        return read_amount(charge)
    if status == CANCELED:
        return 0
    if status == PARTIAL and remains is not None:
        return min(order.charge, price_of(order.rate, max(0, order.quantity - remains)))
    return order.charge


def _remains_wanted(order: Order, status: str | None, remains: int | None, now: float) -> int:
    if remains is not None:
        return remains
    return 0 if status in ENDED - {CANCELED, PARTIAL} else order.remains_at(now)
