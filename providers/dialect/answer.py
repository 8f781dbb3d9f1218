"""An upstream answer as it came, and the ways in which it can be no answer.

The client makes an `Answer` from what it received; every reader of this folder takes one. It carries the provider's key
only so that nothing made from the answer can show it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from providers.outcomes import Evidence, Refusal

EVIDENCE_LENGTH = 4096  # characters: enough for any error, small enough to keep one for each attempt
REDACTED = "[key]"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (any case) and body of one HTTP answer."""

    http_status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    key: str = field(default="", repr=False)

    def header(self, name: str) -> str:
        """The header's value, empty when absent. `requests` looks up in any case; a plain dict is searched."""
        value = self.headers.get(name)
        if value is None:
            value = next((v for k, v in self.headers.items() if k.lower() == name.lower()), "")
        return value

    @property
    def evidence(self) -> Evidence:
        text = self.body.decode("utf-8", "replace").replace("\x00", "")
        return Evidence(self.http_status, redact(text, self.key)[:EVIDENCE_LENGTH])


class NoAnswer(Exception):
    """The answer does not say what was asked."""


class Unreadable(NoAnswer):
    """What came is not an answer in this dialect; whether the request was processed is open."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotProcessed(NoAnswer):
    """The request was turned away before it was looked at: safe to send again, after `retry_after` seconds if given."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Refused(NoAnswer):
    """The provider refused the call as a whole."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


def redact(text: str, key: str) -> str:
    """The text without the key, in each of the spellings in which a page or a JSON error may echo it."""
    if not key:
        return text
    spellings = {key, quote(key, safe=""), quote(key), quote_plus(key), html.escape(key)}
    spellings |= {json.dumps(key)[1:-1], json.dumps(key)[1:-1].replace("/", "\\/")}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, REDACTED)
    return text
