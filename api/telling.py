"""Callbacks as the documentation shows them: what is told, with which headers, and how a receiver verifies it.

Said once, like `api.reference`: the page, the OpenAPI document and docs/api.md read it. The examples of data are those
of the actions they belong to; the figures are the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from api.examples import Example
from api.schemas import ANY_STATUS, REFILL_WORD, WHOLE, Schema

MOMENT = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of message: when it is sent, an example of its data, and the schema of that."""

    type: str
    when: str
    data: Mapping[str, Any]
    schema: Schema

    @property
    def message(self) -> Mapping[str, Any]:
        """The whole body."""
        return {"type": self.type, "timestamp": MOMENT, "data": self.data}


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    about: str


HEADERS = (
    Header("webhook-id", N_("The message's own id, the same in every try: keep those you have worked off.")),
    Header("webhook-timestamp", N_("Seconds since 1970, of this try.")),
    Header("webhook-signature", N_("v1, and the signature; two of them, with a space between, after a new secret.")),
)


def events() -> Sequence[Event]:
    """What is told, each with an example."""
    status = {
        "order": 23501, "charge": "0.27819", "start_count": "3572", "status": "Partial", "remains": "157",
        "currency": settings.PANEL_CURRENCY,
    }  # fmt: skip
    refill = {"type": "object", "properties": {"refill": WHOLE, "order": WHOLE, "status": REFILL_WORD}}
    return (
        Event(
            "order.status",
            N_("The status of an order changed, its end included. With the order's id comes all that status answers."),
            status,
            {"allOf": [{"type": "object", "properties": {"order": WHOLE}, "required": ["order"]}, _open(ANY_STATUS)]},
        ),
        Event(
            "refill.status",
            N_("A refill was asked for, or its status changed. Of a drip-feed each run has its refill."),
            {"refill": 1, "order": 23501, "status": "Completed"},
            {**refill, "required": ["refill", "order", "status"]},
        ),
        Event(
            "ping",
            N_("You sent a test from the page of your addresses."),
            {"address": 1},
            {"type": "object", "properties": {"address": WHOLE}, "required": ["address"]},
        ),
    )


def _open(schema: Schema) -> Schema:
    """The same, with other fields beside: the order's id stands in one object with its status."""
    return {"anyOf": [{**each, "additionalProperties": True} for each in schema["anyOf"]]}


def rules() -> Sequence[str]:
    """What a receiver must know, a sentence or two each."""
    waits = [_span(seconds) for seconds in settings.CALLBACK_RETRY_SECONDS]
    retries = {
        "waits": ", ".join(waits[:-1]), "last": waits[-1], "longest": _span(settings.CALLBACK_LONGEST_WAIT_SECONDS),
        "hours": settings.CALLBACK_RETRY_HOURS, "days": settings.CALLBACK_KEEP_DAYS,
    }  # fmt: skip
    return (
        _(
            "Answer with any 2xx within %(seconds)s seconds: note the message, answer, then work. Redirects are not "
            "followed."
        )
        % {"seconds": f"{settings.CALLBACK_DEADLINE_SECONDS:g}"},
        _(
            "What is not taken is tried again after %(waits)s, and then every %(last)s. Retry-After of a 429 or 503 is "
            "heard, up to %(longest)s. After %(hours)s hours a message is parked: it stays on the page of your "
            "addresses, where it can be sent again, for %(days)s days. 410 Gone switches the address off."
        )
        % retries,
        _(
            "Messages of one order come in the order of its changes; each waits until those before it were taken or "
            "parked. Different orders do not wait for each other. The runs of a drip-feed are not told one by one."
        ),
        _(
            "A message may come more than once, always with the same webhook-id and the same body. Answer 2xx to one "
            "that you know already."
        ),
        _("A new order is Pending, as add answered: the first message about it is that of its first change."),
    )


def _span(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


_PYTHON = '''\
import base64, hashlib, hmac, json, time

def verified(headers, body: bytes, secret: str) -> dict:
    """The message, or ValueError when it is not from the panel. `body` is what came, not parsed and written anew."""
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        raise ValueError("too old")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    right = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(right, each) for each in headers["webhook-signature"].split()):
        raise ValueError("wrong signature")
    return json.loads(body)'''

_PHP = """\
<?php
function verified(array $headers, string $body, string $secret): array {
    // $headers: names in lower case. $body: file_get_contents("php://input"), as it came.
    [$id, $timestamp] = [$headers["webhook-id"], $headers["webhook-timestamp"]];
    if (abs(time() - (int) $timestamp) > 300) {
        throw new Exception("too old");
    }
    $key = base64_decode(substr($secret, strlen("whsec_")));
    $right = "v1," . base64_encode(hash_hmac("sha256", "$id.$timestamp.$body", $key, true));
    foreach (explode(" ", $headers["webhook-signature"]) as $each) {
        if (hash_equals($right, $each)) {
            return json_decode($body, true);
        }
    }
    throw new Exception("wrong signature");
}"""

_JAVASCRIPT = """\
import { createHmac, timingSafeEqual } from "node:crypto";

export function verified(headers, body, secret) {
  // headers: names in lower case, as Node has them. body: the text as it came.
  const id = headers["webhook-id"], timestamp = headers["webhook-timestamp"];
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) throw new Error("too old");
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const right = "v1," + createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  const same = (each) => each.length === right.length && timingSafeEqual(Buffer.from(each), Buffer.from(right));
  if (!headers["webhook-signature"].split(" ").some(same)) throw new Error("wrong signature");
  return JSON.parse(body);
}"""

_CURL = """\
# The signature of a message that you saved, to compare by eye: $id, $timestamp and $secret are its own, body.json
# is its body as it came.
key=$(printf %s "${secret#whsec_}" | base64 -d | od -An -tx1 | tr -d ' \\n')
{ printf '%s.%s.' "$id" "$timestamp"; cat body.json; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64"""


def verifying() -> Sequence[Example]:
    """How a receiver knows that a message is from the panel."""
    return (
        Example("curl", "curl", _CURL),
        Example("python", "Python", _PYTHON),
        Example("php", "PHP", _PHP),
        Example("js", "JavaScript", _JAVASCRIPT),
    )


def webhooks() -> Mapping[str, Any]:
    """The events as the OpenAPI document has them."""
    headers = [
        {"name": each.name, "in": "header", "required": True, "description": each.about, "schema": {"type": "string"}}
        for each in HEADERS
    ]
    return {
        event.type: {
            "post": {
                "operationId": f"told_{event.type.replace('.', '_')}",
                "summary": event.when,
                "parameters": headers,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _body(event), "example": event.message}},
                },
                "responses": {
                    "2XX": {"description": "Taken."},
                    "410": {"description": "Never again: the address is switched off."},
                    "default": {"description": "Not taken: it is tried again."},
                },
            }
        }
        for event in events()
    }


def _body(event: Event) -> Schema:
    return {
        "type": "object",
        "properties": {
            "type": {"const": event.type},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": event.schema,
        },
        "required": ["type", "timestamp", "data"],
    }
