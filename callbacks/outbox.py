"""The outbox: messages are written with the change they tell of, tried by a job, and sent again by hand.

`write` belongs into the transaction of the change. What that rolls back was never a message; what it commits is sent,
whenever a worker comes to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from callbacks.claiming import OPEN
from callbacks.models import CallbackAddress, CallbackMessage
from callbacks.signing import new_message_id
from records.audit import Actor, audit
from records.jobs import hint

JOB = "deliver_callbacks"
PING = "ping"


class CannotSend(Exception):
    """Why nothing is sent, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What happened to a subject, before it is known who wants to be told."""

    customer_id: int
    subject: str
    event: str
    at: datetime
    data: Mapping[str, Any]


def who_listens(customer_ids: Iterable[int]) -> Mapping[int, Sequence[int]]:
    """The customers among these that have an active address, with their addresses' ids; one query."""
    found: dict[int, list[int]] = {}
    listening = CallbackAddress.objects.filter(customer_id__in=set(customer_ids), active=True, removed_at__isnull=True)
    for customer_id, pk in listening.order_by("pk").values_list("customer_id", "pk"):
        found.setdefault(customer_id, []).append(pk)
    return found


def write(drafts: Iterable[Draft], listeners: Mapping[int, Sequence[int]]) -> None:
    """One message for each address of a draft's customer, in one insert; the workers are hinted on commit."""
    assert connection.in_atomic_block, "a message belongs to the transaction of its change"
    rows = [
        _message(draft, address_id) for draft in drafts for address_id in listeners.get(draft.customer_id, ())
    ]
    CallbackMessage.objects.bulk_create(rows, batch_size=500)
    for address_id in sorted({row.address_id for row in rows}):
        hint(JOB, str(address_id))


def send_test(*, address: CallbackAddress, actor: Actor) -> CallbackMessage:
    """A "ping" to the address, before all that waits there. Raises CannotSend."""
    with transaction.atomic():
        fresh = CallbackAddress.objects.select_for_update().get(pk=address.pk)
        if not fresh.active:
            raise CannotSend(_("This address is switched off. Nothing was sent."))
        if CallbackMessage.objects.filter(OPEN, address=fresh, event=PING).exists():
            raise CannotSend(_("A test is on its way to this address already."))
        ping = Draft(
            customer_id=fresh.customer_id, subject=PING, event=PING, at=timezone.now(), data={"address": fresh.pk}
        )
        message = _message(ping, fresh.pk)
        message.next_try_at = fresh.created_at
        message.save()
        audit(actor=actor, action="callback.test", target=fresh, after={"message": message.message_id})
        _wake(fresh)
    return message


def send_again(*, message: CallbackMessage, actor: Actor) -> None:
    """The message is tried now, and for another day, under its own id. Later ones of its subject wait for it.

    Raises CannotSend while it is being sent, and where its address is switched off or removed.
    """
    now = timezone.now()
    with transaction.atomic():
        address = CallbackAddress.objects.select_for_update().get(pk=message.address_id)
        if not address.active:
            raise CannotSend(_("The address of this message is switched off or removed. Nothing was sent."))
        idle = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
        again = CallbackMessage.objects.filter(idle, pk=message.pk).update(
            delivered_at=None, parked_at=None, next_try_at=address.created_at, give_up_at=now + patience()
        )
        if again != 1:
            raise CannotSend(_("This message is being sent at this moment. Look again in a few seconds."))
        audit(actor=actor, action="callback.send_again", target=message, after={"message": message.message_id})
        _wake(address)


def patience() -> timedelta:
    """How long a message is tried before it is parked."""
    return timedelta(hours=settings.CALLBACK_RETRY_HOURS)


def _message(draft: Draft, address_id: int) -> CallbackMessage:
    body = {"type": draft.event, "timestamp": draft.at.isoformat(), "data": draft.data}
    return CallbackMessage(
        address_id=address_id,
        customer_id=draft.customer_id,
        message_id=new_message_id(),
        subject=draft.subject,
        event=draft.event,
        body=json.dumps(body, separators=(",", ":")),
        created_at=draft.at,
        next_try_at=draft.at,
        give_up_at=draft.at + patience(),
    )


def _wake(address: CallbackAddress) -> None:
    """Somebody looks at the address now: it rests no longer."""
    CallbackAddress.objects.filter(pk=address.pk).update(not_before=None)
    hint(JOB, str(address.pk))
