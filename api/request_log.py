"""Writing the customer's log of calls (`accounts.calls`): each once it is answered, or refused; never its key."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpResponse

from accounts.calls import Logged, keep_call
from accounts.keys import without_keys
from accounts.models import Customer
from api.bodies import Fields
from api.errors import ApiError

SHOWN = 300  # characters kept of what was asked and of what was answered


class Entry:
    """The call under way: what it answers is told to it."""

    def __init__(self) -> None:
        self.answer = ""

    def say(self, text: str) -> None:
        self.answer = text[:SHOWN]

    def keep(self, response: HttpResponse) -> HttpResponse:
        packed = "Content-Encoding" in response.headers
        self.answer = "(the list)" if packed else response.content[: SHOWN * 4].decode(errors="replace")[:SHOWN]
        return response


@contextmanager
def note(customer: Customer, key: str, action: str, fields: Fields) -> Iterator[Entry]:
    """Keeps the call once it is answered, or refused. `key` is the key's prefix, or what stands in its place."""
    began, entry = time.monotonic(), Entry()
    try:
        yield entry
    except ApiError as error:
        entry.answer = json.dumps({"error": error.text}, ensure_ascii=False)
        raise
    finally:
        asked = ", ".join(f"{name}={value}" for name, value in fields.items() if name not in ("key", "action"))
        milliseconds = int((time.monotonic() - began) * 1000)
        kept = Logged(
            at=int(time.time()),
            key=key,
            action=without_keys(action[:200])[:40],
            asked=without_keys(asked)[:SHOWN],
            answer=without_keys(entry.answer)[:SHOWN],
            milliseconds=milliseconds,
        )
        keep_call(customer.pk, kept)
