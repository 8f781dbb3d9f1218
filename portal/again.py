"""What a new order's form begins with, carried in an address: the fields of an order, or those typed so far.

They go by their declared names, as far as an address has room; what does not fit is typed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from django.conf import settings

from catalog.service_types import SERVICE_TYPES, Quantity, service_type
from orders.models import Order

NAMES = tuple(dict.fromkeys(field.name for kind in SERVICE_TYPES.values() for field in kind.fields))


def kept_of(query: Mapping[str, str]) -> str:
    """Of a query or a form the fields of an order, for an address; whichever service they were typed for."""
    return _fitting({name: query.get(name, "") for name in NAMES}, room=settings.PORTAL_ADDRESS_LENGTH)


def typed_of(query: Mapping[str, str]) -> dict[str, str]:
    """The same fields by name, for a form that passes them on."""
    return {name: query[name] for name in NAMES if query.get(name)}


def again_of(order: Order) -> str:
    """The address's query for one more order like this one: its service and all that was asked for."""
    head = urlencode({"service": order.service_id})
    kind = service_type(order.service_type)
    asked: dict[str, object] = {"link": order.link, **order.details}
    if kind is not None and kind.quantity is Quantity.GIVEN and order.quantity is not None:
        asked["quantity"] = order.quantity // (order.runs or 1)
    asked |= {"runs": order.runs or "", "interval": order.interval or ""}
    if kind is not None:
        asked = {field.name: asked.get(field.name, "") for field in kind.fields}
    kept = _fitting(asked, room=settings.PORTAL_ADDRESS_LENGTH - len(head))
    return f"{head}&{kept}" if kept else head


def _fitting(fields: Mapping[str, object], *, room: int) -> str:
    pairs: list[str] = []
    for name, value in fields.items():
        pair = urlencode({name: value}) if value not in ("", None) else ""
        if pair and len(pair) < room:
            pairs.append(pair)
            room -= len(pair) + 1
    return "&".join(pairs)
