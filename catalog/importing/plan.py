"""What an import would do, as values: for a preview, for a command's output, and for applying."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from catalog.models import Category, ProviderService, Service
from catalog.protection import Cause, Doubt
from catalog.service_types import Charged, service_type
from providers.models import Provider
from providers.outcomes import Listings


class Movement(StrEnum):
    """What happened to a service upstream, or to our copy of it."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"
    BACK = "back"


class ImportRefused(Exception):
    """Nothing was changed; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference, as text for people. `upstream`: of the provider's snapshot rather than of our service."""

    name: str
    before: str
    after: str
    upstream: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the rows should hold: the snapshot's values, and for each service its own (without those set by hand)."""

    snapshot: dict[str, object]
    services: tuple[tuple[Service, dict[str, object]], ...] = ()
    shelf: str = ""  # the category to look up or make, where a service has to move


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One provider service that is new, changed, gone or back."""

    movement: Movement
    external_id: str
    name: str
    category: str
    type: str
    fields: tuple[FieldChange, ...] = ()
    cost: Decimal | None = None  # per 1000 or package, in the panel's currency
    price_before: Decimal | None = None
    price: Decimal | None = None  # None: no price can be made, or none is ours to make
    margin: Decimal | None = None  # percent of the price
    doubts: tuple[Doubt, ...] = ()  # why it goes (or is made) off sale
    warnings: tuple[str, ...] = ()
    row: ProviderService | None = field(default=None, repr=False)
    wanted: Wanted = field(default_factory=lambda: Wanted({}), repr=False)

    @property
    def by_package(self) -> bool:
        """Whether cost and price are of a whole package, not per 1000."""
        kind = service_type(self.type)
        return kind is not None and kind.charged is Charged.PACKAGE

    @property
    def out_of_line(self) -> bool:
        return any(doubt.cause is Cause.OUT_OF_LINE for doubt in self.doubts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """All of it. `refusal`: why nothing would be applied; `confirmable` if an operator may apply it nevertheless."""

    provider: Provider
    listings: Listings
    changes: Sequence[Change] = ()
    unchanged: int = 0
    warnings: Sequence[str] = ()
    refusal: str = ""
    confirmable: bool = False
    shelves: Mapping[str, Category] = field(default_factory=dict, repr=False)  # where services of a shelf go

    def of(self, movement: Movement) -> list[Change]:
        return [change for change in self.changes if change.movement is movement]

    def counts(self) -> dict[str, int]:
        """How many of each movement, zeros too, and how many stayed as they are."""
        found = Counter(change.movement for change in self.changes)
        return {**{movement.value: found[movement] for movement in Movement}, "unchanged": self.unchanged}

    @property
    def empty(self) -> bool:
        return not self.changes
