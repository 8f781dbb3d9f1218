"""A database that cannot serve a command is told in one sentence, whatever the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frame.panel import manage

COMMANDS = [
    ["verify_ledger"],
    ["create_customer", "anna@example.com"],
    ["import_services", "Acme"],
    ["run_jobs", "verify_books"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
def test_a_database_that_was_not_migrated(command: list[str], tmp_path: Path) -> None:
    ended = manage(*command, PANEL_DATA_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == "CommandError: The database is not up to date: run `manage.py migrate` first.\n"


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    ended = manage("verify_ledger", PANEL_DATA_DIR=str(tmp_path), DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert ended.returncode == 1
    assert ended.stderr.startswith("CommandError: The database cannot be reached (")
    assert ended.stderr.endswith("): check DATABASE_URL.\n")
    assert ended.stderr.count("\n") == 1
