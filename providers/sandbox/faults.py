"""Which requests go wrong, and how: rules that tests and the command line add.

A rule is written `action=kind[:argument][@probability][xTimes]`: `add=timeout_after@0.05`, `status=http:503x3`,
`*=delay:2`. The action `connect` stands for a connection that is being accepted. A fault hits before anything is made
or after, and its name says which.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

ACTIONS = ("services", "add", "status", "refill", "refill_status", "cancel", "balance")
CONNECT, ANY = "connect", "*"

BEFORE = {
    "delay": "waits SECONDS (1), then goes on; other faults may follow",
    "timeout_before": "reads the request, makes nothing, never answers (or hangs up after SECONDS)",
    "reset_before": "reads the request, makes nothing, resets the connection",
    "http": "answers with the status CODE (500), makes nothing",
    "html": "answers with a web page, makes nothing",
    "empty": "answers with an empty body, makes nothing",
    "redirect": "answers 301 to PLACE (the address itself with /moved), makes nothing",
    "rate_limit": "answers 429 with Retry-After: SECONDS (1), makes nothing",
    "answer": "answers with TEXT, makes nothing",
}
AFTER = {
    "timeout_after": "does it, never answers (or hangs up after SECONDS)",
    "reset_after": "does it, resets the connection",
    "http_after": "does it, answers with the status CODE (500)",
    "html_after": "does it, answers with a web page",
    "empty_after": "does it, answers with an empty body",
    "redirect_after": "does it, answers 301",
    "answer_after": "does it, answers with TEXT",
    "cut_json": "does it, answers with the first half of the JSON",
    "cut_body": "does it, promises the whole answer, sends half and hangs up",
    "wrong_types": "does it, answers with lists and objects where values belong",
    "mixed_types": "does it, answers with numbers for strings and strings for numbers",
    "unknown_word": "does it, answers with the status WORD (Fail); an add without an id",
    "duplicate_id": "does it, answers with the id of an earlier order or refill",
    "missing_ids": "does it, leaves NUMBER (1) of the ids out of an answer of many",
    "slow_drip": "does it, sends a byte every SECONDS (1)",
    "huge": "does it, sends MEGABYTES (50) of spaces before the answer",
    "notice": "does it, answers with a PHP notice before the JSON",
    "bom": "does it, answers with a byte order mark before the JSON",
    "close_idle": "does it, answers, and closes the connection without saying so",
}
ACCEPT = {"close_before_read": "accepts the connection and closes it before reading (action: connect)"}
KINDS = BEFORE | AFTER | ACCEPT
_NUMBERS = frozenset(
    ("delay", "timeout_before", "timeout_after", "http", "http_after", "rate_limit", "missing_ids", "slow_drip", "huge")
)


class BadFault(ValueError):
    """A rule that cannot be read; the text is one sentence."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule. `times` None: without end; `skip`: so many matching requests pass first; `matching`: only requests
    with this text in one of their fields."""

    action: str
    kind: str
    argument: str = ""
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    matching: str = ""
    fired: int = 0

    def __post_init__(self) -> None:
        if self.action not in (*ACTIONS, CONNECT, ANY):
            raise BadFault(f"There is no action {self.action!r}; there are {', '.join((*ACTIONS, CONNECT, ANY))}.")
        if self.kind not in KINDS:
            raise BadFault(f"There is no fault {self.kind!r}; there are {', '.join(KINDS)}.")
        if (self.kind in ACCEPT) != (self.action == CONNECT):
            raise BadFault(f"The fault {self.kind} does not fit the action {self.action}: {KINDS[self.kind]}.")
        if self.kind in _NUMBERS and self.argument and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", self.argument):
            raise BadFault(f"The fault {self.kind} takes a number, not {self.argument!r}.")
        if not 0 <= self.probability <= 1:
            raise BadFault(f"A probability is between 0 and 1, not {self.probability}.")

    @property
    def makes(self) -> bool:
        """Whether what the request asks for is done all the same."""
        return self.kind in AFTER

    def number(self, otherwise: float) -> float:
        return float(self.argument) if self.argument else otherwise

    def __str__(self) -> str:
        argument = f":{self.argument}" if self.argument else ""
        chance = f"@{self.probability:g}" if self.probability < 1 else ""
        times = f"x{self.times}" if self.times is not None else ""
        return f"{self.action}={self.kind}{argument}{chance}{times}"


def read_fault(text: str) -> Fault:
    """A rule as it is written on the command line. Raises BadFault."""
    action, equals, rest = text.strip().partition("=")
    if not equals:
        raise BadFault(f"A fault is written action=kind, for example add=timeout_after@0.05, not {text!r}.")
    times = probability = None
    if found := re.search(r"\s*x([0-9]+)$", rest):
        rest, times = rest[: found.start()], int(found[1])
    if found := re.search(r"\s*@([0-9.]+)$", rest):
        rest, probability = rest[: found.start()], found[1]
    kind, _, argument = rest.partition(":")
    try:
        chance = 1.0 if probability is None else float(probability)
    except ValueError:
        raise BadFault(f"A probability is between 0 and 1, not {probability!r}.") from None
    return Fault(action=action, kind=kind, argument=argument, probability=chance, times=times)


@dataclass(slots=True)
class Faults:
    """The rules in force. The first that fits hits; delays add to it."""

    chance: Random
    rules: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        action: str,
        kind: str,
        argument: object = "",
        *,
        probability: float = 1.0,
        times: int | None = None,
        skip: int = 0,
        matching: str = "",
    ) -> Fault:
        """Add a rule; what it returns tells in `fired` how often it hit."""
        fault = Fault(
            action=action,
            kind=kind,
            argument=str(argument),
            probability=probability,
            times=times,
            skip=skip,
            matching=matching,
        )
        self.add_rule(fault)
        return fault

    def add_rule(self, fault: Fault) -> None:
        with self.lock:
            self.rules.append(fault)

    def clear(self) -> None:
        with self.lock:
            self.rules.clear()

    def hit(self, action: str, fields: Mapping[str, str]) -> list[Fault]:
        """The faults of this request: any delays, then at most one other."""
        hits = []
        with self.lock:
            for fault in self.rules:
                if self._fires(fault, action, fields):
                    hits.append(fault)
                    if fault.kind != "delay":
                        break
        return hits

    def _fires(self, fault: Fault, action: str, fields: Mapping[str, str]) -> bool:
        if fault.action != action and (fault.action != ANY or action == CONNECT):
            return False
        if fault.times is not None and fault.fired >= fault.times:
            return False
        if fault.matching and not any(fault.matching in value for value in fields.values()):
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        if fault.probability < 1 and self.chance.random() >= fault.probability:
            return False
        fault.fired += 1
        return True
