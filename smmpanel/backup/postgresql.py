"""PostgreSQL: pg_dump makes the copy; it is read into a schema of its own, and a rename of schemas makes it live.

The tables of a panel lie in the schema `public`. The client's programs are those of PostgreSQL's own package; they must
be as new as the server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from smmpanel.backup.archive import BadBackup
from smmpanel.backup.database import CannotRestore, Database

LIVE, COPY, AWAY = "public", "smmpanel_restoring", "smmpanel_live"
OPTIONS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
BEFORE = f"ALTER SCHEMA {LIVE} RENAME TO {AWAY}; CREATE SCHEMA {LIVE}"
AFTER = f"ALTER SCHEMA {LIVE} RENAME TO {COPY}; ALTER SCHEMA {AWAY} RENAME TO {LIVE}"


class PostgreSQL(Database):
    engine = "postgresql"

    def copy_to(self, file: Path) -> None:
        _refuse_another_schema()
        _run("pg_dump", "--format=custom", f"--schema={LIVE}", "--no-owner", "--no-privileges", "--file", str(file))
        _run("pg_restore", "--list", str(file))  # reads its table of contents to the end
        file.chmod(0o600)

    def refuse_while_used(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            [others] = cursor.fetchone()
        if others:
            raise CannotRestore(
                f"The database has {others} other connection{'s' if others > 1 else ''}: stop every web process, worker"
                " and scheduler of the panel, and whatever else is connected. Nothing was changed."
            )

    def load(self, file: Path) -> None:
        """In one transaction, at the end of which the live schema has its name again. The script is made first: one
        that broke off would be committed half.
        """
        _refuse_another_schema()
        self.discard()
        script = file.with_name("database.sql")
        _run(
            "pg_restore", f"--schema={LIVE}", "--no-owner", "--no-privileges", "--no-comments",
            "--file", str(script), str(file),
        )  # fmt: skip
        _run(
            "psql", "--no-psqlrc", "--quiet", "--output", os.devnull, "--set", "ON_ERROR_STOP=1",
            "--single-transaction", "--command", BEFORE, "--file", str(script), "--command", AFTER,
        )  # fmt: skip

    @contextmanager
    def beside(self) -> Iterator[None]:
        connection.close()
        options = connection.settings_dict["OPTIONS"]
        connection.settings_dict["OPTIONS"] = {**options, "options": f"-c search_path={COPY}"}
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["OPTIONS"] = options

    def take_over(self) -> str:
        old = f"smmpanel_before_{datetime.now(UTC):%Y%m%d%H%M%S}"
        with transaction.atomic(), connection.cursor() as cursor:
            self.refuse_while_used()
            cursor.execute(f"ALTER SCHEMA {LIVE} RENAME TO {old}")
            cursor.execute(f"ALTER SCHEMA {COPY} RENAME TO {LIVE}")
        return f"the schema {old} (DROP SCHEMA {old} CASCADE when you need it no more)"

    def discard(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {COPY} CASCADE")


def _refuse_another_schema() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        [schema] = cursor.fetchone()
    if schema != LIVE:
        raise BadBackup(f"The panel's tables must lie in the schema {LIVE}; this connection works in {schema}.")


def _run(name: str, *arguments: str) -> None:
    """One of the client's programs at the panel's database; raises BadBackup with what it said."""
    folder = settings.PG_CLIENT_DIR
    program = shutil.which(name, path=folder or None)
    if program is None:
        where = f"in {folder}" if folder else "on PATH"
        raise BadBackup(
            f"{name} is not {where}: install PostgreSQL's client (Debian: apt install postgresql-client), as new as the"
            " server, or name its folder in PG_CLIENT_DIR."
        )
    done = subprocess.run(  # noqa: S603 - a program of the client, arguments of our own
        _command(program, arguments), env=_environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise BadBackup(f"{name} failed: {done.stderr.strip()[-1000:] or f'exit code {done.returncode}'}")


def _command(program: str, arguments: Sequence[str]) -> list[str]:
    return [program, *arguments]


def _environment() -> dict[str, str]:
    """Where and as whom to connect: by the environment, so that no password stands in a list of processes."""
    given: dict[str, Any] = connection.settings_dict
    named = {
        "PGHOST": given["HOST"],
        "PGPORT": given["PORT"],
        "PGUSER": given["USER"],
        "PGPASSWORD": given["PASSWORD"],
        "PGDATABASE": given["NAME"],
        **{variable: given["OPTIONS"].get(option) for option, variable in OPTIONS.items()},
    }
    return {**os.environ, **{name: str(value) for name, value in named.items() if value}}
