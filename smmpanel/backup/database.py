"""What a restore asks of a database, and the choice of the one that the settings name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


class CannotRestore(Exception):
    """The sentence says why. Nothing was changed."""


class Database(ABC):
    """A panel's database. Between `load` and `take_over` two are there: the live one, and the copy beside it."""

    engine: str

    @abstractmethod
    def copy_to(self, file: Path) -> None:
        """Writes the database, as it is at one moment, into a new file, and proves that it is whole."""

    @abstractmethod
    def refuse_while_used(self) -> None:
        """Raises CannotRestore where anybody else has the live database open."""

    @abstractmethod
    def load(self, file: Path) -> None:
        """Takes the copy in beside the live database, all of it or nothing."""

    @contextmanager
    @abstractmethod
    def beside(self) -> Iterator[None]:
        """Within it this process works with the copy."""
        yield

    @abstractmethod
    def take_over(self) -> str:
        """The copy becomes the live database in one step; where the one before is kept, in words; empty for none."""

    @abstractmethod
    def discard(self) -> None:
        """Forgets the copy, if there still is one."""

    def is_empty(self) -> bool:
        """Whether nobody would miss it: it has no tables, or nobody ever signed up."""
        if "accounts_user" not in connection.introspection.table_names():
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM accounts_user LIMIT 1")
            return cursor.fetchone() is None


def the_database() -> Database:
    """The one that the settings name."""
    if connection.vendor == "postgresql":
        from smmpanel.backup.postgresql import PostgreSQL

        return PostgreSQL()
    from smmpanel.backup.sqlite import SQLite

    return SQLite()
