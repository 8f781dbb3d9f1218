"""A panel in a folder of its own, at the database that the tests are run on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from tests.frame.panel import ROOT, clean_environment
from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]


class Panel:
    """Commands and steps, each a process."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.settings = {"PANEL_DATA_DIR": str(folder), "PROVIDER_PRIVATE_HOSTS": "127.0.0.1"}
        self.settings |= {"DATABASE_URL": url} if url else {}

    @property
    def on_sqlite(self) -> bool:
        return not self.url

    @property
    def file(self) -> Path:
        return self.folder / "panel.sqlite3"

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = clean_environment(**self.settings, **settings)
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def manage(self, *words: str, **settings: str) -> str:
        """A command that must go well; what it said."""
        done = self.run("manage.py", *words, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *words: str, **settings: str) -> str:
        """A command that must be refused; what it said."""
        done = self.run("manage.py", *words, **settings)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def do(self, step: str, **values: Any) -> Any:
        done = self.run("-m", "tests.backup.steps", step, json.dumps(values))
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def panels(tmp_path: Path) -> Iterator[Any]:
    """`panels()` makes one, migrated, with a database of its own."""
    given = os.environ.get("DATABASE_URL", "")
    made: list[str] = []

    def make() -> Panel:
        number = len(made)
        url = ""
        if given.startswith("postgres"):
            name = f"backup_{uuid4().hex[:12]}"
            with psycopg.connect(given, autocommit=True) as server:
                server.execute(f"CREATE DATABASE {name}")
            url = urlsplit(given)._replace(path=f"/{name}").geturl()
            made.append(name)
        else:
            made.append("")
        panel = Panel(tmp_path / f"panel{number}", url)
        panel.manage("migrate", "-v0")
        return panel

    yield make
    for name in filter(None, made):
        with psycopg.connect(given, autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def panel(panels: Any) -> Panel:
    made: Panel = panels()
    return made
