"""The upper panel: its web server and its worker in processes of their own, on a data folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from fuzz.server import ROOT, running

STOP_SECONDS = 15.0


@dataclass(slots=True)
class Upper:
    """Where it answers, the key that opens for the panel below, and its services by their ids at its own provider."""

    url: str
    key: str
    sold: dict[str, int]
    hands: subprocess.Popen[str]

    def do(self, what: str, **arguments: object) -> Any:
        return _told(self.hands, what, **arguments)

    def work(self) -> None:
        self.do("work")

    def rest(self, seconds: float) -> None:
        """Lets time pass there."""
        self.do("rest", seconds=seconds)

    def books(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.do("books")
        return answer

    @property
    def wallet(self) -> Decimal:
        """What the panel below has there."""
        return Decimal(self.books()["wallet"])


@contextmanager
def an_upper_panel(folder: Path, provider_url: str, provider_key: str, runs_itself: list[str]) -> Iterator[Upper]:
    """Migrated, filled from its provider, and serving."""
    (folder / "static").mkdir()
    own = {"DJANGO_SETTINGS_MODULE": "tests.chain.settings", "PANEL_DATA_DIR": str(folder)}
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")} | own
    command = [sys.executable, "-m", "tests.chain.upper_hands"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as hands:
        try:
            filled = _told(hands, "fill", url=provider_url, key=provider_key, runs_itself=runs_itself)
            with running(environment) as address:
                yield Upper(f"{address}/api/v2", filled["key"], filled["sold"], hands)
        finally:
            assert hands.stdin is not None
            hands.stdin.close()
            hands.wait(STOP_SECONDS)


def _told(hands: subprocess.Popen[str], what: str, **arguments: object) -> Any:
    assert hands.stdin is not None
    assert hands.stdout is not None
    hands.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
    hands.stdin.flush()
    line = hands.stdout.readline()
    assert line, f"the upper panel's worker ended at {what}: its last words are above"
    return json.loads(line)
