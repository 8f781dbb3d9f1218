"""What the runs found: kept one JSON line a run, so that a matrix can be interrupted and resumed; summed up in the end.

A line counts for a matrix only while the code is what it was: each carries a fingerprint of all source files, and lines
of other code are passed over.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torture.checking import COUNTED, ZERO

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("ledger", "records", "accounts", "providers", "callbacks", "catalog", "orders", "smmpanel", "torture")
WORDS = {
    "duplicates": "orders that exist twice (upstream or here)",
    "lost": "orders lost, or not what the promise says",
    "double_refunds": "double refunds",
    "over_refunds": "refunds above the charge",
    "refunded_although_delivered": "refunded although delivered",
    "refund_missing": "refunds missing",
    "ledger_differences": "ledger differences",
    "deposits_wrong": "deposits lost or posted twice",
    "false_unknowns": "false unknowns",
    "wrongly_attached": "unknowns resolved by reconciliation, wrongly attached",
    "wrongly_not_placed": "unknowns resolved by reconciliation, wrongly shown not placed",
    "refills_twice": "refills asked for twice",
    "balance_differs": "provider's balance differs from the books in the end",
    "failures": "jobs that failed, runs that broke off",
    "orders": "orders",
    "unknown": "orders that became unknown",
    "unknown_unsent": "of these, with nothing sent: killed between the mark and the end of the request",
    "attached": "unknowns resolved by reconciliation, rightly attached",
    "not_placed": "unknowns resolved by reconciliation, rightly shown not placed",
    "left_to_operator": "unknowns left to the operator",
    "swapped_by_provider": "attached to another's id after the provider had named it twice",
}

Result = dict[str, Any]


def fingerprint() -> str:
    """Of all that a run's outcome depends on."""
    digest = hashlib.sha256()
    for room in SOURCES:
        for file in sorted((ROOT / room).rglob("*")):
            if file.suffix in {".py", ".json"} and file.is_file():
                digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:12]


class Results:
    """The file of runs."""

    def __init__(self, path: Path, *, code: str, database: str) -> None:
        self.path, self._code, self.database = path, code, database
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self.kept = {cell_of(result): result for result in self._read()}

    def _read(self) -> Iterator[Result]:
        whole = 0
        with self.path.open("r+b") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                result = json.loads(line)
                if result["code"] == self._code and result["database"] == self.database:
                    yield result
            lines.truncate(whole)  # a line that was torn by a kill: its run is done again

    def add(self, result: Result) -> None:
        result |= {"code": self._code, "database": self.database}
        self.kept[cell_of(result)] = result
        with self.path.open("a") as file:
            file.write(json.dumps(result) + "\n")


def cell_of(result: Result) -> str:
    return f"{result['point']}/{result['fault']}/{result['seed']}"


@dataclass(slots=True)
class Summary:
    """The whole matrix in numbers; `by_point` and `by_fault` show that no cell stayed empty."""

    runs: int = 0
    killed: int = 0
    seeds: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    by_point: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    by_fault: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    violations: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, results: Iterable[Result]) -> Summary:
        summary, seeds = cls(), set()
        for result in results:
            seeds.add(result["seed"])
            summary.runs += 1
            summary.killed += result["killed"]
            summary.seconds += result["seconds"]
            summary.processor_seconds += result["processor_seconds"]
            summary.counts.update(result["counts"])
            row = Counter(result["counts"]) + Counter(runs=1, killed=int(result["killed"]))
            summary.by_point[result["point"]].update(row)
            summary.by_fault[result["fault"]].update(row)
            summary.violations += [(cell_of(result), sentence) for sentence in result["violations"]]
        summary.seeds = len(seeds)
        return summary

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "killed": self.killed,
            "seeds": self.seeds,
            "points": len(self.by_point),
            "faults": len(self.by_fault),
            "processor_hours": round(self.processor_seconds / 3600, 2),
            "counts": {name: self.counts[name] for name in (*COUNTED, *ZERO)},
            "by_point": {name: _row(row) for name, row in self.by_point.items()},
            "by_fault": {name: _row(row) for name, row in self.by_fault.items()},
            "violations": [{"run": run, "says": sentence} for run, sentence in self.violations],
        }


def _row(row: Counter[str]) -> dict[str, int]:
    names = ("runs", "killed", "orders", "unknown", "attached", "not_placed", "left_to_operator")
    return {name: row[name] for name in names} | {"violations": sum(row[name] for name in ZERO)}
