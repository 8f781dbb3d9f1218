"""`add`: a line of the core, placed once.

An `Idempotency-Key` header or a `request_id` field makes it safe to send an order again: the key is stored in the
order's own transaction, so that fifty at once, or a server that died in between, make one order, and each gets the
same answer. Only orders that were made are stored: what was refused may be tried again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings

from accounts.models import Customer
from api import errors
from api.bodies import Fields
from api.errors import ApiError, incorrect
from api.ids import one_id
from orders.placing import Line, LineProblem, Once, Refused, Source, TokenOfAnother, place_orders

RESERVED = ("key", "action", "request_id")
TEXTS = {
    "service": errors.INCORRECT_SERVICE,
    "funds": errors.NO_FUNDS,
    "bad_link": errors.BAD_LINK,
    "link_rule": errors.BAD_LINK,
}


def add(customer: Customer, fields: Fields, source: Source, *, key: str | None) -> Mapping[str, object]:
    """Places one order; the answer. Raises ApiError, and nothing was charged."""
    service = one_id(fields.get("service", ""))
    if service is None:
        raise ApiError(errors.INCORRECT_SERVICE if fields.get("service", "").strip() else errors.INCORRECT_REQUEST)
    asked = {name: value for name, value in fields.items() if name not in RESERVED}
    line = Line(service_id=service, fields={name: value for name, value in asked.items() if name != "service"})
    try:
        (order,) = place_orders(
            customer=customer, lines=[line], once=_once(customer, asked, fields, key), source=source
        )
    except TokenOfAnother as error:
        raise ApiError(errors.KEY_REUSED) from error
    except Refused as refused:
        raise ApiError(text_of(refused.problems[0], asked)) from refused
    return {"order": order.pk}


def _once(customer: Customer, asked: Mapping[str, str], fields: Fields, key: str | None) -> Once | None:
    said = key if key is not None else fields.get("request_id") or None
    content = hashlib.sha256(json.dumps(sorted(asked.items())).encode()).hexdigest()
    if said is not None:
        if not said.isprintable() or not 1 <= len(said) <= settings.API_IDEMPOTENCY_KEY_LENGTH:
            raise ApiError(errors.BAD_IDEMPOTENCY_KEY.format(settings.API_IDEMPOTENCY_KEY_LENGTH))
        digest = hashlib.sha256(said.encode()).hexdigest()[:40]
        return Once(token=f"api:{digest}", content=content)
    if customer.repeat_seconds:
        return Once(token=f"same:{content}", content=content, within=timedelta(seconds=customer.repeat_seconds))
    return None


def text_of(problem: LineProblem, asked: Mapping[str, str]) -> str:
    """The table's text for what the core says is wrong with a line."""
    if problem.code in TEXTS:
        return TEXTS[problem.code]
    if problem.field == "quantity" and problem.limits is not None:
        limit = {
            "too_small": (errors.TOO_FEW, problem.limits.min),
            "too_large": (errors.TOO_MANY, problem.limits.max),
            "not_a_multiple": (errors.NOT_A_MULTIPLE, problem.limits.step),
        }.get(problem.code)
        if limit is not None:
            return limit[0].format(limit[1])
    return incorrect(problem.message).text
