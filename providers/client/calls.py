"""One call of an action: where the key goes, which bounds hold, and a place within the provider's limits.

The key is read here and goes into the request's body or header, and into the `Answer`, which keeps it out of whatever
is read; nothing else holds it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.conf import settings

from providers.client import sessions
from providers.client.limits import Limit, place
from providers.client.transport import Reply, Request, Trouble, send
from providers.dialect.answer import Answer
from providers.fields import is_encrypted
from providers.models import Provider

LEASE_MARGIN_SECONDS = 10.0  # a place outlives its request's deadline by this, and then comes back by itself


class KeyUnreadable(Exception):
    """The stored key was encrypted under another SECRET_KEY: it must not be sent as it is."""


@dataclass(frozen=True, slots=True)
class Call:
    """An action with its fields. `order`: it goes before reads and gets a fresh connection."""

    action: str
    fields: Mapping[str, str]
    order: bool = False
    fresh: bool = False
    max_body_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """No whole answer came to a request; `answer` is what there was of one, when its head came."""

    trouble: Trouble
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Caller:
    """What of a provider's row the calls depend on. Without an id (a provider that is being added) nothing is kept."""

    provider_id: int | None
    url: str
    key: str = field(repr=False)
    key_header: str
    json_body: bool
    user_agent: str
    deadline_seconds: float
    connect_seconds: float
    requests_per_minute: int
    concurrency: int

    @classmethod
    def of(cls, provider: Provider) -> Caller:
        return cls(
            provider_id=provider.pk,
            url=provider.url,
            key=provider.key or "",
            key_header=provider.key_header,
            json_body=provider.body_format == Provider.BodyFormat.JSON,
            user_agent=provider.user_agent,
            deadline_seconds=provider.deadline_seconds,
            connect_seconds=provider.connect_timeout_seconds,
            requests_per_minute=provider.requests_per_minute,
            concurrency=provider.concurrency,
        )

    def call(self, call: Call, *, before_write: Callable[[], None] | None = None) -> Answer | Lost:
        """One request, within the limits. Raises NoPlace and KeyUnreadable, and then nothing was sent."""
        request = self._request(call)
        patience = settings.PROVIDER_ADD_PATIENCE_SECONDS if call.order else settings.PROVIDER_READ_PATIENCE_SECONDS
        if self.provider_id is None:
            return self._received(self._once(request))
        with place(self._limit(), first=call.order, patience_seconds=patience):
            session = sessions.sessions.session(self.provider_id, url=self.url, places=self.concurrency)
            reply = send(session, request, before_write=before_write)
        return self._received(reply)

    def _once(self, request: Request) -> Reply | Trouble:
        session = sessions.new_session(places=1)
        try:
            return send(session, request)
        finally:
            session.close()

    def _limit(self) -> Limit:
        return Limit(
            provider=str(self.provider_id),
            requests_per_minute=self.requests_per_minute,
            concurrency=self.concurrency,
            lease_seconds=self.deadline_seconds + LEASE_MARGIN_SECONDS,
        )

    def _request(self, call: Call) -> Request:
        if is_encrypted(self.key):
            raise KeyUnreadable("the API key cannot be decrypted with this SECRET_KEY; enter it again")
        parameters = {**call.fields, "action": call.action}
        headers = {
            "User-Agent": self.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Content-Type": "application/json" if self.json_body else "application/x-www-form-urlencoded",
        }
        if self.key_header:
            headers[self.key_header] = self.key
        else:
            parameters["key"] = self.key
        idle = settings.PROVIDER_ADD_MAX_IDLE_SECONDS if call.fresh else settings.PROVIDER_READ_MAX_IDLE_SECONDS
        return Request(
            url=self.url,
            body=(json.dumps(parameters) if self.json_body else urlencode(parameters)).encode(),
            headers=headers,
            deadline_seconds=self.deadline_seconds,
            connect_seconds=self.connect_seconds,
            max_body_bytes=call.max_body_bytes or settings.PROVIDER_MAX_BODY_BYTES,
            max_idle_seconds=idle,
        )

    def _received(self, reply: Reply | Trouble) -> Answer | Lost:
        if isinstance(reply, Trouble):
            head = None if reply.status is None else self._answer(reply.status, reply.headers, reply.body)
            return Lost(reply, head)
        return self._answer(reply.status, reply.headers, reply.body)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        return Answer(http_status=status, body=body, headers=headers, key=self.key)
