"""The file, and what a restore checks before it touches anything."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import psycopg
import pytest

from providers.sandbox.server import Sandbox
from tests.backup.conftest import Panel
from tests.frame.panel import ROOT, clean_environment

pytestmark = pytest.mark.xdist_group("backup")


@pytest.fixture
def file(panel: Panel, sandbox: Sandbox, tmp_path: Path) -> Path:
    panel.do("begin", url=sandbox.url, key=sandbox.options.key)
    file = tmp_path / "panel.tar"
    said = panel.manage("backup", str(file))
    assert "It holds secrets" in said
    return file


def rewritten(file: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """The same archive with one member changed."""
    other = file.with_name(f"changed-{name}.tar")
    with tarfile.open(file) as old, tarfile.open(other, "w") as new:
        for member in old.getmembers():
            content = old.extractfile(member)
            assert content is not None
            read = change(content.read()) if member.name == name else content.read()
            member.size = len(read)
            new.addfile(member, BytesIO(read))
    return other


def test_the_file_is_its_owners_alone_and_says_what_it_is(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []
    with tarfile.open(file) as tar:
        assert tar.getnames() == ["manifest.json", "database", "keys.json"]
        content = tar.extractfile("manifest.json")
        assert content is not None
        manifest = json.load(content)
    assert manifest["format"] == 1
    assert "records.0002_restorations" in manifest["migrations"]


def test_a_file_that_is_there_is_overwritten_only_when_forced(panel: Panel, file: Path) -> None:
    assert "is there already" in panel.refused("backup", str(file))
    panel.manage("backup", str(file), "--force")


def test_it_comes_back_in_another_folder_with_the_keys_of_its_secrets(
    panel: Panel, panels: Callable[[], Panel], sandbox: Sandbox, file: Path
) -> None:
    other = panels()
    said = other.manage("restore", str(file))
    assert "The books agree" in said
    seen = other.do("look")
    assert seen["keys"] == [sandbox.options.key]
    assert seen["balance"] == panel.do("look")["balance"]
    assert (other.folder / "secret.key").read_text() == (panel.folder / "secret.key").read_text()
    assert stat.S_IMODE((other.folder / "secret.key").stat().st_mode) == 0o600


def test_another_key_in_the_environment_is_refused(panels: Callable[[], Panel], file: Path) -> None:
    said = panels().refused("restore", str(file), SECRET_KEY="x" * 60)
    assert "SECRET_KEY_FALLBACKS" in said


def test_what_is_there_is_replaced_only_when_forced_and_then_kept(panel: Panel, file: Path) -> None:
    assert "is not empty" in panel.refused("restore", str(file))
    said = panel.manage("restore", str(file), "--force")
    assert "is kept" in said
    if panel.on_sqlite:
        [kept] = panel.folder.glob("panel.sqlite3.before-*")
        with sqlite3.connect(kept) as old:
            assert old.execute("SELECT count(*) FROM orders_order WHERE state = 'waiting'").fetchone()[0] > 0
    else:
        with psycopg.connect(panel.url) as server:
            names = server.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'smmpanel%'").fetchall()
        assert len(names) == 1
        assert names[0][0].startswith("smmpanel_before_")


@pytest.mark.parametrize("member", ["database", "keys.json"])
def test_a_damaged_file_changes_nothing(panel: Panel, file: Path, member: str) -> None:
    before = panel.do("look")
    flipped = rewritten(file, member, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
    assert "checksum" in panel.refused("restore", str(flipped), "--force")
    shorter = rewritten(file, member, lambda content: content[:-1])
    assert "damaged" in panel.refused("restore", str(shorter), "--force")
    assert panel.do("look") == before


def test_no_backup_and_half_of_one_are_refused(panel: Panel, file: Path) -> None:
    half = file.with_name("half.tar")
    half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "Nothing" not in panel.refused("restore", str(half), "--force").replace("Nothing was changed", "")
    other = file.with_name("other.tar")
    other.write_text("no tar")
    assert "cannot be read as a backup" in panel.refused("restore", str(other), "--force")


def _manifest(**changes: object) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps(json.loads(content) | changes).encode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "format 2"),
        ({"migrations": ["orders.9999_of_the_future"]}, "newer panel"),
        ({"engine": "another"}, "is of another"),
    ],
)
def test_what_this_panel_cannot_run_is_refused(
    panel: Panel, file: Path, changes: dict[str, object], said: str
) -> None:
    before = panel.do("look")
    other = rewritten(file, "manifest.json", _manifest(**changes))
    assert said in panel.refused("restore", str(other), "--force")
    assert panel.do("look") == before


def test_a_restore_that_breaks_off_changes_nothing(panel: Panel, file: Path) -> None:
    before = panel.do("look")
    assert panel.do("restore_that_breaks_off", file=str(file)) == "the power is gone"
    assert panel.do("look") == before
    panel.manage("restore", str(file), "--force")  # and what it left behind is in nobody's way


def test_a_panel_that_runs_is_not_restored(panel: Panel, file: Path) -> None:
    """By the launcher's lock, and by whoever else has the database open."""
    holds = (
        "import sys, time; from pathlib import Path; from smmpanel.launch.lifeline import hold;"
        f"hold(Path({str(panel.folder / 'panel.lock')!r}), patience_seconds=0);"
        "print('held', flush=True); time.sleep(60)"
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", holds], cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == "held\n"
        assert "A panel already runs" in panel.refused("restore", str(file), "--force")
    finally:
        launcher.kill()
        launcher.communicate()
    if panel.on_sqlite:
        with sqlite3.connect(panel.file) as other:
            other.execute("SELECT count(*) FROM orders_order").fetchone()
            assert "stop the panel first" in panel.refused("restore", str(file), "--force")
    else:
        with psycopg.connect(panel.url):
            assert "1 other connection" in panel.refused("restore", str(file), "--force")


def test_a_backup_is_whole_while_somebody_writes(panel: Panel, file: Path) -> None:
    if not panel.on_sqlite:
        pytest.skip("pg_dump reads one snapshot")
    with sqlite3.connect(panel.file) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE orders_order SET reason = 'half'")
        panel.manage("backup", str(file), "--force")
        writer.rollback()
    with tarfile.open(file) as tar:
        tar.extract("database", file.parent, filter="data")
    with sqlite3.connect(file.parent / "database") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM orders_order WHERE reason = 'half'").fetchone() == (0,)


def test_without_postgresqls_client_it_says_what_to_install(panel: Panel, tmp_path: Path) -> None:
    if panel.on_sqlite:
        pytest.skip("SQLite needs no client")
    said = panel.refused("backup", str(tmp_path / "x.tar"), PG_CLIENT_DIR=str(tmp_path))
    assert "install PostgreSQL's client" in said
    assert os.listdir(tmp_path / "panel0") == ["secret.key"]
