"""SQLite: its online backup makes the copy; a rename makes a copy the database."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from smmpanel.backup.archive import BadBackup, sync_folder
from smmpanel.backup.database import CannotRestore, Database


class SQLite(Database):
    engine = "sqlite"

    def __init__(self) -> None:
        self.file = Path(str(connection.settings_dict["NAME"]))
        self.copy = self.file.with_name(f".{self.file.name}.restoring")

    def copy_to(self, file: Path) -> None:
        """In one step: a reader of WAL sees one moment and keeps nobody from writing."""
        if not self.file.exists():
            raise BadBackup(f"There is no database at {self.file}.")
        with closing(sqlite3.connect(self.file)) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
        prove_whole(file)

    def refuse_while_used(self) -> None:
        """To leave WAL SQLite wants the file for itself; then all of the database is in the one file as well."""
        connection.close()
        if not self.file.exists():
            return
        with closing(sqlite3.connect(self.file, timeout=0)) as alone:
            try:
                [mode] = alone.execute("PRAGMA journal_mode=DELETE").fetchone()
            except sqlite3.OperationalError:
                mode = "wal"
        if mode != "delete":
            raise CannotRestore(f"Another process has {self.file} open: stop the panel first. Nothing was changed.")

    def is_empty(self) -> bool:
        return not self.file.exists() or super().is_empty()  # looking would make the file

    def load(self, file: Path) -> None:
        self.discard()
        shutil.copyfile(file, self.copy)
        self.copy.chmod(0o600)
        prove_whole(self.copy)

    @contextmanager
    def beside(self) -> Iterator[None]:
        connection.close()
        connection.settings_dict["NAME"] = str(self.copy)
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = str(self.file)

    def take_over(self) -> str:
        with closing(sqlite3.connect(self.copy)) as alone:
            alone.execute("PRAGMA journal_mode=DELETE")  # all of it in the one file that is renamed
        _flush(self.copy)
        kept = ""
        if self.file.exists():
            old = self.file.with_name(f"{self.file.name}.before-{datetime.now(UTC):%Y%m%d%H%M%S}")
            os.link(self.file, old)  # at no moment is there no database
            kept = str(old)
        self.copy.replace(self.file)
        sync_folder(self.file.parent)
        return kept

    def discard(self) -> None:
        for ending in ("", "-wal", "-shm", "-journal"):
            self.copy.with_name(self.copy.name + ending).unlink(missing_ok=True)


def prove_whole(file: Path) -> None:
    """Raises BadBackup unless SQLite finds every page, index and reference right."""
    try:
        with closing(sqlite3.connect(file)) as database:
            found = [row[0] for row in database.execute("PRAGMA integrity_check(5)")]
            broken = database.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise BadBackup(f"The copy of the database cannot be read: {error}.") from None
    if found != ["ok"] or broken is not None:
        problem = "; ".join(found) if found != ["ok"] else f"a row of {broken[0]} refers to nothing"
        raise BadBackup(f"The copy of the database is damaged: {problem}.")


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
