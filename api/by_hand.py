"""The form on the documentation's pages that really calls: the action's own code, for the customer who is signed in.

Such a call is counted and logged like one of a key. It is shown as a script would send it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation

from accounts.models import Customer
from api import errors
from api.actions import SERVICES, Call, answer_of, bucket_of
from api.door import count
from api.errors import ApiError
from api.examples import body
from api.price_list import prepared
from api.reference import YOUR_KEY
from api.request_log import note

log = logging.getLogger(__name__)
IN_PLACE_OF_A_KEY = "by hand"
SHOWN = 20_000  # characters of an answer on the page: a price list may have millions


@dataclass(frozen=True, slots=True)
class Tried:
    """What a call by hand sent and what came back."""

    request: str
    answer: str
    cut: bool = False


def call_by_hand(customer: Customer, action: str, fields: Mapping[str, str]) -> Tried:
    """Calls the action for the customer. Whatever it answers, an error too, is in what comes back."""
    with translation.override("en"):
        answer = _answered(customer, action, fields)
    return Tried(_as_sent(action, fields), answer[:SHOWN], len(answer) > SHOWN)


def _answered(customer: Customer, action: str, fields: Mapping[str, str]) -> str:
    try:
        with note(customer, IN_PLACE_OF_A_KEY, action, fields) as entry:
            count(f"customer-{customer.pk}", bucket_of(action))
            if any("\x00" in value for value in fields.values()):
                raise errors.incorrect("a field holds characters that cannot be used")
            answer = _answer(customer, action, fields)
            entry.say(answer)
            return answer
    except ApiError as error:
        return json.dumps({"error": error.text})
    except Exception:
        log.exception("A call by hand failed")
        return json.dumps({"error": errors.BROKEN})


def _answer(customer: Customer, action: str, fields: Mapping[str, str]) -> str:
    if action == SERVICES:
        return prepared().body.decode()
    return json.dumps(
        answer_of(action, Call(customer=customer, key=None, fields=fields, idempotency_key=None)), ensure_ascii=False
    )


def _as_sent(action: str, fields: Mapping[str, str]) -> str:
    sent = body({"key": YOUR_KEY, "action": action, **fields})
    head = f"POST {settings.PUBLIC_URL}/api/v2\nContent-Type: application/x-www-form-urlencoded"
    return f"{head}\nContent-Length: {len(sent)}\n\n{sent}"
