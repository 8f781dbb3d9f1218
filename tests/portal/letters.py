"""Reading the letters that were written: the worker's turn, and the link in a letter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from accounts.letters import JOB
from records.jobs import run_job


def posted() -> list[EmailMessage]:
    """Send what is due; the letters that went out by that."""
    mail.outbox.clear()
    run_job(JOB)
    letters = list(mail.outbox)
    mail.outbox.clear()
    return letters


def link_in(letter: EmailMessage) -> str:
    """The path of the first link on a line of its own."""
    found = re.search(r"^https?://\S+$", str(letter.body), re.MULTILINE)
    assert found, letter.body
    return urlsplit(found[0]).path


class Broken(BaseEmailBackend):
    """A mail server that is down."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise ConnectionRefusedError("the mail server is down")
