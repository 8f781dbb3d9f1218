"""A receiver on loopback that checks signatures as the standard says, and customers who want to be told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Customer
from callbacks.addresses import add_address
from callbacks.models import CallbackAddress, CallbackMessage
from callbacks.outbox import Draft, who_listens, write
from records.audit import SYSTEM
from records.jobs import run_job
from tests.providers.sockets import Connection, Panel


@dataclass(frozen=True, slots=True)
class Got:
    """A message as it arrived."""

    headers: Mapping[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]

    @property
    def type(self) -> Any:
        return json.loads(self.body)["type"]

    def is_signed_with(self, secret: str) -> bool:
        """The recipe of the Standard Webhooks, written anew: it must not be the panel's own."""
        key = base64.b64decode(secret.split("_", 1)[1])
        content = f"{self.id}.{self.headers['webhook-timestamp']}.{self.body}"
        right = base64.b64encode(hmac.new(key, content.encode(), hashlib.sha256).digest()).decode()
        signatures = self.headers["webhook-signature"].split(" ")
        return any(version == "v1" and hmac.compare_digest(right, each) for version, each in _pairs(signatures))


def _pairs(signatures: list[str]) -> list[tuple[str, str]]:
    return [(each.split(",", 1)[0], each.split(",", 1)[1]) for each in signatures]


Answer = Callable[[Connection, Got], None]


def ok(connection: Connection, got: Got) -> None:
    connection.answer(b"")


def saying(status: str, **headers: str) -> Answer:
    return lambda connection, got: connection.answer(b"no", status, **headers)


class Receiver(Panel):
    """A customer's server. `answers` says how each message is answered; what arrived is in `got`, in order."""

    def __init__(self, answers: Answer = ok) -> None:
        super().__init__(self._behave)
        self.answers = answers
        self.got: list[Got] = []

    def __enter__(self) -> Receiver:
        super().__enter__()
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def _behave(self, connection: Connection) -> None:
        while request := connection.read_request():
            head, _, body = request.partition(b"\r\n\r\n")
            lines = [line.decode().partition(": ") for line in head.split(b"\r\n")[1:]]
            got = Got({name.lower(): value for name, _, value in lines}, body.decode())
            self.got.append(got)
            self.answers(connection, got)


def an_address(customer: Customer, receiver: Receiver | str) -> tuple[CallbackAddress, str]:
    """The customer's address with its secret."""
    url = receiver if isinstance(receiver, str) else receiver.url
    return add_address(customer=customer, url=url, actor=SYSTEM)


def news(customer: Customer, *numbers: int, subject: str = "order:1") -> list[CallbackMessage]:
    """Messages of one subject, numbered."""
    drafts = [
        Draft(
            customer_id=customer.pk, subject=subject, event="order.status", at=timezone.now(), data={"number": number}
        )
        for number in numbers
    ]
    before = set(CallbackMessage.objects.values_list("pk", flat=True))
    with transaction.atomic():
        write(drafts, who_listens([customer.pk]))
    return list(CallbackMessage.objects.exclude(pk__in=before).order_by("pk"))


def delivered(address: CallbackAddress) -> Mapping[str, int]:
    """One run of the job for the address; what it counted. A run that failed fails the test."""
    run = run_job("deliver_callbacks", str(address.pk))
    assert run is not None
    assert run.error == "", run.error
    counts: Mapping[str, int] = run.counts
    return counts


def later(**span: float) -> None:
    """Lets so much time pass for everything that waits."""
    passed = timedelta(**span)
    for message in CallbackMessage.objects.all():
        lease = message.lease_until and message.lease_until - passed
        CallbackMessage.objects.filter(pk=message.pk).update(
            next_try_at=message.next_try_at - passed, give_up_at=message.give_up_at - passed, lease_until=lease
        )
    for address in CallbackAddress.objects.exclude(not_before=None):
        assert address.not_before is not None
        CallbackAddress.objects.filter(pk=address.pk).update(not_before=address.not_before - passed)
