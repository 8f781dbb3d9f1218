"""What manage.py says when the database cannot serve a command: a sentence instead of a traceback.

Only the two ways in which a healthy panel meets this are put into words: no database answers, or it was not migrated.
Anything else is a fault of the program and is shown whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


def run(arguments: Sequence[str]) -> None:
    """Run a command; exits with a sentence where the database is the reason that it could not be."""
    try:
        execute_from_command_line(list(arguments))
    except (DatabaseError, InterfaceError) as error:
        why = "" if "migrate" in arguments[1:2] else why_unusable()
        if not why:
            raise
        raise SystemExit(f"CommandError: {why}") from error


def why_unusable() -> str:
    """Why no command can work with the database as it is; empty where it can."""
    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        said = str(error).strip().splitlines()[0]
        return f"The database cannot be reached ({said}): check DATABASE_URL."
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return "The database is not up to date: run `manage.py migrate` first."
    return ""
