"""How a thing and its floor are compared: alternating runs, their medians, the ratio, and how far the runs spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

RUNS = 5  # alternating, so that what else the machine does falls on both


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. `ratio` is the product's rate over the floor's: 1.0 is as fast as the floor, more is faster."""

    what: str
    floor: str
    ratio: float
    spread: float
    product_per_second: float
    floor_per_second: float

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def compare(what: str, product: Callable[[], int], *, floor: str, against: Callable[[], int], runs: int = RUNS) -> Row:
    """Runs both in turn; each returns how many things it did. The first pair warms up and is not counted."""
    ours, theirs = [], []
    for number in range(runs + 1):
        pair = (_rate(product), _rate(against))
        if number:
            ours.append(pair[0])
            theirs.append(pair[1])
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Row(
        what=what,
        floor=floor,
        ratio=round(statistics.median(ratios), 3),
        spread=round(max(ratios) - min(ratios), 3),
        product_per_second=round(statistics.median(ours), 1),
        floor_per_second=round(statistics.median(theirs), 1),
    )


def _rate(work: Callable[[], int]) -> float:
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)
