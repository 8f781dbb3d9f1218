"""What one run does, drawn from its seed alone: who orders what, what is cancelled, where the victim dies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from torture.points import POINTS

#: How orders fare at the sandbox (docs/sandbox.md), and how often.
FARES: Mapping[str, int] = {
    "fast": 8, "": 4, "partial:30": 3, "partial:77": 2, "cancel": 2, "cancel_late": 2, "cancel_keep:20": 1,
    "refuse:link": 1, "refuse:service": 1, "cancel_ignored": 1, "cancel_refused": 1, "refill_refused": 1,
}  # fmt: skip
KINDS: Mapping[str, int] = {"followers": 8, "likes": 3, "package": 2, "comments": 2}
CANCELS: Mapping[str, float] = {"cancel": 0.7, "refill": 0.1}  # share of customers who ask for it
SHORT_SECONDS, LONG_SECONDS = 90.0, 1200.0  # longer than a lease; longer than the settling time


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One order that a customer is going to place. `link` is its alone in the whole run."""

    kind: str
    quantity: int | None
    link: str
    comments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run. `batches` are placed one after another, the first by the victim where the point is in placing."""

    point: str
    fault: str
    seed: int
    occurrence: int
    lanes: int
    resend: bool
    dialect: str
    pause_seconds: float
    deposits: tuple[int, ...]
    batches: tuple[tuple[Wanted, ...], ...]
    before: Wanted
    afterwards: Wanted
    cancels: frozenset[str]  # links whose customers ask to cancel, whenever they get to it
    early_cancels: frozenset[str]  # before anything is sent
    refills: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.point}/{self.fault}/{self.seed}"

    @property
    def stage(self) -> str:
        return POINTS[self.point].stage

    def chance(self, what: str) -> Random:
        return Random(f"{self.name}/{what}")  # noqa: S311 - repeatable on purpose


def plan(point: str, fault: str, seed: int) -> Plan:
    chance = Random(f"{point}/{fault}/{seed}")  # noqa: S311 - repeatable on purpose
    stage, most = POINTS[point].stage, POINTS[point].most
    sizes = (chance.randint(3, 6), 1 if stage == "submit" else 0)
    batches: list[tuple[Wanted, ...]] = []
    for number, size in enumerate(sizes):
        batches.append(tuple(_wanted(chance, f"{number}-{place}", stage) for place in range(size)))
    links = [wanted.link for batch in batches for wanted in batch]
    early = frozenset(chance.sample([wanted.link for wanted in batches[0]], chance.randint(1, 2)))
    return Plan(
        point=point,
        fault=fault,
        seed=seed,
        occurrence=min(chance.randint(1, most), chance.randint(1, most)),
        lanes=3 if seed % 4 == 3 else 1,
        resend=chance.random() < 0.5,
        dialect=chance.choice(("seed", "rich", "common")),
        pause_seconds=chance.choice((SHORT_SECONDS, LONG_SECONDS)),
        deposits=tuple(chance.randint(5, 500) for _ in range(2)),
        batches=tuple(batches),
        before=_wanted(chance, "before", "refill"),
        afterwards=_wanted(chance, "after", "refill"),
        cancels=frozenset(link for link in links if chance.random() < CANCELS.get(stage, 0.3)),
        early_cancels=early,
        refills=frozenset(link for link in links if chance.random() < 0.8),
    )


def _wanted(chance: Random, name: str, stage: str) -> Wanted:
    kind = chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
    fare = chance.choices(list(FARES), weights=list(FARES.values()))[0]
    if stage == "refill":  # only what was completed can be refilled
        kind, fare = chance.choice((kind, "followers", "followers")), chance.choice(("fast", "", "refill_refused"))
    if kind == "package" and fare.startswith("partial"):
        fare = "fast"
    link = f"https://example.com/{name}" + (f"?sandbox={fare}" if fare else "")
    if kind == "comments":
        lines = chance.randint(10, 20)
        return Wanted(kind=kind, quantity=None, link=link, comments="\n".join(f"comment {n}" for n in range(lines)))
    quantity = None if kind == "package" else chance.randint(100, 3000)
    return Wanted(kind=kind, quantity=quantity, link=link)
