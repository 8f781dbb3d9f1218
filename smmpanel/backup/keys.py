"""The keys that a database's secrets are encrypted with: without them a backup is half a backup."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from smmpanel.backup.archive import BadBackup, sync_folder
from smmpanel.backup.database import CannotRestore
from smmpanel.environment import env


@dataclass(frozen=True, slots=True)
class Keys:
    """The key that was written with, earlier ones, and the salts."""

    secret_key: str
    fallbacks: list[str]
    salts: list[str]


def write(file: Path) -> None:
    """The keys in force into a new file."""
    values = {
        "secret_key": settings.SECRET_KEY,
        "secret_key_fallbacks": list(settings.SECRET_KEY_FALLBACKS),
        "salt_keys": list(settings.SALT_KEY),
    }
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        json.dump(values, target)


def read(file: Path) -> Keys:
    try:
        values = json.loads(file.read_text())
        return Keys(str(values["secret_key"]), list(values["secret_key_fallbacks"]), list(values["salt_keys"]))
    except (ValueError, KeyError, TypeError):
        raise BadBackup("The backup's keys cannot be read.") from None


def must_be_put_back(keys: Keys) -> bool:
    """Whether the data folder's key must become the backup's. Raises CannotRestore where a person has to set it."""
    if not set(keys.salts) <= set(settings.SALT_KEY):
        raise CannotRestore(
            "The backup's secrets have other salts: set SALT_KEYS to the salt_keys in its keys.json"
            " (tar -xOf FILE keys.json). Nothing was changed."
        )
    known = {settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS}
    if {keys.secret_key, *keys.fallbacks} <= known:
        return False
    if env("SECRET_KEY", default="") or keys.fallbacks:
        raise CannotRestore(
            "The backup's secrets are encrypted with another key: add the keys in its keys.json"
            " (tar -xOf FILE keys.json) to SECRET_KEY_FALLBACKS, or set SECRET_KEY. Nothing was changed."
        )
    return True


def put_back(keys: Keys) -> str:
    """Writes the key into the data folder; where the one before is kept."""
    place: Path = settings.PLACES.secret_key
    old = place.with_name(f"{place.name}.before-{datetime.now(UTC):%Y%m%d%H%M%S}")
    if place.exists():
        os.link(place, old)
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(keys.secret_key + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)
    sync_folder(place.parent)
    return str(old)
