"""What came of `add`: the one answer where a wrong reading makes an order twice, or loses one.

Accepted only with a usable id and nothing that contradicts it; Rejected only with a well-formed refusal and no id;
NotSent only where the request never reached the panel. All else is Unknown.
"""

from __future__ import annotations

from providers.dialect.answer import Answer, NotProcessed, Refused, Unreadable
from providers.dialect.body import JSON
from providers.dialect.errors import error_texts, says_failure
from providers.dialect.numbers import read_id
from providers.dialect.refusals import classify
from providers.dialect.shapes import only_record
from providers.dialect.transport import open_answer
from providers.dialect.words import NO_WORDS, WordMap
from providers.outcomes import Accepted, AddOutcome, Cause, NotSent, Rejected, Unknown


def read_add(answer: Answer, words: WordMap = NO_WORDS) -> AddOutcome:
    """What the answer to `add` means. Raises nothing."""
    evidence = answer.evidence
    try:
        record = only_record(open_answer(answer, words))
    except NotProcessed as error:
        return NotSent(error.reason, error.retry_after, evidence)
    except Unreadable as error:
        return Unknown(error.reason, evidence)
    except Refused as error:
        if error.refusal.cause is Cause.AMBIGUOUS:
            return Unknown(f"the provider said: {error.refusal.text}", evidence)
        return Rejected(error.refusal, evidence)
    return _outcome(record, answer, words)


def _outcome(record: dict[str, JSON], answer: Answer, words: WordMap) -> AddOutcome:
    evidence = answer.evidence
    upstream_id = read_id(record.get("order"))
    texts = error_texts(record)
    nested = error_texts(record.get("order"))  # {"order": {"error": "…"}}
    if texts is None and nested is None:
        if upstream_id is None:
            return Unknown("an answer without a usable order id and without an error", evidence)
        if says_failure(record.get("status")):
            return Unknown(f"order id {upstream_id} together with a status of failure", evidence)
        return Accepted(upstream_id, evidence)
    said = [*(texts or []), *(nested or [])]
    if upstream_id is not None:
        return Unknown(f"order id {upstream_id} together with an error", evidence)
    if not said:
        return Unknown("an error without a word", evidence)
    refusal = classify(said, words, answer.key)
    if refusal.cause is Cause.RATE_LIMIT:
        return NotSent(refusal.text, None, evidence)
    if refusal.cause is Cause.AMBIGUOUS:
        return Unknown(f"the provider said: {refusal.text}", evidence)
    return Rejected(refusal, evidence)
