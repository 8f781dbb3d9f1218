"""Sending letters: the outbox is worked off by one job, which makes each text when its turn has come.

A letter is marked sent in a commit of its own right after the server took it. A worker that dies between the two
sends it once more: a letter twice is better than none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.letters import JOB
from accounts.models import Letter
from accounts.sessions import prune_sessions
from accounts.texts import context_of
from records.jobs import Job, Turn, register
from records.plain import plain_text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    subject: str
    body: str


def register_jobs() -> None:
    register(
        Job(name=JOB, run=send_letters, every=timedelta(minutes=1), summary="Send e-mails that are due to customers.")
    )
    register(Job(name="prune_letters", run=prune_letters, every=timedelta(hours=1), summary="Forget old e-mails."))
    register(
        Job(name="prune_sessions", run=prune_sessions, every=timedelta(hours=6), summary="Forget sessions that ended.")
    )


def send_letters(turn: Turn) -> Mapping[str, int]:
    """What is due, oldest first, over one connection; a server that fails ends the turn, its letters wait."""
    sent = failed = dropped = 0
    connection: BaseEmailBackend = get_connection()
    while not failed and not turn.should_stop():
        due = Letter.objects.filter(due_at__lte=timezone.now()).select_related("user__customer__wallet")
        batch = list(due.order_by("due_at")[: settings.LETTER_BATCH])
        for letter in batch:
            if turn.should_stop():
                break
            written = written_out(letter)
            if written is None:
                Letter.objects.filter(pk=letter.pk).update(due_at=None)
                dropped += 1
            elif _send(letter, written, connection):
                sent += 1
            else:
                failed += 1
        if len(batch) < settings.LETTER_BATCH:
            break
    connection.close()
    return {"sent": sent, "failed": failed, "dropped": dropped}


def written_out(letter: Letter) -> Written | None:
    """The letter in its reader's language; None when there is nobody (any more) to be told."""
    language = (letter.user.language if letter.user else "") or letter.language or settings.LANGUAGE_CODE
    with translation.override(language):
        context = context_of(letter)
        if context is None:
            return None
        known = {"panel_name": settings.PANEL_NAME, "panel_url": settings.PUBLIC_URL, **context}
        text = render_to_string(f"letters/{context.get('template', letter.kind)}.txt", known)
    subject, _, body = text.strip().partition("\n")
    return Written(" ".join(subject.split()), body.strip() + "\n")


def _send(letter: Letter, written: Written, connection: BaseEmailBackend) -> bool:
    message = EmailMessage(written.subject, written.body, to=[letter.address], connection=connection)
    message.extra_headers = {"Auto-Submitted": "auto-generated"}
    row = Letter.objects.filter(pk=letter.pk)
    try:
        message.send()
    except (SMTPException, OSError, ValueError) as error:
        row.update(due_at=_next_try(letter), tries=F("tries") + 1, last_error=plain_text(repr(error), 300))
        log.warning("A letter (%s, %s) could not be sent: %s", letter.pk, letter.kind, type(error).__name__)
        return False
    row.update(due_at=None, sent_at=timezone.now(), tries=F("tries") + 1, last_error="")
    return True


def _next_try(letter: Letter) -> datetime | None:
    waits = settings.LETTER_RETRY_SECONDS
    at = timezone.now() + timedelta(seconds=waits[min(letter.tries, len(waits) - 1)])
    return at if at - letter.created_at < timedelta(hours=settings.LETTER_TRY_HOURS) else None


def prune_letters(turn: Turn) -> Mapping[str, int]:
    """By age, in batches that are short transactions."""
    old = Letter.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.LETTER_KEEP_DAYS))
    deleted = 0
    while not turn.should_stop():
        batch = list(old.order_by("created_at").values_list("pk", flat=True)[: settings.RECORDS_PRUNE_BATCH])
        Letter.objects.filter(pk__in=batch).delete()
        deleted += len(batch)
        if len(batch) < settings.RECORDS_PRUNE_BATCH:
            break
    return {"deleted": deleted}
