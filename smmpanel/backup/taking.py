"""Taking a backup, while the panel runs."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from smmpanel.backup import archive, keys
from smmpanel.backup.archive import DATABASE, KEYS, Manifest
from smmpanel.backup.database import the_database
from smmpanel.version import version


def take(file: Path, *, force: bool) -> Manifest:
    """Writes the backup; raises BadBackup. Beside the file there must be room for a second copy meanwhile."""
    archive.refuse_to_overwrite(file, force=force)
    database = the_database()
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
        members = {DATABASE: Path(folder) / DATABASE, KEYS: Path(folder) / KEYS}
        taken_at = datetime.now(UTC)  # before the copy's moment: what was sent in between counts as sent since
        database.copy_to(members[DATABASE])
        keys.write(members[KEYS])
        manifest = {
            "version": version(),
            "engine": database.engine,
            "taken_at": taken_at.isoformat(),
            "migrations": applied_migrations(),
        }
        return archive.write(file, manifest, members, force=force)


def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
