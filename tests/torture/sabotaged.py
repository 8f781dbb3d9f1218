"""The twin of the torture: the same runs with one guard of the product taken off, so that it is known to see the harm.

`python -m tests.torture.sabotaged` runs every pair in one go and prints what each found, as JSON: tests call it in a
process of its own, since runs are forked and bring their own settings.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4


@contextmanager
def nothing() -> Iterator[None]:
    """The product as it is."""
    yield


@contextmanager
def lost_answers_count_as_not_sent() -> Iterator[None]:
    """The boundary of what was written is ignored: what got no answer is simply sent again."""
    from django.utils import timezone

    from orders import outcomes, tidying
    from orders.models import Order, State

    def sent_again(sent: outcomes.Sent, reason: str) -> None:
        Order.objects.filter(pk=sent.order.pk).update(state=State.WAITING, lease_until=None)

    def swept() -> int:
        lost = Order.objects.filter(state=State.SENDING, lease_until__lt=timezone.now())
        return lost.update(state=State.WAITING, lease_until=None)

    with patch.object(outcomes, "_unknown", sent_again), patch.object(tidying, "lost_sendings", swept):
        yield


@contextmanager
def lost_answers_are_refunded() -> Iterator[None]:
    """What got no answer counts as failed, and its customer gets the money back."""
    from orders import outcomes
    from orders.ending import give_back
    from orders.models import State

    def given_back(sent: outcomes.Sent, reason: str) -> None:
        give_back(sent.order, why="failed", note=reason, of=(State.SENDING,))

    with patch.object(outcomes, "_unknown", given_back):
        yield


@contextmanager
def tokens_are_forgotten() -> Iterator[None]:
    """A form that is sent again makes new orders."""
    from orders import placing

    with (
        patch.object(placing, "placed_before", lambda customer, once: None),
        patch.object(placing, "claim_token", lambda customer, once: None),
    ):
        yield


@contextmanager
def references_are_made_up() -> Iterator[None]:
    """A payment's reference no longer counts once."""
    from accounts import deposits
    from ledger.posting import Posting

    real: Callable[..., Any] = Posting

    def posting(**fields: Any) -> Any:
        return real(**fields | {"reference": f"{fields['reference']}:{uuid4()}"})

    with patch.object(deposits, "Posting", posting):
        yield


@contextmanager
def refills_are_not_marked() -> Iterator[None]:
    """A refill whose process died is asked for again."""
    from orders import refilling

    with patch.object(refilling, "_mark", lambda request, lease: True), patch.object(refilling, "_change", _follows):
        yield


def _follows(request: Any, to: Any, *, was: Any, reason: str = "", ended: bool = False) -> bool:
    return False


@contextmanager
def any_record_will_do() -> Iterator[None]:
    """Reconciling takes the first free record for the unknown order, whoever else may be meant and whatever it cost."""
    from django.db import transaction

    from orders import reconciling
    from orders.accepting import Acceptance, accept

    def decide(provider: Any, attempt: Any, gap: Any, found: reconciling.Found) -> str:
        for upstream_id in found.candidates:
            cost, rate = reconciling.purchase_of(attempt.order)
            with transaction.atomic():
                accept(
                    Acceptance(
                        order=attempt.order, attempt=attempt.number, upstream_id=upstream_id, cost=cost,
                        exchange_rate=rate, note="found upstream, as good as any",
                    )
                )  # fmt: skip
            return "attached"
        return "open"

    with patch.object(reconciling, "_decide", decide):
        yield


LOST = [f"submit:written/{fault}/{seed}" for fault in ("timeout", "reset") for seed in (1, 2, 4)]
UNSENT = [f"submit:marked/{cell}" for cell in ("timeout/1", "timeout/2", "timeout/6", "cut/1", "cut/2", "reset/1")]

#: what is sabotaged → (how, the runs, what they must find)
PAIRS: dict[str, tuple[Any, list[str], str]] = {
    "sent again": (lost_answers_count_as_not_sent, LOST, "duplicates"),
    "refunded": (lost_answers_are_refunded, [f"submit:claimed/cut/{seed}" for seed in (1, 2)], "lost"),
    "tokens": (tokens_are_forgotten, ["place:committed/none/1", "place:committed/none/2"], "duplicates"),
    "references": (references_are_made_up, ["deposit:committed/none/1"], "deposits_wrong"),
    "refills": (refills_are_not_marked, [f"refill:written/none/{seed}" for seed in (1, 2, 4, 5)], "refills_twice"),
    "reconciling": (any_record_will_do, UNSENT, "wrongly_attached"),
}


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "torture.settings"
    import django

    django.setup()
    from torture.matrix import Matrix, warm_up
    from torture.plan import plan
    from torture.results import Result
    from torture.running import surroundings
    from torture.world import Databases

    found: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        databases = Databases(Path(folder))
        surroundings()
        warm_up(databases)

        def runs(names: list[str], how: Any) -> Counter[str]:
            counts: Counter[str] = Counter()

            def tell(result: Result) -> None:
                counts.update(result["counts"] | {"violations": len(result["violations"]), "killed": result["killed"]})

            plans = [plan(point, fault, int(seed)) for point, fault, seed in (name.split("/") for name in names)]
            with how():
                Matrix(databases, jobs=2, tell=tell).run(iter(plans))
            return counts

        for name, (how, cells, _) in PAIRS.items():
            found[name] = runs(cells, how)
        found["nothing"] = runs(sorted({cell for _, cells, _ in PAIRS.values() for cell in cells}), nothing)
        databases.drop(databases.template)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
