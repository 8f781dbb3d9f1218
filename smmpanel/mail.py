"""Mail: where EMAIL_URL leads, and, without one, a folder in which letters are kept for whoever runs the panel."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

from smmpanel.environment import Environment, refuse

log = logging.getLogger(__name__)

SMTP = "django.core.mail.backends.smtp.EmailBackend"
KEPT = "smmpanel.mail.KeptInFolder"
EXPECTED = "smtp://user:password@host:587 (with STARTTLS), smtps://user:password@host:465, or smtp+plain://localhost:25"
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
KEEP_LETTERS = 200  # the newest; a folder that nobody empties must not fill the disk


@dataclass(frozen=True, slots=True)
class MailServer:
    """What Django's EMAIL_* settings want to know."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def email_settings(env: Environment) -> MailServer:
    """The server that EMAIL_URL names; letters are kept in the data folder when it names none."""
    text = str(env("EMAIL_URL", default=""))
    if not text:
        return MailServer(KEPT)
    try:
        parts = urlsplit(text)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        refuse("EMAIL_URL", EXPECTED)
    if parts.scheme not in PORTS or not parts.hostname:
        refuse("EMAIL_URL", EXPECTED)
    return MailServer(
        SMTP,
        parts.hostname,
        port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        starttls=parts.scheme == "smtp",
        tls=parts.scheme == "smtps",
    )


class KeptInFolder(BaseEmailBackend):
    """Each message becomes a file that only its owner reads; the log says where, and never what stands in it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        from django.conf import settings

        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            path = folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}.eml"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(message.message().as_bytes())
            log.info("No mail server is set (EMAIL_URL): the letter to %s is kept in %s", ", ".join(message.to), path)
        for old in sorted(folder.glob("*.eml"))[:-KEEP_LETTERS]:
            old.unlink(missing_ok=True)
        return len(email_messages)
