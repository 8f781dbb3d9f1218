"""How the panel talks to its database: SQLite in the data folder unless DATABASE_URL names another."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from smmpanel.environment import Environment, refuse

SCHEMES = ("postgres", "postgresql", "sqlite")
EXPECTED = "an address like postgres://user:password@host:5432/name or sqlite:////path/to/file"

# WAL lets readers and the one writer work side by side; FULL, because an order that was confirmed must survive a
# power cut.
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"


def database_settings(env: Environment, file: Path) -> dict[str, Any]:
    """The entry of DATABASES; `file` is the SQLite database when no other is named."""
    url = str(env("DATABASE_URL", default=f"sqlite:///{file}"))
    try:
        parts = urlsplit(url)
        readable = parts.scheme in SCHEMES and len(parts.path) > 1 and (parts.port is None or parts.port > 0)
    except ValueError:
        readable = False
    if not readable:
        refuse("DATABASE_URL", EXPECTED)
    if parts.scheme == "sqlite":
        return _sqlite(env, url.removeprefix("sqlite:///") or url)
    return _postgresql(env, url)


def _sqlite(env: Environment, name: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        "CONN_MAX_AGE": env.number("DATABASE_CONN_MAX_AGE", 300, least=0, most=86_400),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",  # a transaction that reads first and writes later could not wait its turn
            "timeout": env.number("SQLITE_TIMEOUT_SECONDS", 20, least=1, most=600),
            "init_command": SQLITE_PRAGMAS,
        },
    }


def _postgresql(env: Environment, url: str) -> dict[str, Any]:
    settings: dict[str, Any] = dict(env.db_url_config(url))
    settings["CONN_MAX_AGE"] = env.number("DATABASE_CONN_MAX_AGE", 300, least=0, most=86_400)
    settings["CONN_HEALTH_CHECKS"] = True
    settings.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    return settings
