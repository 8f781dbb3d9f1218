"""Restoring a backup, while nothing runs.

Everything that can be known is checked before anything is touched. The copy is then made ready beside the live database
(migrated, what may have been sent since held back, its books audited) and takes its place in one step: whatever breaks
off before that changes nothing, and no panel can start on a copy that was not held back.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from accounts.restoring import end_sessions, forget_letters
from callbacks.restoring import park_all
from ledger.verification import Report, verify
from orders.restoring import hold_back
from records.attention import raise_attention
from records.audit import COMMAND, audit
from records.models import Lease, Restoration
from smmpanel.backup import archive, keys
from smmpanel.backup.archive import DATABASE, KEYS, Manifest
from smmpanel.backup.database import CannotRestore, Database, the_database
from smmpanel.launch.lifeline import Taken, hold

MAY_BE_SENT = "The panel was restored from a backup: it may have been sent since that was taken."


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: what was held back, the books as they are now, and where what was there before is kept."""

    manifest: Manifest
    held_back: Mapping[str, int]
    books: Report
    kept: list[str]


def restore(file: Path, *, force: bool) -> Restored:
    """Puts the panel back; raises BadBackup or CannotRestore with nothing changed."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = the_database()
    with _alone(), tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix=".restore-") as folder:
        manifest = archive.unpack(file, Path(folder))
        known = keys.read(Path(folder) / KEYS)
        _refuse_what_does_not_fit(manifest, database)
        key_changes = keys.must_be_put_back(known)
        database.refuse_while_used()
        if not force and not database.is_empty():
            raise CannotRestore(
                "The panel's database is not empty. With --force the backup takes its place; what is there is kept"
                " beside it. Nothing was changed."
            )
        try:
            database.load(Path(folder) / DATABASE)
            with database.beside():
                held_back, books = _make_ready(manifest.moment)
            database.refuse_while_used()
            kept = [database.take_over()]
        finally:
            database.discard()
        if key_changes:
            kept.append(keys.put_back(known))
    return Restored(manifest, held_back, books, [place for place in kept if place])


@contextmanager
def _alone() -> Iterator[None]:
    """No panel runs in this data folder, nor starts there meanwhile."""
    try:
        lock = hold(settings.PLACES.lock, patience_seconds=0)
    except Taken as taken:
        raise CannotRestore(f"{taken} Stop it first. Nothing was changed.") from None
    try:
        yield
    finally:
        fcntl.lockf(lock, fcntl.LOCK_UN)
        os.close(lock)


def _refuse_what_does_not_fit(manifest: Manifest, database: Database) -> None:
    if manifest.engine != database.engine:
        raise CannotRestore(
            f"The backup is of {manifest.engine}, and DATABASE_URL names a database of {database.engine}."
            " Nothing was changed."
        )
    ours = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    newer = sorted(set(manifest.migrations) - ours)
    if newer:
        raise CannotRestore(
            f"The backup is of a newer panel (version {manifest.version}, with {newer[0]}): install that one first."
            " Nothing was changed."
        )


def _make_ready(taken_at: datetime) -> tuple[Mapping[str, int], Report]:
    call_command("migrate", interactive=False, verbosity=0)
    with transaction.atomic():
        held_back = hold_back_all(taken_at)
    books = verify()
    if not books.clean:
        raise CannotRestore(f"The backup's books do not agree: {' '.join(books.differences[:5])} Nothing was changed.")
    return held_back, books


def hold_back_all(taken_at: datetime) -> Mapping[str, int]:
    """Nothing that may have left since the backup leaves again by itself: it is a person's to say."""
    assert connection.in_atomic_block
    restoration = Restoration.objects.create(taken_at=taken_at)
    held_back = {
        **hold_back(taken_at=taken_at),
        "callbacks": park_all(MAY_BE_SENT),
        "letters": forget_letters(MAY_BE_SENT),
        "sessions": end_sessions(),
    }
    Lease.objects.update(holder="", wanted=False)
    raise_attention(
        cause="restored",
        key="restored",
        summary="The panel was restored from a backup. Every provider is paused: decide the unknown orders, book what"
        " was paid in since, look for API keys and accounts that were closed since, then open the queues.",
        evidence={"backup taken": f"{taken_at:%Y-%m-%d %H:%M:%S} UTC", **held_back},
    )
    audit(actor=COMMAND, action="panel.restored", target=restoration, after=held_back)
    return held_back
