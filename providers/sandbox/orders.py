"""An order and a refill as the sandbox keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PENDING = "Pending"
IN_PROGRESS = "In progress"
ACTIVE = "Active"
PAUSED = "Paused"
COMPLETED = "Completed"
PARTIAL = "Partial"
CANCELED = "Canceled"
EXPIRED = "Expired"
REJECTED = "Rejected"
ENDED = frozenset({COMPLETED, PARTIAL, CANCELED, EXPIRED, REJECTED})

PLAIN, PACKAGE, DRIP, SUBSCRIPTION = "plain", "package", "drip", "subscription"


@dataclass(slots=True, kw_only=True)
class Order:
    """Money in 10⁻⁶, moments in seconds of the sandbox's clock.

    `due` is when something happens next (None: never), `quantity` is of one run or the most for one post, `done` the
    runs or posts made so far. `charge` is what the order has cost so far: what was taken less what was given back.
    The charge of a run or a post is a part of its parent's, told apart only for show.
    """

    id: int
    parent: int | None = None
    service: int
    form: str
    link: str
    quantity: int
    rate: int
    charge: int
    status: str = PENDING
    start_count: int = 0
    remains: int = 0
    made_at: float
    started_at: float | None = None
    finish_at: float | None = None
    due: float | None = None
    cancel_at: float | None = None
    runs: int = 0
    interval: int = 0
    done: int = 0
    request_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def charge_reserved(self) -> bool:
        """Whether all was taken at the start; a subscription without a number of posts pays post by post."""
        return self.form != SUBSCRIPTION or self.runs > 0

    def remains_at(self, moment: float) -> int:
        """What is left to deliver: falls evenly from start to finish."""
        if self.status != IN_PROGRESS or self.started_at is None or self.finish_at is None:
            return self.remains
        whole = self.finish_at - self.started_at
        left = min(1.0, max(0.0, (self.finish_at - moment) / whole)) if whole > 0 else 0.0
        return min(self.quantity, -int(-self.quantity * left // 1))


@dataclass(slots=True, kw_only=True)
class Refill:
    id: int
    order: int
    status: str
    ending: str
    made_at: float
    due: float | None
