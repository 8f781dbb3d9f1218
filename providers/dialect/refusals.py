"""Why a provider refused, from the texts it gave: a help for routing and for the operator, never a thing to depend on.

The provider's own map is asked first, then the texts that are known, then those that leave open whether the request was
carried out after all. What is left is OTHER: a refusal, in words that nobody has classified.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from providers.dialect.answer import redact
from providers.dialect.words import NO_WORDS, WordMap, refusal_letters
from providers.outcomes import Cause, Refusal

TEXT_LENGTH = 300  # characters of a refusal's text that are kept: the length of a pause's reason
LONGEST_CLASSIFIED = 300  # a longer text is a page or a trace, where a known phrase proves nothing

_SEPARATORS = re.compile(r"[\W_]+")

# "Order 17 was created, but …": whatever else it says, something was made.
_MADE = re.compile(
    r"\border (?:\d+ )?(?:has been |was |is )?(?:already |successfully )*(?:created|placed|accepted|received)\b"
)

# Looked at in this order, in text that is lower case with one space between words: "neworder error min quantity".
_KNOWN: tuple[tuple[Cause, re.Pattern[str]], ...] = tuple(
    (cause, re.compile("|".join(f"(?:{p})" for p in patterns)))
    for cause, *patterns in (
        # Exactly these: reconciling takes them as proof that an id does not exist.
        (Cause.INCORRECT_ID, r"^(?:error )?incorrect (?:order|refill) id$"),
        (
            Cause.RATE_LIMIT,
            r"\btoo many requests\b",
            r"\brate limit",
            r"\brequests? (?:limit|per (?:second|minute|hour))\b",
            r"\bthrottl",
        ),
        (
            Cause.FUNDS,
            r"\bnot enough (?:funds|balance|money|credits?)\b",
            r"\binsufficient (?:funds|balance|money|credits?)\b",
            r"\bbalance (?:is )?(?:not enough|insufficient|too low)\b",
            r"\blow balance\b",
            r"недостаточно средств",
            r"\bsaldo insuficiente\b",
            r"\byetersiz bakiye\b",
        ),
        (
            Cause.BAD_KEY,
            r"\b(?:invalid|incorrect|wrong|bad|missing|unknown|expired) (?:api )?(?:key|token)\b",
            r"\b(?:api )?key (?:is )?(?:invalid|incorrect|wrong|required|missing|not (?:found|valid)|expired)\b",
            r"^(?:error )?(?:unauthori[sz]ed|unauthenticated|bad auth)$",
        ),
        (
            Cause.INACTIVE,
            r"\b(?:user|account)(?: is| has been| was)? (?:in|not )active\b",
            r"\b(?:user|account)(?: is| has been| was)? (?:suspended|blocked|banned|disabled|deactivated)\b",
        ),
        (Cause.MAINTENANCE, r"\bmaintenance\b", r"технические работы"),
        (
            Cause.DUPLICATE_LINK,
            r"\blink duplicate\b",
            r"\bduplicated? link\b",
            r"\bactive order\b.*\blink\b",
            r"\border (?:with|for|on) (?:this|the same|that) link\b",
            r"\blink (?:is )?already\b",
        ),
        (
            Cause.SERVICE_GONE,
            r"\b(?:incorrect|invalid|wrong|unknown|bad) service(?: id)?$",
            r"\bservice(?: id)?(?: \d+)?(?: is| was| has been)?(?: currently)? "
            r"(?:in|not )(?:active|valid|found|correct|exists?)\b",
            r"\bservice(?: \d+)?(?: is| was| has been)? (?:disabled|deactivated|removed|deleted|closed)\b",
            r"\bservice (?:does not|doesn t) exist\b",
            r"\bno such service\b",
        ),
        (
            Cause.QUANTITY,
            r"\bquantity (?:is )?(?:less|more|greater|lower|higher|below|above)\b",
            r"\bquantity (?:is )?(?:must|should|required|missing|invalid|incorrect)\b",
            r"\b(?:min|max|minimum|maximum|minimal|maximal|invalid|incorrect|wrong|bad) (?:order )?quantity\b",
        ),
        (
            Cause.LINK,
            r"^neworder error link$",
            r"\b(?:bad|invalid|incorrect|wrong) (?:link|url)\b",
            r"\b(?:link|url) (?:is )?(?:invalid|incorrect|wrong|required|missing|bad|not valid)\b",
            r"\b(?:link|url) format\b",
        ),
        (
            Cause.NOT_ELIGIBLE,
            r"\bnot eligible\b",
            r"\b(?:refill|cancel|cancellation) (?:is )?(?:disabled|not (?:available|allowed|supported|possible))\b",
            r"\b(?:can not|cannot|can t) (?:be )?(?:refill|cancel)",
        ),
        (
            Cause.UNKNOWN_ACTION,
            r"\b(?:unknown|invalid|incorrect|wrong) (?:action|method|command)\b",
            r"\baction (?:is )?(?:not (?:found|supported|specified|allowed)|required|missing)\b",
        ),
        (Cause.INCORRECT_REQUEST, r"^(?:error )?(?:incorrect|invalid|bad|wrong) request$"),
        (
            Cause.AMBIGUOUS,
            r"\btime(?:d)? ?out\b",
            r"\bduplicated? (?:request|order|transaction|entry)\b",
            r"\balready\b",
            r"\binternal\b",
            r"\bserver (?:error|is busy|busy)\b",
            r"\bservice (?:is )?(?:temporarily |currently )?unavailable\b",
            r"\btry (?:it )?again\b",
            r"\bplease wait\b",
            r"\blater\b",
            r"\btemporar",
            r"\bgateway\b",
            r"\b(?:something|smth) went wrong\b",
            r"\b(?:unexpected|unknown|unhandled|fatal|system|database|network) (?:error|exception)\b",
            r"\berror (?:has )?occur",
            r"\bexception\b",
            r"\bsqlstate\b",
            r"\bdeadlock\b",
            r"\bcurl\b",
            r"\bconnection\b",
            r"\bin process\b|\bprocessing\b",
            r"\bfailed to\b",
            r"попробуйте|повторите|внутренняя|позже|таймаут|время ожидания",
            r"\btekrar dene|\bzaman aşımı|\btente novamente\b|\bint[eé]nt",
        ),
    )
)


def classify(texts: Iterable[str], words: WordMap = NO_WORDS, key: str = "") -> Refusal:
    """The refusal that these texts of one answer make together; its text is cut and never contains the key."""
    said = [text for text in texts if text.strip()]
    text = redact("; ".join(dict.fromkeys(said)), key)[:TEXT_LENGTH].rstrip()
    return Refusal.of(_cause(said, words), text or "no reason was given")


def _cause(texts: list[str], words: WordMap) -> Cause:
    for text in texts:
        if taught := words.refusal.get(refusal_letters(text)):
            return taught
    if any(_MADE.search(_simple(text)) for text in texts):
        return Cause.AMBIGUOUS
    causes = [_known(text) for text in texts]
    # {"error": "Error", "message": "Not enough funds"}: the text that says something speaks for the others.
    told = [cause for cause in causes if cause not in (Cause.OTHER, Cause.AMBIGUOUS)]
    return told[0] if told else Cause.AMBIGUOUS if Cause.AMBIGUOUS in causes else Cause.OTHER


def _known(text: str) -> Cause:
    if len(text) > LONGEST_CLASSIFIED:
        return Cause.AMBIGUOUS
    simple = _simple(text)
    return next((cause for cause, pattern in _KNOWN if pattern.search(simple)), Cause.OTHER)


def _simple(text: str) -> str:
    return _SEPARATORS.sub(" ", text.lower()).strip()
