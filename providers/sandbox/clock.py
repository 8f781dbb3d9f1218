"""The sandbox's time: the wall clock, made faster, slower or frozen, and moved on at will (never back)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """`speed` seconds pass here for one of the wall clock's; 0 stands still until `advance`."""

    speed: float = 1.0
    shown: float = 0.0  # this clock, when the wall clock showed `wall`
    wall: float = 0.0

    def __post_init__(self) -> None:
        self.wall = self.wall or time.time()
        self.shown = self.shown or self.wall

    def now(self) -> float:
        return self.shown + max(0.0, time.time() - self.wall) * self.speed

    def advance(self, seconds: float) -> None:
        if seconds < 0 or not math.isfinite(seconds):
            raise ValueError("the clock does not go back, nor for ever on")
        self._rebase(self.now() + seconds)

    def advance_to(self, moment: float) -> None:
        self._rebase(max(self.now(), moment))

    def run_at(self, speed: float) -> None:
        if speed < 0 or not math.isfinite(speed):
            raise ValueError("the clock does not run back, nor faster than any number")
        self._rebase(self.now())
        self.speed = speed

    def _rebase(self, shown: float) -> None:
        self.shown, self.wall = shown, time.time()
