"""The file: a tar for its owner alone, its manifest first, and every other member named there with its checksum."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database"
KEYS = "keys.json"
MEMBERS = frozenset({DATABASE, KEYS})
CHUNK_BYTES = 1 << 20
MANIFEST_MOST_BYTES = 1_000_000


class BadBackup(Exception):
    """The file cannot be used; the sentence says why. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself. `migrations` are those that were applied, as "app.name"."""

    format: int
    version: str
    engine: str
    taken_at: str  # a moment no later than the database's copy, ISO 8601 with its offset
    migrations: list[str]
    members: dict[str, dict[str, Any]]  # by name: sha256, bytes

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.taken_at)


def write(file: Path, manifest: Mapping[str, Any], members: Mapping[str, Path], *, force: bool) -> Manifest:
    """Writes the archive under another name and gives it its own when it is whole and on disk.

    Raises BadBackup where the file is there already, unless `force`.
    """
    refuse_to_overwrite(file, force=force)
    known = {name: {"sha256": _digest(path), "bytes": path.stat().st_size} for name, path in members.items()}
    complete = Manifest(format=FORMAT, members=known, **manifest)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, MANIFEST, io.BytesIO(text := json.dumps(asdict(complete), indent=1).encode()), len(text))
                for name, path in members.items():
                    with path.open("rb") as content:
                        _add(tar, name, content, path.stat().st_size)
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(file)
        sync_folder(file.parent)
    finally:
        draft.unlink(missing_ok=True)
    return complete


def refuse_to_overwrite(file: Path, *, force: bool) -> None:
    if file.exists() and not force:
        raise BadBackup(f"{file} is there already: choose another name, or overwrite it with --force.")
    if not file.parent.is_dir():
        raise BadBackup(f"There is no folder {file.parent}.")


def unpack(file: Path, into: Path) -> Manifest:
    """Reads the whole file and puts its members into the folder; raises BadBackup unless every checksum is right."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            manifest = _manifest(tar)
            for name in manifest.members:
                _unpack(tar, name, into / name, manifest.members[name])
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BadBackup(f"{file} cannot be read as a backup: {error}.") from None
    return manifest


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > MANIFEST_MOST_BYTES:
        raise BadBackup("The file is no backup of a panel: it does not begin with a manifest.")
    content = tar.extractfile(first)
    assert content is not None
    try:
        values = json.loads(content.read())
        if values["format"] != FORMAT:
            raise BadBackup(f"The backup has format {values['format']}; this panel reads format {FORMAT}.")
        manifest = Manifest(**values)
        if set(manifest.members) != MEMBERS or manifest.moment.tzinfo is None:
            raise BadBackup("The backup's manifest is not complete.")
    except (ValueError, TypeError, KeyError):
        raise BadBackup("The backup's manifest cannot be read.") from None
    return manifest


def _unpack(tar: tarfile.TarFile, name: str, to: Path, known: Mapping[str, Any]) -> None:
    try:
        member = tar.getmember(name)
    except KeyError:
        raise BadBackup(f"The backup has lost its {name}.") from None
    content = tar.extractfile(member) if member.isreg() else None
    if content is None or member.size != known["bytes"]:
        raise BadBackup(f"The backup's {name} is damaged: it has another length than when it was taken.")
    digest = hashlib.sha256()
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    if digest.hexdigest() != known["sha256"]:
        raise BadBackup(f"The backup's {name} is damaged: its checksum is not the one of when it was taken.")


def sync_folder(folder: Path) -> None:
    """Makes a rename last through a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    tar.addfile(entry, content)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
