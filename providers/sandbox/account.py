"""The sandbox's verbs: what a reseller's account can do, each in one transaction with its money and its journal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from providers.sandbox.amounts import price_of, write_amount
from providers.sandbox.catalogue import Behaviour, Service
from providers.sandbox.clock import Clock
from providers.sandbox.lifecycle import FIRST_ORDER, REFILL_SECONDS, Lifecycle, first_status
from providers.sandbox.orders import COMPLETED, DRIP, PACKAGE, PENDING, PLAIN, REJECTED, SUBSCRIPTION, Order, Refill
from providers.sandbox.plans import plan_for, refuse_if_told, words_in
from providers.sandbox.refusals import (
    DUPLICATE_LINK,
    INCORRECT_REFILL,
    INCORRECT_SERVICE,
    NO_CANCEL,
    NO_FUNDS,
    NO_REFILL,
    Refused,
)
from providers.sandbox.service_types import Ask, Limits, Measure, read_ask
from providers.sandbox.store import Store

FIRST_REFILL = 12345  # the seed's example
CANCEL_SECONDS = 3.0  # from a request to cancel until it takes place
_OPEN = "status NOT IN ('Completed', 'Partial', 'Canceled', 'Expired')"


@dataclass(slots=True, kw_only=True)
class Shares:
    """Parts of all orders, from 0 to 1, that end so although neither their link nor their service says it."""

    partial: float = 0.0
    cancel: float = 0.0


@dataclass(slots=True, kw_only=True)
class Account:
    store: Store
    clock: Clock
    life: Lifecycle
    services: Mapping[int, Service]
    shares: Shares = field(default_factory=Shares)
    idempotency: str = ""  # the name of a parameter of `add` that makes it repeatable; empty: there is none

    def place(self, fields: Mapping[str, str], *, request: int | None = None, by: str = "api") -> Order:
        """Make an order and take its charge, or raise Refused and do nothing."""
        with self.store.transaction():
            known = self._known(fields)
            if known is not None:
                return known
            service, ask = self._read(fields)
            form = _form(service, ask)
            charge = _charge(service, form, ask)
            if charge > self.store.balance():
                raise Refused(NO_FUNDS)
            order = self._new_order(service, ask, form, charge)
            order.request_id = (fields.get(self.idempotency) or None) if self.idempotency else None
            order.details["fields"] = {name: fields[name] for name in fields if name not in {"key", "action"}}
            self.store.insert_order(order)
            balance = self.store.move_balance(-charge)
            self._note_order(order, balance, request, by)
            return order

    def _known(self, fields: Mapping[str, str]) -> Order | None:
        value = fields.get(self.idempotency) if self.idempotency else None
        return next(iter(self.store.orders_where("request_id = ?", (value,))), None) if value else None

    def _read(self, fields: Mapping[str, str]) -> tuple[Service, Ask]:
        digits = fields.get("service", "").strip()
        service = self.services.get(int(digits)) if re.fullmatch("[0-9]{1,18}", digits) else None
        if service is None or service.type is None:
            raise Refused(INCORRECT_SERVICE)
        ask = read_ask(service.type, Limits(service.min, service.max, service.dripfeed), fields)
        refuse_if_told(ask.link)
        same = f"link = ? AND service = ? AND parent IS NULL AND {_OPEN} LIMIT 1"
        if service.behaviour.unique_link and self.store.orders_where(same, (ask.link, service.id)):
            raise Refused(DUPLICATE_LINK)
        return service, ask

    def _new_order(self, service: Service, ask: Ask, form: str, charge: int) -> Order:
        number = self.store.next_id("orders", FIRST_ORDER)
        plan = plan_for(ask.link, self._behaviour(service.behaviour), self.life.chance_of(number))
        now = self.clock.now()
        details: dict[str, Any] = {"plan": asdict(plan)}
        if form == SUBSCRIPTION:
            details |= {"min": ask.least, "old_posts": ask.old_posts, "delay": ask.delay, "expiry": ask.expiry}
        return Order(
            id=number,
            service=service.id,
            form=form,
            link=ask.link,
            quantity=ask.quantity,
            rate=service.rate,
            charge=charge,
            status=first_status(form),
            remains=ask.quantity * max(1, ask.runs),
            made_at=now,
            due=now + plan.start if plan.starts else None,
            runs=ask.posts or 0 if form == SUBSCRIPTION else ask.runs,
            interval=ask.interval,
            details=details,
        )

    def _behaviour(self, own: Behaviour) -> Behaviour:
        return replace(own, partial=own.partial or self.shares.partial, cancel=own.cancel or self.shares.cancel)

    def _note_order(self, order: Order, balance: int, request: int | None, by: str) -> None:
        self.store.note(
            "order",
            clock=order.made_at,
            order=order.id,
            service=order.service,
            link=order.link,
            quantity=order.quantity,
            runs=order.runs,
            charge=write_amount(order.charge),
            balance=write_amount(balance),
            status=order.status,
            by=by,
            request=request,
        )

    def cancel(self, order: Order) -> None:
        """Note a request to cancel; it takes place a little later. Raises Refused."""
        words = words_in(order.link)
        if order.ended or not self._allows(order, "cancel") or "cancel_refused" in words:
            raise Refused(NO_CANCEL)
        now = self.clock.now()
        with self.store.transaction():
            honoured = "cancel_ignored" not in words
            if honoured and order.cancel_at is None:
                order.cancel_at = now + CANCEL_SECONDS
                self.life.schedule(order, order.due)
                self.store.save_order(order)
            self.store.note("cancel", clock=now, order=order.id, honoured=honoured)

    def refill(self, order: Order) -> Refill:
        """Ask a completed order's service to refill it; one refill at a time. Raises Refused."""
        words = words_in(order.link)
        able = order.status == COMPLETED and order.parent is None and self._allows(order, "refill")
        if not able or "refill_refused" in words or self._refilling(order):
            raise Refused(NO_REFILL)
        now = self.clock.now()
        with self.store.transaction():
            refill = Refill(
                id=self.store.next_id("refills", FIRST_REFILL),
                order=order.id,
                status=PENDING,
                ending=REJECTED if "refill_rejected" in words else COMPLETED,
                made_at=now,
                due=now + REFILL_SECONDS[0],
            )
            self.store.insert_refill(refill)
            self.store.note("refill", clock=now, refill=refill.id, order=order.id)
        return refill

    def _allows(self, order: Order, what: str) -> bool:
        service = self.services.get(order.service)  # None: the catalogue is another since a restart
        return service is not None and (service.cancel if what == "cancel" else service.refill)

    def _refilling(self, order: Order) -> bool:
        return bool(self.store.refills_where('"order" = ? AND due IS NOT NULL LIMIT 1', (order.id,)))

    def refill_numbered(self, number: str) -> Refill:
        if re.fullmatch("[0-9]{1,18}", number):
            for refill in self.store.refills_where("id = ?", (int(number),)):
                return refill
        raise Refused(INCORRECT_REFILL)

    def orders_numbered(self, numbers: list[str]) -> dict[str, Order]:
        """The orders among these ids, by the id as it was sent."""
        asked = {number: int(number) for number in numbers if re.fullmatch("[0-9]{1,18}", number)}
        found = {order.id: order for order in self.store.orders(list(asked.values()))}
        return {number: found[id] for number, id in asked.items() if id in found}


def _form(service: Service, ask: Ask) -> str:
    measure = service.type.measure if service.type else None
    if measure is Measure.POSTS:
        return SUBSCRIPTION
    if measure is Measure.ONE:
        return PACKAGE
    return DRIP if ask.runs else PLAIN


def _charge(service: Service, form: str, ask: Ask) -> int:
    """What is taken at the start: all runs, all posts at their most, or the package."""
    if form == PACKAGE:
        return service.rate
    if form == SUBSCRIPTION:
        return price_of(service.rate, ask.quantity * (ask.posts or 0))
    return price_of(service.rate, ask.quantity * max(1, ask.runs))
