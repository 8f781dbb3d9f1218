"""What each action answers, as JSON Schema: read by the OpenAPI document, the fuzzer and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.service_types import SERVICE_TYPES
from orders.models import Status

Schema = Mapping[str, Any]

MONEY: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}
COUNT: Schema = {"type": "string", "pattern": r"^[0-9]+$"}
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
AS_SENT: Schema = {"type": ["integer", "string"]}  # an id of a list: a number where what was sent is one
CURRENCY: Schema = {"type": "string", "pattern": "^[A-Z]{3}$"}
STATUS_WORD: Schema = {"type": "string", "enum": list(Status.values)}
SUBSCRIPTION_WORD: Schema = {"type": "string", "enum": ["Active", "Paused", "Completed", "Expired", "Canceled"]}
REFILL_WORD: Schema = {
    "type": "string",
    "enum": ["Pending", "In progress", "Completed", "Rejected", "Canceled", "Error"],
}
CHILDREN: Schema = {"type": "array", "items": AS_SENT}


def _object(**properties: Schema) -> Schema:
    """An object of exactly these fields."""
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def _either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


ERROR = _object(error=TEXT)
ORDER_STATUS = _object(charge=MONEY, start_count=COUNT, status=STATUS_WORD, remains=COUNT, currency=CURRENCY)
DRIP_FEED_STATUS = _object(charge=MONEY, status=STATUS_WORD, runs=WHOLE, orders=CHILDREN, currency=CURRENCY)
SUBSCRIPTION_STATUS = _object(
    charge=MONEY, status=SUBSCRIPTION_WORD, posts=WHOLE, expiry={"type": ["string", "null"]}, orders=CHILDREN,
    currency=CURRENCY,
)  # fmt: skip
ANY_STATUS = _either(ORDER_STATUS, DRIP_FEED_STATUS, SUBSCRIPTION_STATUS)
SERVICE = _object(
    service=WHOLE, name=TEXT, type={"type": "string", "enum": [kind.label for kind in SERVICE_TYPES.values()]},
    category=TEXT, rate=MONEY, min=COUNT, max=COUNT, refill=FLAG, cancel=FLAG, dripfeed=FLAG, desc=TEXT,
)  # fmt: skip

#: name → what it is; each action's forms name theirs.
ANSWERS: Mapping[str, Schema] = {
    "Services": _list(SERVICE),
    "Added": _object(order=WHOLE),
    "Status": ANY_STATUS,
    "Statuses": {"type": "object", "additionalProperties": _either(ANY_STATUS, ERROR)},
    "Refilled": _object(refill=COUNT),
    "RefilledEach": _list(_object(order=AS_SENT, refill=_either(WHOLE, ERROR))),
    "RefillStatus": _object(status=REFILL_WORD),
    "RefillStatuses": _list(_object(refill=AS_SENT, status=_either(REFILL_WORD, ERROR))),
    "CancelTaken": _object(status={"const": "success"}, message=TEXT),
    "CanceledEach": _list(_object(order=AS_SENT, cancel=_either({"const": 1}, ERROR))),
    "Balance": _object(balance={"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}, currency=CURRENCY),
    "Error": ERROR,
}
