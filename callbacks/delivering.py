"""Sending what is due to one address: one turn of the job `deliver_callbacks`, whose scopes are the addresses, so that
a receiver that is slow or down delays nobody else's messages.

A few messages go at once, of different subjects. An address that fails again and again gets one message, then rests,
longer each time: it is not hammered, and it is found again within minutes when it works.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop as N_

from callbacks.addresses import switch_off
from callbacks.claiming import Outcome, claim, due_heads, park_the_late, write_back
from callbacks.models import CallbackAddress, CallbackMessage
from callbacks.signing import signed_headers
from providers.client.sessions import ProviderSession, new_session
from providers.client.transport import Reply, Request, Trouble, send
from providers.dialect.answer import Answer
from providers.dialect.transport import retry_after
from providers.fields import is_encrypted
from records.context import carried
from records.turns import Turn

USER_AGENT = "smmpanel-callbacks/1.0"
GONE = N_("It answered 410 Gone: it wants no more messages.")


class SecretUnreadable(Exception):
    """The stored secret was encrypted under another SECRET_KEY: nothing can be signed until its owner has a new one."""


def deliver_callbacks(turn: Turn) -> Mapping[str, int]:
    """Sends what is due to the address `turn.scope`, in waves, until nothing is or the address fails."""
    counts: Counter[str] = Counter()
    places = settings.CALLBACK_PLACES
    session = new_session(places=places)
    try:
        with ThreadPoolExecutor(max_workers=places, thread_name_prefix=f"callback-{turn.scope}") as pool:
            waiting: list[CallbackMessage] = []
            while not turn.should_stop():
                address = _ready(int(turn.scope))
                if address is None:
                    break
                waiting = waiting or due_heads(address, settings.CALLBACK_BATCH)
                if not waiting:
                    break
                size = 1 if _is_failing(address) else places
                wave, waiting = waiting[:size], waiting[size:]
                counts.update(_send_wave(pool, session, address, wave))
    finally:
        session.close()
    return dict(counts)


def _ready(pk: int) -> CallbackAddress | None:
    """The address as it is now; None while it rests, or when it is not to be told any more."""
    address = CallbackAddress.objects.filter(pk=pk, active=True, removed_at__isnull=True).first()
    if address is None or (address.not_before is not None and address.not_before > timezone.now()):
        return None
    if is_encrypted(address.secret):
        raise SecretUnreadable(f"The secret of {address} cannot be decrypted with this SECRET_KEY: it needs a new one.")
    return address


def _send_wave(
    pool: ThreadPoolExecutor, session: ProviderSession, address: CallbackAddress, wave: Sequence[CallbackMessage]
) -> Counter[str]:
    """Claims, sends and writes back; the database is this thread's alone, the others only send."""
    claimed = [message for message in wave if claim(message)]
    outcomes = [sent.result() for sent in [pool.submit(carried(_post), session, address, each) for each in claimed]]
    counts = Counter(
        write_back(message, outcome) for message, outcome in zip(claimed, outcomes, strict=True)
    )
    if any(outcome.gone for outcome in outcomes):
        switch_off(address, GONE)
    elif outcomes:
        _note(address, delivered=any(outcome.delivered for outcome in outcomes))
    return counts


def _post(session: ProviderSession, address: CallbackAddress, message: CallbackMessage) -> Outcome:
    headers = signed_headers(_secrets(address), message.message_id, int(time.time()), message.body)
    request = Request(
        url=address.url,
        body=message.body.encode(),
        headers={**headers, "Content-Type": "application/json", "User-Agent": USER_AGENT},
        deadline_seconds=settings.CALLBACK_DEADLINE_SECONDS,
        connect_seconds=settings.CALLBACK_CONNECT_SECONDS,
        max_body_bytes=settings.CALLBACK_MAX_ANSWER_BYTES,
        max_idle_seconds=settings.CALLBACK_MAX_IDLE_SECONDS,
        private_hosts=tuple(settings.CALLBACK_PRIVATE_HOSTS),
    )
    return _read(send(session, request))


def _read(reply: Reply | Trouble) -> Outcome:
    """A head with a good status is a delivery, whatever its body does: nobody reads it."""
    if reply.status is None:
        return Outcome(None, reply.reason.partition(";")[0])  # what follows is for the operator
    if Outcome(reply.status).delivered:
        return Outcome(reply.status)
    wait = None
    if reply.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        wait = retry_after(Answer(http_status=reply.status, headers=reply.headers, body=b""))
    redirected = "; redirects are not followed" if 300 <= reply.status < 400 else ""
    return Outcome(reply.status, f"it answered {reply.status}{redirected}", wait)


def _secrets(address: CallbackAddress) -> list[str]:
    """The secret; and the one before it, while its time lasts and it can be read."""
    old, until = address.old_secret, address.old_secret_until
    both = bool(old) and not is_encrypted(old) and until is not None and until > timezone.now()
    return [address.secret, old] if both else [address.secret]


def _is_failing(address: CallbackAddress) -> bool:
    return address.failures >= settings.CALLBACK_FAILURES_BEFORE_REST


def _note(address: CallbackAddress, *, delivered: bool) -> None:
    """Counts the rounds in which nothing was taken; beyond a few the address rests. One delivery ends the row."""
    row = CallbackAddress.objects.filter(pk=address.pk)
    if delivered:
        if address.failures:
            row.update(failures=0, not_before=None)
        return
    address.failures += 1
    rest = None
    if _is_failing(address):
        beyond = min(address.failures - settings.CALLBACK_FAILURES_BEFORE_REST, 10)
        seconds = min(settings.CALLBACK_REST_SECONDS * 2**beyond, settings.CALLBACK_LONGEST_REST_SECONDS)
        rest = timezone.now() + timedelta(seconds=seconds)
        park_the_late(address)
    row.update(failures=address.failures, not_before=rest)
