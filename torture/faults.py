"""The ways in which the provider fails: a name, and the sandbox's rules for it.

Every fault is in force for all actions where it means something, from the first order of the run until the recovery, but
hits only some of the requests, by the run's own seed: work must get through between.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from providers.sandbox.faults import Fault
from providers.sandbox.server import Sandbox

ADD, STATUS, REFILL, CANCEL = "add", "status", "refill", "cancel"
EVERYWHERE = (ADD, STATUS, REFILL, CANCEL, "refill_status")

#: name → (kind, argument, actions)
FAULTS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "none": ("", "", ()),
    "timeout_before": ("timeout_before", "", EVERYWHERE),
    "timeout_after": ("timeout_after", "", EVERYWHERE),
    "reset_before": ("reset_before", "", EVERYWHERE),
    "reset_after": ("reset_after", "", EVERYWHERE),
    "http_503": ("http", "503", EVERYWHERE),
    "http_after": ("http_after", "500", EVERYWHERE),
    "html_after": ("html_after", "", EVERYWHERE),
    "cut_json": ("cut_json", "", EVERYWHERE),
    "wrong_types": ("wrong_types", "", EVERYWHERE),
    "unknown_word": ("unknown_word", "Fail", EVERYWHERE),
    "duplicate_id": ("duplicate_id", "", (ADD, REFILL)),
    "missing_ids": ("missing_ids", "1", EVERYWHERE),
    "slow_drip": ("slow_drip", "0.05", EVERYWHERE),
    "rate_limit": ("rate_limit", "1", EVERYWHERE),
    "late": ("delay", "0.6", (ADD, REFILL, CANCEL)),  # worked off after the client has given up
}
SHARE = 0.4  # of the requests, while the fault has hits left
MOST_HITS = {"timeout_before": 2, "timeout_after": 2, "slow_drip": 2, "late": 2}  # each of these is waited for
OTHERWISE = 4


def arm(sandbox: Sandbox, fault: str, chance: Random) -> None:
    """Put the fault in force; which requests it hits is settled by `chance`."""
    kind, argument, actions = FAULTS[fault]
    sandbox.faults.chance.seed(chance.random())
    for action in actions:
        times = MOST_HITS.get(fault, OTHERWISE)
        rule = Fault(action=action, kind=kind, argument=argument, probability=SHARE, times=times)
        rule.skip = chance.choice((0, 0, 0, 1, 2))
        sandbox.faults.add_rule(rule)
