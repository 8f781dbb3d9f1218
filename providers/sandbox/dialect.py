"""The seven actions, and the exact shape of their answers.

`seed` is the seed's document to the letter. `rich` adds what it leaves out of drip-feed and subscription answers
(charge, currency, orders, expiry). `common` is how most others speak: cancel only with `orders=`, lists, no "104".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from providers.sandbox.account import Account
from providers.sandbox.amounts import write_amount
from providers.sandbox.orders import DRIP, IN_PROGRESS, SUBSCRIPTION, Order
from providers.sandbox.refusals import INCORRECT_ORDER, INCORRECT_REQUEST, INVALID_KEY, UNKNOWN_ACTION, Refused

Answer = dict[str, Any] | list[Any]
MOST_IDS = 100  # of a status, refill, refill_status or cancel of many


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between providers; the names say what is answered."""

    name: str
    code_104: bool = True  # {"error": "Incorrect order ID", "status": "104"} among many
    capital_progress: bool = True  # "In Progress" of a drip-feed
    rich: bool = False
    cancel_of_one: bool = True  # cancel takes `order`
    refill_message: bool = True  # {"refill": …, "status": 200, "message": …}


DIALECTS = {
    each.name: each
    for each in (
        Dialect("seed"),
        Dialect("rich", rich=True),
        Dialect(
            "common", code_104=False, capital_progress=False, rich=True, cancel_of_one=False, refill_message=False
        ),
    )
}


class Api:
    """Answers one request at a time, from the account as it is at that moment."""

    def __init__(self, account: Account, *, key: str, currency: str, dialect: Dialect) -> None:
        self._account = account
        self._key = key
        self._currency = currency
        self._dialect = dialect
        self._actions: dict[str, Callable[[Mapping[str, str], int | None], Answer]] = {
            "services": self._services,
            "add": self._add,
            "status": self._status,
            "refill": self._refill,
            "refill_status": self._refill_status,
            "cancel": self._cancel,
            "balance": self._balance,
        }

    def answer(self, fields: Mapping[str, str], *, request: int | None = None) -> Answer:
        """The JSON value for a request's fields; a refusal is an answer, too."""
        try:
            if fields.get("key") != self._key:
                raise Refused(INVALID_KEY)
            if "action" not in fields:
                raise Refused(INCORRECT_REQUEST)
            action = self._actions.get(fields["action"])
            if action is None:
                raise Refused(UNKNOWN_ACTION)
            with self._account.store.lock:
                self._account.life.catch_up()
                return action(fields, request)
        except Refused as refusal:
            return {"error": str(refusal)}

    def _services(self, fields: Mapping[str, str], request: int | None) -> Answer:
        return [dict(service.listing) for service in self._account.services.values()]

    def _add(self, fields: Mapping[str, str], request: int | None) -> Answer:
        return {"order": self._account.place(fields, request=request).id}

    def _balance(self, fields: Mapping[str, str], request: int | None) -> Answer:
        return {"balance": write_amount(self._account.store.balance()), "currency": self._currency}

    def _status(self, fields: Mapping[str, str], request: int | None) -> Answer:
        if "orders" not in fields:
            return self._shown(self._one_order(fields))
        numbers = _list_of(fields["orders"])
        found = self._account.orders_numbered(numbers)
        missing = {"error": INCORRECT_ORDER} | ({"status": "104"} if self._dialect.code_104 else {})
        return {number: self._shown(found[number]) if number in found else dict(missing) for number in numbers}

    def _shown(self, order: Order) -> dict[str, Any]:
        answer = self._shown_money(order)
        now = self._account.clock.now()
        if order.form == DRIP:
            word = "In Progress" if self._dialect.capital_progress else order.status
            answer |= {"status": word if order.status == IN_PROGRESS else order.status, "runs": order.done}
        elif order.form == SUBSCRIPTION:
            answer |= {"status": order.status, "posts": order.done}
        else:
            answer = {
                "charge": write_amount(order.charge),
                "start_count": str(order.start_count),
                "status": order.status,
                "remains": str(order.remains_at(now)),
                "currency": self._currency,
            }
        answer |= order.shown
        return {name: value for name, value in answer.items() if value != HIDDEN}

    def _shown_money(self, order: Order) -> dict[str, Any]:
        if not self._dialect.rich or order.form not in {DRIP, SUBSCRIPTION}:
            return {}
        parts = self._account.store.orders_where("parent = ? ORDER BY id", (order.id,))
        answer: dict[str, Any] = {"charge": write_amount(order.charge), "currency": self._currency}
        if order.form == SUBSCRIPTION:
            answer["expiry"] = order.details.get("expiry") or None
        answer["orders"] = [str(part.id) for part in parts]
        return answer

    def _refill(self, fields: Mapping[str, str], request: int | None) -> Answer:
        if "orders" in fields:
            return [self._refill_item(number) for number in _list_of(fields["orders"])]
        number = str(self._account.refill(self._one_order(fields)).id)
        if not self._dialect.refill_message:
            return {"refill": number}
        return {"refill": number, "status": 200, "message": "Refill has been placed successfully!"}

    def _refill_item(self, number: str) -> dict[str, Any]:
        try:
            return {"order": _as_id(number), "refill": self._account.refill(self._one_order({"order": number})).id}
        except Refused as refusal:
            return {"order": _as_id(number), "refill": {"error": str(refusal)}}

    def _refill_status(self, fields: Mapping[str, str], request: int | None) -> Answer:
        if "refills" in fields:
            return [self._refill_status_item(number) for number in _list_of(fields["refills"])]
        return {"status": self._account.refill_numbered(fields.get("refill", "")).status}

    def _refill_status_item(self, number: str) -> dict[str, Any]:
        try:
            return {"refill": _as_id(number), "status": self._account.refill_numbered(number).status}
        except Refused as refusal:
            return {"refill": _as_id(number), "status": {"error": str(refusal)}}

    def _cancel(self, fields: Mapping[str, str], request: int | None) -> Answer:
        if "orders" in fields:
            return [self._cancel_item(number) for number in _list_of(fields["orders"])]
        if not self._dialect.cancel_of_one:
            raise Refused(INCORRECT_REQUEST)
        self._account.cancel(self._one_order(fields))
        return {"status": "success", "message": "Cancellation request added, we'll try our best to cancel it."}

    def _cancel_item(self, number: str) -> dict[str, Any]:
        try:
            self._account.cancel(self._one_order({"order": number}))
        except Refused as refusal:
            return {"order": _as_id(number), "cancel": {"error": str(refusal)}}
        return {"order": _as_id(number), "cancel": 1}

    def _one_order(self, fields: Mapping[str, str]) -> Order:
        number = fields.get("order", "").strip()
        found = self._account.orders_numbered([number])
        if number not in found:
            raise Refused(INCORRECT_ORDER)
        return found[number]


HIDDEN = "\0hidden"  # a field of an order's `shown` with this value is left out of the answer


def _list_of(text: str) -> list[str]:
    """Ids separated by commas, each once, in their order."""
    numbers = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not 1 <= len(numbers) <= MOST_IDS:
        raise Refused(INCORRECT_REQUEST)
    return numbers


def _as_id(number: str) -> int | str:
    return int(number) if number.isascii() and number.isdigit() else number
