"""How an order will fare: by words in its link, else by its service and the sandbox's shares, else it completes.

A word is written into the link: https://example.com/post/1?sandbox=partial:30,slow. Whoever tries the panel can so
see every ending; docs/sandbox.md lists the words.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from random import Random
from urllib.parse import unquote

from providers.sandbox.catalogue import Behaviour
from providers.sandbox.refusals import (
    BAD_LINK,
    DUPLICATE_LINK,
    INACTIVE,
    INCORRECT_SERVICE,
    MAINTENANCE,
    NO_FUNDS,
    Refused,
)

START_SECONDS = (4.0, 9.0)  # Pending for so long
WORK_SECONDS = (20.0, 40.0)  # then In progress: a newcomer sees an order through within a minute
SLOW, FAST = 20.0, 0.1
MOST_START = 20_000  # start counts lie below

REFUSALS = {
    "": BAD_LINK,
    "link": BAD_LINK,
    "funds": NO_FUNDS,
    "service": INCORRECT_SERVICE,
    "duplicate": DUPLICATE_LINK,
    "maintenance": MAINTENANCE,
    "inactive": INACTIVE,
}
FAULTS = {"lost": "reset_after", "unsent": "reset_before", "hang": "timeout_after"}
WORDS = {
    "partial": "stops with a part delivered; partial:30 delivers 30 percent (50 without a number)",
    "cancel": "is canceled before it starts, with all the money back",
    "cancel_late": "is canceled half way, with all the money back",
    "cancel_keep": "is canceled, and the provider keeps a part; cancel_keep:20 keeps 20 percent of the price",
    "fail": "ends with the status word Fail, which nobody documents",
    "pending": "never starts",
    "stuck": "starts and never ends",
    "slow": "takes twenty times as long",
    "fast": "takes a tenth of the time",
    "cancel_refused": "a request to cancel is answered with an error",
    "cancel_ignored": "a request to cancel is answered with success and nothing happens",
    "refill_rejected": "a refill ends as Rejected",
    "refill_refused": "a request to refill is answered with an error",
    "refuse": "add is refused: refuse, or refuse:funds, :service, :duplicate, :maintenance, :inactive",
    "lost": "add is done, but the connection breaks before it is answered",
    "unsent": "add is read and not done, and the connection breaks",
    "hang": "add is done and never answered",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """`ending` is completed, partial, canceled, canceled_late or fail; `share` the percent delivered or kept."""

    ending: str
    share: int
    start: float
    work: float
    starts: bool
    ends: bool
    start_count: int


def words_in(text: str) -> dict[str, str]:
    """The words of a link with their arguments: {"partial": "30", "slow": ""}."""
    words: dict[str, str] = {}
    for group in re.findall(r"sandbox=([A-Za-z0-9_:,]+)", unquote(text)):
        for word in group.split(","):
            name, _, argument = word.partition(":")
            words[name.lower()] = argument
    return words


def fault_in(link: str) -> str | None:
    """The kind of fault that a word of this link asks for."""
    return next((FAULTS[word] for word in words_in(link) if word in FAULTS), None)


def refuse_if_told(link: str) -> None:
    words = words_in(link)
    if "refuse" in words:
        raise Refused(REFUSALS.get(words["refuse"], BAD_LINK))


def plan_for(link: str, behaviour: Behaviour, chance: Random) -> Plan:
    """`chance` belongs to this order alone, so that a seed and an id always give the same life."""
    words = words_in(link)
    start, work = chance.uniform(*START_SECONDS), chance.uniform(*WORK_SECONDS)
    if behaviour.seconds is not None:
        work = behaviour.seconds
    pace = SLOW if "slow" in words else FAST if "fast" in words else 1.0
    ending, share = _ending(words, behaviour, chance)
    return Plan(
        ending=ending,
        share=share,
        start=start * pace,
        work=work * pace,
        starts="pending" not in words,
        ends="stuck" not in words,
        start_count=zlib.crc32(link.encode()) % MOST_START,
    )


def _ending(words: dict[str, str], behaviour: Behaviour, chance: Random) -> tuple[str, int]:
    if "partial" in words:
        return "partial", _percent(words["partial"], 50)
    if "cancel_keep" in words:
        return "canceled_late", _percent(words["cancel_keep"], 50)
    if "cancel_late" in words:
        return "canceled_late", 0
    if "cancel" in words:
        return "canceled", 0
    if "fail" in words:
        return "fail", 100
    lot = chance.random()
    if lot < behaviour.cancel:
        return "canceled", 0
    if lot < behaviour.cancel + behaviour.partial:
        return "partial", chance.randint(10, 90)
    return "completed", 100


def _percent(text: str, otherwise: int) -> int:
    return min(99, max(0, int(text))) if text.isdigit() else otherwise
