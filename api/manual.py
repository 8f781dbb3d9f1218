"""docs/api.md, written from the reference by `make docs`; a test fails while the committed page says something else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from django.conf import settings

from api import parameters
from api.door import Bucket
from api.errors import TABLE
from api.examples import examples
from api.parameters import Parameter
from api.reference import Described, Form, actions, limits
from api.telling import HEADERS, events, rules, verifying
from catalog.service_types import SERVICE_TYPES

ADDRESS = "https://panel.example/api/v2"
HEAD = """\
# The API

Written by `make docs` from `api/reference.py` and the declarations it reads: change those, not this page. Each panel
shows it with its own address, currency and limits at `/docs/api/`, as an OpenAPI 3.1 document at
`/docs/api/openapi.json`, and with a form that really calls at `/docs/api/try/`.

Every action is one `POST` to `/api/v2` (with or without a slash at its end) with the fields `key` and `action` and
those of the action, form-encoded or as a JSON object; numbers may be text. The answer is JSON and comes with HTTP 200,
an error too: it is an object with `error`. Keys are made on the customer's page `/account/api/`, where the last
requests are shown as well.
"""
RETRIES = """\
## Safe retries

An order with a header `Idempotency-Key` (or a field `request_id`) may be sent again: it is made once, and every call
with that key gets the same answer, byte for byte, for {hours} hours. The same key with another order is refused. What
was refused is not kept: it may be tried again with the same key. Without a key a second identical order is another
order, or, where the customer chose a number of seconds on his API page, answered with the first.

## The list of services

`services` is answered from prepared bytes, with an `ETag`: `If-None-Match` gets an empty HTTP 304 as long as nothing
changed, `Accept-Encoding: gzip` the compressed list.
"""

CALLBACKS = """\
## Callbacks

So that nobody needs to poll: an address that is registered under *Callbacks* in the portal is sent each change as a
JSON POST, signed as the [Standard Webhooks](https://www.standardwebhooks.com/) are. [`callbacks.md`](callbacks.md)
says more of the signature and of the addresses that are taken.
"""
TESTED = """\
## How it is tested

`tests/api_v2/` has the contract line by line. `tests/chain/` runs this panel as the provider of another one, all
actions and types through both over HTTP, with faults between them, until the books of both agree. `make fuzz` sends
what schemathesis makes of the OpenAPI document, and worse, to a panel that runs, and fails at any answer that is not
HTTP 200 with JSON of the document's schema.

{figures}
"""
FENCES = {"curl": "sh"}  # what the language of an example is called in Markdown
FIGURES = (
    "The last long run, on 2026-11-27: 100,000 calls in 998 s on two cores that had other work besides; no 5xx, every "
    "answer JSON and of its schema. 12,706 orders were made, 11,475 lists of services read, 30,525 requests refused as "
    "incorrect."
)


def render() -> str:
    """The whole page, with the defaults of a new panel."""
    parts = [HEAD, "## Actions", ""]
    for action in actions():
        parts += _action(action)
    parts += ["## Service types", "", *_types(), "", RETRIES.format(hours=settings.ORDER_TOKEN_HOURS)]
    parts += [CALLBACKS, *_callbacks(), ""]
    parts += ["## Limits", "", *_limits(), "", "## Errors", "", *_errors(), ""]
    parts += [TESTED.format(figures=FIGURES).rstrip(), ""]
    return "\n".join(parts)


def _action(action: Described) -> Iterator[str]:
    counted = " Counted as an order." if action.bucket is Bucket.ORDERS else ""
    yield from (f"### {action.name}", "", f"{action.about}{counted}", "")
    for form in action.forms:
        yield from _form(action, form)
    if action.errors:
        yield from (f"May refuse with: {', '.join(f'`{text}`' for text in action.refusals)}.", "")


def _form(action: Described, form: Form) -> Iterator[str]:
    yield from (f"**{form.title}**", "")
    if form.parameters:
        yield from (*_parameters(form.parameters), "")
    yield from ("```sh", examples(ADDRESS, action.name, form.asked)[0].code, "```", "")
    for answer in form.answers:
        yield from (f"{answer.title}:", "", "```json", json.dumps(answer.value, ensure_ascii=False), "```", "")


def _parameters(listed: Sequence[Parameter]) -> Iterator[str]:
    yield from ("| field | | takes | about |", "|---|---|---|---|")
    for each in listed:
        yield f"| `{each.name}` | {'required' if each.required else ''} | {each.takes} | {each.about} |"


def _types() -> Iterator[str]:
    yield from ("| type | fields beside `service` | quantity | charge |", "|---|---|---|---|")
    for kind in SERVICE_TYPES.values():
        must, may = parameters.names_of(kind)
        fields = ", ".join([f"`{name}`" for name in must] + [f"[`{name}`]" for name in may])
        charge = parameters.CHARGES[kind.charged]
        yield f"| {kind.label} | {fields} | {parameters.quantity_of(kind)} | {charge} |"


def _callbacks() -> Iterator[str]:
    for event in events():
        yield from (f"**`{event.type}`** {event.when}", "", "```json", json.dumps(event.message), "```", "")
    yield from ("| header | |", "|---|---|")
    yield from (f"| `{each.name}` | {each.about} |" for each in HEADERS)
    yield ""
    yield from (f"* {rule}" for rule in rules())
    yield from ("", "### Is a message from the panel?")
    for example in verifying():
        yield from ("", f"{example.language}:", "", f"```{FENCES.get(example.key, example.key)}", example.code, "```")


def _limits() -> Iterator[str]:
    yield from ("| at most | of |", "|---|---|")
    for limit in limits():
        yield f"| {limit.value or 'no limit'} | {limit.of} |"


def _errors() -> Iterator[str]:
    yield from ("| text | when |", "|---|---|")
    for line in TABLE:
        yield f"| `{line.text}` | {line.when} |"
