"""What the sandbox really did: entries in the order they happened, and how tests read them.

An entry is written in the transaction of what it tells, and copied to the journal file (JSON lines) before anybody is
answered. A sandbox that is killed between the two copies the rest when it starts again on its state file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class JournalFile:
    """The copy on disk. Lines are appended and flushed; `fsync` makes them outlive the machine, too."""

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        self._fsync = fsync
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        try:
            self.last = self._mend()
        except BaseException:
            self._file.close()
            raise

    def append(self, lines: Iterable[str]) -> None:
        self._file.write("".join(f"{line}\n" for line in lines).encode())
        self._file.flush()
        if self._fsync:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def _mend(self) -> int:
        """Cut a line that a kill tore, and return the number of the last entry (0: there is none)."""
        self._file.seek(0)
        whole = last = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            last = int(json.loads(line)["seq"])
        self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)
        return last


class Journal:
    """The entries, to be asked. Each property reads them anew."""

    def __init__(self, read: Callable[[], Iterable[Entry]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._read())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def of(self, kind: str, **fields: object) -> list[Entry]:
        """The entries of a kind whose fields have these values: `of("status", order=23501)`."""
        return [
            entry
            for entry in self
            if entry["kind"] == kind and all(entry.get(name) == value for name, value in fields.items())
        ]

    def orders(self) -> list[Entry]:
        """One entry for each order that was charged: id, service, link, quantity, charge, by (api or hand), …"""
        return self.of("order")

    def requests(self, action: str | None = None) -> list[Entry]:
        """What was received: action, fields (never the key), connection, fault."""
        return [entry for entry in self.of("request") if action in (None, entry["action"])]

    def statuses(self, order: int) -> list[str]:
        """The words that an order went through, the first included."""
        first = [entry["status"] for entry in self if entry["kind"] in {"order", "run"} and entry["order"] == order]
        return first + [entry["status"] for entry in self.of("status", order=order)]

    def charges(self) -> list[Entry]:
        return [entry for entry in self if entry["kind"] in {"order", "charge"}]

    def refunds(self, order: int | None = None) -> list[Entry]:
        return [entry for entry in self.of("refund") if order in (None, entry["order"])]

    def refills(self) -> list[Entry]:
        return self.of("refill")

    def cancels(self) -> list[Entry]:
        return self.of("cancel")


def read_journal(path: Path) -> Journal:
    """The journal in a file, whoever writes it; a last line that is not yet whole is left out."""

    def read() -> Iterator[Entry]:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)

    return Journal(read)
