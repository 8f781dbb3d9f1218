"""The ways in which the provider fails, and the forms that each takes at the sandbox.

A fault is in force for all actions where it means something, from the first submission of the run until the recovery,
but hits only some of the requests, by the run's own seed: work must get through between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from providers.sandbox.faults import Fault
from providers.sandbox.server import Sandbox

ADD, STATUS, REFILL, CANCEL = "add", "status", "refill", "cancel"
EVERYWHERE = (ADD, STATUS, REFILL, CANCEL, "refill_status")


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault of the sandbox (providers/sandbox/faults.py), and for which actions it is put in force."""

    kind: str
    argument: str = ""
    actions: tuple[str, ...] = EVERYWHERE

    def __str__(self) -> str:
        return f"{self.kind}:{self.argument}" if self.argument else self.kind


#: What is told apart in the matrix, and the forms that it takes: each rule of a run has one of them.
FAULTS: Mapping[str, tuple[Kind, ...]] = {
    "none": (),
    "timeout": (Kind("timeout_before"), Kind("timeout_after")),
    "reset": (Kind("reset_before"), Kind("reset_after")),
    "http_error": (Kind("http", "503"), Kind("http_after", "500"), Kind("http_after", "502")),
    "html": (Kind("html"), Kind("html_after"), Kind("empty_after")),
    "cut": (Kind("cut_json"), Kind("cut_body")),
    "wrong_types": (Kind("wrong_types"), Kind("unknown_word", "Fail"), Kind("mixed_types")),
    "wrong_ids": (Kind("duplicate_id", actions=(ADD, REFILL)), Kind("missing_ids", "1")),
    "slow": (Kind("slow_drip", "0.05"), Kind("delay", "0.6", actions=(ADD, REFILL, CANCEL))),
    "rate_limit": (Kind("rate_limit", "1"),),
}
SHARE = 0.4  # of the requests, while a rule has hits left
WAITED_FOR = {"timeout", "slow"}  # each hit of these takes a deadline
MOST_HITS, MOST_WAITS = 4, 2


def arm(sandbox: Sandbox, fault: str, chance: Random) -> None:
    """Put the fault in force; which requests it hits, and in which form, is settled by `chance`."""
    sandbox.faults.chance.seed(chance.random())
    for action in EVERYWHERE:
        kinds = [kind for kind in FAULTS[fault] if action in kind.actions]
        if not kinds:
            continue
        kind = chance.choice(kinds)
        times = MOST_WAITS if fault in WAITED_FOR else MOST_HITS
        rule = Fault(action=action, kind=kind.kind, argument=kind.argument, probability=SHARE, times=times)
        rule.skip = chance.choice((0, 0, 0, 1, 2))
        sandbox.faults.add_rule(rule)
