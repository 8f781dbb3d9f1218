"""What happens to orders and refills as the sandbox's clock goes on.

Each has a moment at which something happens next (`due`). `catch_up` does all that is due, in order of time and as of
its own moment, so that one leap of the clock ends as many small steps would. Money is given back in the transaction
that writes the status.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from providers.sandbox.amounts import price_of, write_amount
from providers.sandbox.clock import Clock
from providers.sandbox.orders import (
    ACTIVE,
    CANCELED,
    COMPLETED,
    DRIP,
    EXPIRED,
    IN_PROGRESS,
    PACKAGE,
    PARTIAL,
    PAUSED,
    PENDING,
    PLAIN,
    REJECTED,
    SUBSCRIPTION,
    Order,
    Refill,
)
from providers.sandbox.plans import Plan
from providers.sandbox.store import Store

MINUTE_SECONDS = 1.0  # a minute of drip-feed intervals and delays: orders here take seconds instead of hours, too
POST_SECONDS = (6.0, 12.0)  # a subscribed user posts so often
REFILL_SECONDS = (3.0, 12.0)  # Pending, then In progress
FIRST_ORDER = 23501  # the seed's example
MOST_ROUNDS = 100_000  # of finish_all: more is a mistake in here


class Lifecycle:
    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self._store = store
        self._clock = clock
        self._seed = seed

    def catch_up(self) -> None:
        """Do all that is due by now."""
        now = self._clock.now()
        if self._nothing_due(now):
            return
        with self._store.transaction():
            while due := self._store.orders_where("due <= ? ORDER BY due, id LIMIT 1", (now,)):
                self._step(due[0])
            while refills := self._store.refills_where("due <= ? ORDER BY due, id LIMIT 1", (now,)):
                self._step_refill(refills[0])

    def _nothing_due(self, now: float) -> bool:
        query = "SELECT EXISTS (SELECT 1 FROM orders WHERE due <= ?) OR EXISTS (SELECT 1 FROM refills WHERE due <= ?)"
        return not self._store.value(query, (now, now))

    def finish_all(self) -> None:
        """Move the clock until nothing is left to happen, but for subscriptions that never end by themselves."""
        latest = (
            "SELECT max(due) FROM (SELECT due FROM orders WHERE NOT (form = 'subscription' AND runs = 0)"
            " UNION ALL SELECT due FROM refills)"
        )
        for _ in range(MOST_ROUNDS):
            moment = self._store.value(latest)
            if moment is None:
                return
            self._clock.advance_to(float(moment))
            self.catch_up()
        raise RuntimeError("orders do not come to an end")

    def chance_of(self, number: int) -> Random:
        """Luck of one order alone: the same for a seed and an id, whatever else happens."""
        return Random(f"{self._seed}:{number}")  # noqa: S311 - a simulation

    def schedule(self, order: Order, due: float | None) -> None:
        """When something happens next: at `due`, or at a requested cancel if that comes first."""
        moments = [moment for moment in (due, order.cancel_at) if moment is not None]
        order.due = min(moments, default=None)

    # One step of an order

    def _step(self, order: Order) -> None:
        moment = order.due or 0.0
        if order.cancel_at is not None and order.cancel_at <= moment:
            self._stop(order, moment)
        elif order.form == SUBSCRIPTION:
            self._next_post(order, moment)
        elif order.form == DRIP:
            self._next_run(order, moment)
        elif order.status == PENDING:
            self._begin(order, moment)
        else:
            self._finish(order, moment)

    def _begin(self, order: Order, moment: float) -> None:
        plan = plan_of(order)
        if plan.ending == "canceled":
            self.end(order, CANCELED, moment, remains=order.quantity, charge=0)
            return
        order.start_count = plan.start_count
        order.started_at = moment
        order.finish_at = moment + plan.work
        part = {"partial": plan.share / 100, "canceled_late": 0.5}.get(plan.ending, 1.0)
        self.schedule(order, moment + plan.work * part if plan.ends else None)
        self._change(order, IN_PROGRESS, moment)

    def _finish(self, order: Order, moment: float) -> None:
        plan = plan_of(order)
        if plan.ending == "partial":
            self._end_partial(order, moment, delivered=order.quantity * plan.share // 100, percent=plan.share)
        elif plan.ending == "canceled_late":
            kept = -(-order.charge * plan.share // 100)
            self.end(order, CANCELED, moment, remains=order.remains_at(moment), charge=kept)
        elif plan.ending == "fail":
            order.remains = order.remains_at(moment)
            order.due = None
            self._change(order, "Fail", moment)
        else:
            self.end(order, COMPLETED, moment, remains=0, charge=order.charge)

    def _stop(self, order: Order, moment: float) -> None:
        """A requested cancel takes place: nothing delivered is Canceled, else Partial."""
        if order.form in {DRIP, SUBSCRIPTION}:
            left = order.quantity * max(0, order.runs - order.done)
            status = CANCELED if order.form == SUBSCRIPTION or not order.done else PARTIAL
            self.end(order, status, moment, remains=left, charge=self._spent(order))
            return
        delivered = order.quantity - order.remains_at(moment)
        percent = 0
        if order.form == PACKAGE and order.started_at is not None and order.finish_at is not None:
            percent = int(100 * (moment - order.started_at) / max(0.001, order.finish_at - order.started_at))
        self._end_partial(order, moment, delivered=delivered, percent=percent)

    def _end_partial(self, order: Order, moment: float, *, delivered: int, percent: int) -> None:
        if order.form == PACKAGE:
            charge = -(-order.charge * min(100, percent) // 100)
        else:
            charge = min(order.charge, price_of(order.rate, delivered))
        status = PARTIAL if charge or delivered else CANCELED
        self.end(order, status, moment, remains=order.quantity - delivered, charge=charge)

    # Drip-feed and subscriptions: orders that make orders

    def _next_run(self, order: Order, moment: float) -> None:
        if order.status == PENDING:
            if plan_of(order).ending == "canceled":
                self.end(order, CANCELED, moment, remains=order.quantity * order.runs, charge=0)
                return
            self._change(order, IN_PROGRESS, moment)
        before = price_of(order.rate, order.quantity * order.done)
        order.done += 1
        charge = price_of(order.rate, order.quantity * order.done) - before
        more = order.done < order.runs
        self.schedule(order, moment + order.interval * MINUTE_SECONDS if more else None)
        self._store.save_order(order)
        self._make_part(order, moment, link=order.link, quantity=order.quantity, charge=charge)

    def _next_post(self, order: Order, moment: float) -> None:
        expiry = _expiry_of(order)
        if plan_of(order).ending == "canceled" and not order.done:
            self.end(order, CANCELED, moment, remains=0, charge=0)
            return
        if expiry is not None and expiry <= moment:
            self.end(order, EXPIRED, moment, remains=0, charge=self._spent(order))
            return
        chance = self.chance_of(order.id * 1_000_003 + order.done)
        quantity = chance.randint(int(order.details["min"]), order.quantity)
        charge = self._charge_for_post(order, quantity)
        if not order.charge_reserved and not self._take(order, charge, moment):
            order.due = None
            self._change(order, PAUSED, moment)
            return
        order.details["delivered"] = int(order.details.get("delivered", 0)) + quantity
        order.done += 1
        self._schedule_post(order, moment, chance, expiry)
        self._store.save_order(order)
        link = f"https://posts.example/{order.link}/{order.done}"
        self._make_part(order, moment, link=link, quantity=quantity, charge=charge)

    def _charge_for_post(self, order: Order, quantity: int) -> int:
        before = int(order.details.get("delivered", 0))
        return price_of(order.rate, before + quantity) - price_of(order.rate, before)

    def _schedule_post(self, order: Order, moment: float, chance: Random, expiry: float | None) -> None:
        if order.runs and order.done >= order.runs:
            self.schedule(order, None)
            return
        old = order.done < int(order.details.get("old_posts", 0))
        next_post = moment if old else moment + chance.uniform(*POST_SECONDS)
        self.schedule(order, next_post if expiry is None else min(next_post, max(moment, expiry)))

    def _take(self, order: Order, charge: int, moment: float) -> bool:
        if self._store.balance() < charge:
            return False
        balance = self._store.move_balance(-charge)
        order.charge += charge
        facts = {"order": order.id, "amount": write_amount(charge), "balance": write_amount(balance)}
        self._store.note("charge", clock=moment, **facts)
        return True

    def _make_part(self, parent: Order, moment: float, *, link: str, quantity: int, charge: int) -> None:
        """A run or a post: an order with an id of its own, already paid for by its parent."""
        number = self._store.next_id("orders", FIRST_ORDER)
        plan = plan_of(parent)
        wait = parent.details.get("delay", 0) * MINUTE_SECONDS + plan.start
        part = Order(
            id=number,
            parent=parent.id,
            service=parent.service,
            form=PLAIN,
            link=link,
            quantity=quantity,
            rate=parent.rate,
            charge=charge,
            remains=quantity,
            made_at=moment,
            due=moment + wait if plan.starts else None,
            details={"plan": parent.details["plan"]},
        )
        self._store.insert_order(part)
        facts = {"order": number, "parent": parent.id, "quantity": quantity, "charge": write_amount(charge)}
        self._store.note("run", clock=moment, status=part.status, **facts)

    def _spent(self, order: Order) -> int:
        """What the runs or posts made so far have cost; never more than was taken."""
        parts = self._store.value("SELECT coalesce(sum(charge), 0) FROM orders WHERE parent = ?", (order.id,))
        return min(order.charge, int(parts))

    def _part_ended(self, parent: Order, moment: float) -> None:
        if parent.ended or not parent.runs or parent.done < parent.runs:
            return
        parts = self._store.orders_where("parent = ?", (parent.id,))
        if not all(part.ended for part in parts):
            return
        words = {part.status for part in parts}
        status = words.pop() if len(words) == 1 else PARTIAL
        if parent.form == SUBSCRIPTION:
            status = COMPLETED
        left = sum(part.remains for part in parts)
        self.end(parent, status, moment, remains=left, charge=self._spent(parent))

    # Writing what happened

    def end(self, order: Order, status: str, moment: float, *, remains: int, charge: int) -> None:
        """The order's last status, and what it did not cost in the end given back."""
        order.remains = remains
        order.due = order.cancel_at = None
        self._change(order, status, moment)
        self.give_back(order, order.charge - charge, moment)
        if order.parent is not None:
            parent = self._store.order(order.parent)
            if parent is not None:
                self._part_ended(parent, moment)

    def give_back(self, order: Order, amount: int, moment: float) -> None:
        """Lower an order's charge (and its parent's, who paid) and raise the balance by it; below 0: the reverse."""
        if amount == 0:
            return
        balance = self._store.move_balance(amount)
        payer = order if order.parent is None else self._store.order(order.parent)
        order.charge -= amount
        self._store.save_order(order)
        if payer is not None and payer is not order:
            payer.charge -= amount
            self._store.save_order(payer)
        facts = {"order": order.id, "amount": write_amount(amount), "charge": write_amount(order.charge)}
        self._store.note("refund", clock=moment, balance=write_amount(balance), **facts)

    def _change(self, order: Order, status: str, moment: float) -> None:
        before, order.status = order.status, status
        self._store.save_order(order)
        facts = {"order": order.id, "status": status, "before": before, "remains": order.remains_at(moment)}
        self._store.note("status", clock=moment, **facts)

    # Refills

    def _step_refill(self, refill: Refill) -> None:
        moment = refill.due or 0.0
        if refill.status == PENDING and refill.ending != REJECTED:
            refill.status, refill.due = IN_PROGRESS, moment + REFILL_SECONDS[1]
        else:
            refill.status, refill.due = refill.ending, None
        self._store.save_refill(refill)
        self._store.note("refill_status", clock=moment, refill=refill.id, order=refill.order, status=refill.status)


def plan_of(order: Order) -> Plan:
    return Plan(**order.details["plan"])


def first_status(form: str) -> str:
    return ACTIVE if form == SUBSCRIPTION else PENDING


def _expiry_of(order: Order) -> float | None:
    """The end of the day that a subscription was given (d/m/Y), UTC."""
    text = order.details.get("expiry")
    if not text:
        return None
    day = datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=UTC)
    return (day + timedelta(days=1)).timestamp()
