"""The seven actions, by name: what each is counted as, and who answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings

from accounts.models import ApiKey, Customer
from api import errors, ordering, wishes
from api.bodies import Fields
from api.door import Bucket
from api.errors import ApiError
from api.ids import many_ids, one_id
from api.statuses import answers, not_yours
from ledger.amounts import plain
from ledger.balances import balance_of
from orders.models import Origin
from orders.placing import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: whose, with which key (None: tried by hand), its fields, and the Idempotency-Key of its header."""

    customer: Customer
    key: ApiKey | None
    fields: Fields
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Action:
    bucket: Bucket
    answer: Callable[[Call], object]


def status(call: Call) -> object:
    """One order, or up to a hundred as an object keyed by the ids as they were sent, in that order."""
    if "orders" not in call.fields:
        return _status_of_one(call)
    asked = many_ids(call.fields["orders"])
    found = answers(call.customer, asked)
    return {text: found.get(text) or not_yours() for text in asked}


def _status_of_one(call: Call) -> object:
    text = call.fields.get("order", "").strip()
    if not text:
        raise ApiError(errors.INCORRECT_REQUEST)
    found = answers(call.customer, {text: one_id(text)})
    if text not in found:
        raise ApiError(errors.INCORRECT_ORDER)
    return found[text]


def balance(call: Call) -> object:
    return {"balance": plain(balance_of(call.customer.wallet)), "currency": settings.PANEL_CURRENCY}


def add(call: Call) -> object:
    return ordering.add(call.customer, call.fields, Source(Origin.API, call.key), key=call.idempotency_key)


SERVICES = "services"
#: `services` is not among them: it is answered from prepared bytes (api.price_list).
ACTIONS: Mapping[str, Action] = {
    "add": Action(Bucket.ORDERS, add),
    "status": Action(Bucket.READS, status),
    "refill": Action(Bucket.ORDERS, lambda call: wishes.refill(call.customer, call.fields)),
    "refill_status": Action(Bucket.READS, lambda call: wishes.refill_status(call.customer, call.fields)),
    "cancel": Action(Bucket.ORDERS, lambda call: wishes.cancel(call.customer, call.fields)),
    "balance": Action(Bucket.READS, balance),
}


def bucket_of(name: str) -> Bucket:
    """What a call is counted as; one of no action is a read."""
    action = ACTIONS.get(name)
    return Bucket.READS if action is None else action.bucket


def answer_of(name: str, call: Call) -> object:
    """What an action other than `services` answers. Raises ApiError."""
    action = ACTIONS.get(name)
    if action is None:
        raise ApiError(errors.INCORRECT_ACTION if name else errors.INCORRECT_REQUEST)
    return action.answer(call)
