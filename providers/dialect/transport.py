"""What the HTTP status of an answer decides before its body is asked, for every action alike.

The question is always the same: may the request have been carried out? "Not processed" is said only where a server in
front of the panel turned it away; everything else that is no answer is left open. Rules: architecture, "Submitting";
dialect page, "Transport".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from providers.dialect.answer import Answer, NotProcessed, Refused, Unreadable
from providers.dialect.body import JSON, read_body
from providers.dialect.errors import error_texts
from providers.dialect.refusals import classify
from providers.dialect.words import NO_WORDS, WordMap
from providers.outcomes import Cause

LONGEST_RETRY_AFTER_SECONDS = 86_400.0  # a day: a wait beyond it is an operator's matter, not a timer's

# A CDN's own codes for "the panel was not reached": server down, no connection made, no TLS made.
NEVER_REACHED = frozenset({521, 523, 525, 526})

# Its codes for what broke after something may have been passed on: an odd answer, two kinds of timeout. The body is the
# CDN's, so no text in it is the provider's word.
BROKEN_BEHIND_A_CDN = frozenset({520, 522, 524})

# Codes below 500 that leave open whether the request was processed: it timed out while it was read (408), conflicts
# with an earlier one (409), may have been replayed (425), was closed midway (499).
OPEN_CODES = frozenset({408, 409, 425, 499})

# Causes that are looked at before an order is made: with these, a 5xx is an application that answers errors as 5xx.
_DECIDED_BEFORE = frozenset(Cause) - {Cause.OTHER, Cause.AMBIGUOUS, Cause.UNREADABLE}

_CHALLENGE = re.compile(
    rb"just a moment|attention required|cf-chl|/cdn-cgi/challenge|challenge-platform|ddos-guard|error code: 10[0-9]{2}",
    re.IGNORECASE,
)
_CHALLENGE_WITHIN = 20_000  # bytes: such a page says it in its head


def open_answer(answer: Answer, words: WordMap = NO_WORDS) -> JSON:
    """The JSON of an answer that was processed; raises NotProcessed, Refused or Unreadable.

    An error in the body of a 2xx is left to the action's own reader, which knows what `status` means there.
    """
    status = answer.http_status
    if status == 429:
        raise NotProcessed("the provider answered 429: too many requests", retry_after(answer))
    if status in NEVER_REACHED:
        raise NotProcessed(f"a CDN answered {status}: it did not reach the provider")
    if _is_challenge(answer):
        raise NotProcessed(f"a CDN answered {status} with a challenge of its own")
    if 200 <= status < 300:
        return read_body(answer.body)
    if status >= 400 and status not in BROKEN_BEHIND_A_CDN:
        _raise_refusal(answer, words)
    # A redirect most often comes from a web server in front of the panel, but an application may also answer one when
    # it is done: nothing is followed and nothing is assumed.
    reason = "a redirect; check the provider's URL" if 300 <= status < 400 else "not an error of this dialect"
    raise Unreadable(f"HTTP {status}, {reason}")


def _raise_refusal(answer: Answer, words: WordMap) -> None:
    """Raise Refused if the failed answer is a well-formed refusal that can be believed with its HTTP status."""
    try:
        value = read_body(answer.body)
    except Unreadable as error:
        raise Unreadable(f"HTTP {answer.http_status}, {error.reason}") from error
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    texts = error_texts(value, failed=True)
    if not texts:
        return
    refusal = classify(texts, words, answer.key)
    doubtful = answer.http_status >= 500 or answer.http_status in OPEN_CODES
    if doubtful and refusal.cause not in _DECIDED_BEFORE:
        raise Unreadable(f"HTTP {answer.http_status}: {refusal.text}")
    raise_refused(texts, words, answer.key)


def raise_refused(texts: list[str], words: WordMap, key: str) -> None:
    """Raise what the texts of an error amount to: a rate limit is not a refusal but a request to come back."""
    refusal = classify(texts, words, key)
    if refusal.cause is Cause.RATE_LIMIT:
        raise NotProcessed(refusal.text)
    raise Refused(refusal)


def retry_after(answer: Answer) -> float | None:
    """Seconds until the provider wants to be asked again, 0 to a day; None when it does not say.

    A date is measured against the answer's own `Date`: no clock is read here, and the provider's may be wrong.
    """
    value = answer.header("Retry-After").strip()
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", value):
        return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
    until, now = _date(value), _date(answer.header("Date"))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _is_challenge(answer: Answer) -> bool:
    """The header is set by the CDN alone, with any status; the words of its page count only with a 403."""
    if answer.http_status >= 400 and answer.header("cf-mitigated").strip().lower() == "challenge":
        return True
    head = answer.body[:_CHALLENGE_WITHIN]
    return answer.http_status == 403 and head.lstrip()[:1] not in (b"{", b"[") and bool(_CHALLENGE.search(head))
