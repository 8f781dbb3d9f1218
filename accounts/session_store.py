"""Django's sessions in the database, asked only for keys that they could have.

A cookie holds what a browser likes, and PostgreSQL takes no NUL in a query: a made-up key would break every page.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    """Any other key is a session that ended: its bearer is a visitor."""

    def _validate_session_key(self, key: Any) -> bool:
        fits = super()._validate_session_key(key)  # type: ignore[misc]
        return bool(fits and key.isascii() and key.isalnum())
