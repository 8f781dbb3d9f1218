"""`make mutants`: tries the faults of the modules that must not be wrong, and reports against docs/mutants.md.

    python -m mutants                            all modules
    python -m mutants orders/keeping.py          one of them
    python -m mutants --jobs 2                   two faults at a time

Ends with 1 where fewer than LEAST_KILLED percent were killed, or where a survivor is not explained in docs/mutants.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LEAST_KILLED = 90  # percent, of each group's modules together
EXPLAINED = Path("docs/mutants.md")
DIALECT = ["tests/providers/dialect"]
ORDERS = ["tests/orders"]
MODULES: dict[str, list[str]] = {  # and the tests that are theirs
    "ledger/posting.py": ["tests/ledger"],
    "orders/keeping.py": ORDERS,
    "orders/keeping_parts.py": ORDERS,
    "orders/settling.py": ORDERS,
    "orders/refunding.py": ORDERS,
    "providers/dialect/adding.py": DIALECT,
    "providers/dialect/refusals.py": DIALECT,
    "providers/dialect/transport.py": DIALECT,
    "providers/dialect/statuses.py": DIALECT,
    "providers/dialect/words.py": DIALECT,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m mutants")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    if strangers := set(chosen.modules) - set(MODULES):
        parser.error(f"there are no tests for {', '.join(sorted(strangers))}")
    explained = EXPLAINED.read_text() if EXPLAINED.exists() else ""
    tried = killed = 0
    unexplained: list[str] = []
    for module in chosen.modules or MODULES:
        began = time.monotonic()
        results = _try(module, chosen.jobs)
        survivors = [name for name, end in results.items() if end == "survived"]
        tried, killed = tried + len(results), killed + len(results) - len(survivors)
        unexplained += [name for name in survivors if f"`{name}`" not in explained]
        print(f"{module:32}{_share(len(results) - len(survivors), len(results))}  {time.monotonic() - began:.0f} s")
        for name in survivors:
            print(f"    survived{'' if f'`{name}`' in explained else ', and nobody says why'}: {name}", flush=True)
    print(f"{'together':32}{_share(killed, tried)}")
    return 1 if unexplained or killed * 100 < tried * LEAST_KILLED else 0


def _share(killed: int, tried: int) -> str:
    return f"{killed:5} of {tried:4} killed, {killed * 100 / max(tried, 1):.1f} %"


def _try(module: str, jobs: int) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="panel-mutants-") as folder:
        report = Path(folder) / "report.json"
        told = {"MUTANTS_MODULE": module, "MUTANTS_REPORT": str(report), "MUTANTS_JOBS": str(jobs)}
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        plain = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "mutants.trial", "-m", "not soak and not browser"]
        command = [sys.executable, "-m", "pytest", *plain, *MODULES[module]]
        run = subprocess.run(  # noqa: S603
            command, env={**kept, **told, "PANEL_DATA_DIR": folder}, capture_output=True, text=True, check=False
        )
        if not report.exists():
            sys.exit(f"The tests of {module} could not be run:\n{run.stdout}{run.stderr}")
        results: dict[str, str] = json.loads(report.read_text())
        return results


if __name__ == "__main__":
    sys.exit(main())
