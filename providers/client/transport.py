"""One request to a provider, and what came of it, as a value.

Nothing of requests or urllib3 leaves this module: their exceptions hold the request's body, and the key is in it.
Whether anything was sent is read from the exchange's mark, never from the class of an exception: TLS that breaks
after the request was read raises `SSLError` all the same.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException

import requests
from django.conf import settings
from urllib3.exceptions import DecodeError, HTTPError

from providers.client.addresses import AddressRefused, NameUnknown
from providers.client.exchange import (
    AnswerTooLarge,
    Deadline,
    Exchange,
    StoppedBeforeWriting,
    under_way,
)
from providers.client.sessions import ProviderSession

log = logging.getLogger(__name__)
READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and within what bounds. The body and the headers hold the key: they stay out of every repr."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    deadline_seconds: float
    connect_seconds: float
    max_body_bytes: int
    max_idle_seconds: float
    private_hosts: Sequence[str] | None = None  # None: those allowed for providers


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trouble:
    """No whole answer. `written` false: the provider saw nothing of the request."""

    written: bool
    reason: str
    permanent: bool = False  # asking again at once would end alike: the address is refused, the certificate is wrong
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


def send(
    session: ProviderSession, request: Request, *, before_write: Callable[[], None] | None = None
) -> Reply | Trouble:
    """Post the request once. Never raises, never repeats."""
    exchange = Exchange(
        deadline=Deadline.after(request.deadline_seconds),
        connect_seconds=request.connect_seconds,
        receive_cap=request.max_body_bytes + settings.PROVIDER_MAX_HEAD_BYTES,
        max_idle_seconds=request.max_idle_seconds,
        before_write=before_write,
        private_hosts=request.private_hosts,
    )
    received = _Received()
    with under_way(exchange):
        try:
            return _exchange(session, request, received)
        except Exception as error:  # noqa: BLE001 - whatever it is, what counts is whether something was written
            if isinstance(error, StoppedBeforeWriting):
                log.warning("An order was not sent, because it could not be marked", exc_info=error.__cause__)
            reason, permanent = _sentence(error)
            return Trouble(
                written=exchange.written,
                reason=reason,
                permanent=permanent,
                status=received.status,
                headers=received.headers,
                body=bytes(received.body),
            )


@dataclass(slots=True)
class _Received:
    """What came before it broke."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


def _exchange(session: ProviderSession, request: Request, received: _Received) -> Reply:
    prepared = requests.Request("POST", request.url, data=request.body, headers=dict(request.headers)).prepare()
    response = session.send(prepared, stream=True, allow_redirects=False, timeout=request.deadline_seconds)
    try:
        received.status = response.status_code
        received.headers = {name.lower(): value for name, value in response.headers.items()}
        for piece in response.raw.stream(READ_BYTES, decode_content=True):
            received.body += piece
            if len(received.body) > request.max_body_bytes:  # counted after decompression
                del received.body[READ_BYTES:]
                raise AnswerTooLarge("the answer is larger than the cap")
    except BaseException:
        response.raw.close()  # what is left on this connection belongs to no other request
        raise
    finally:
        response.close()
    return Reply(received.status, received.headers, bytes(received.body))


def _sentence(error: Exception) -> tuple[str, bool]:
    """Our own words for what went wrong, by its first cause. The exception's own are not shown: they may hold the
    request.
    """
    chain = list(_causes(error))
    for kind, sentence, permanent in _SENTENCES:
        if any(isinstance(each, kind) for each in chain):
            return sentence, permanent
    log.warning("A request to a provider failed in a way that has no name: %s", type(chain[-1]).__name__)
    return f"the request failed ({type(chain[-1]).__name__})", False


_SENTENCES: tuple[tuple[type[BaseException], str, bool], ...] = (
    (StoppedBeforeWriting, "stopped before sending: the order could not be marked as being sent", True),
    (AddressRefused, "its address is private, or needs https; PROVIDER_PRIVATE_HOSTS allows addresses by name", True),
    (AnswerTooLarge, "the answer is larger than allowed", True),
    (NameUnknown, "its name has no address", False),
    (ssl.SSLCertVerificationError, "its TLS certificate cannot be verified", True),
    (ssl.SSLError, "the TLS connection broke", False),
    (TimeoutError, "it did not answer within the deadline", False),
    (ConnectionRefusedError, "the connection was refused", False),
    (ConnectionError, "the connection broke", False),
    (DecodeError, "the answer's compression is broken", False),
    (requests.exceptions.InvalidURL, "its URL is not usable", True),
    (requests.exceptions.InvalidHeader, "the key or the User-Agent cannot be sent in a header", True),
    (HTTPException, "the answer is not HTTP, or broke off", False),
    (OSError, "no connection could be made", False),
    (HTTPError, "the answer is not HTTP, or broke off", False),
)


def _causes(error: BaseException) -> list[BaseException]:
    """The exception and all it came from: `__cause__`, `__context__`, and the ones urllib3 keeps in `reason` and
    `args`.
    """
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 50:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or any(each is other for other in found):
            continue
        found.append(each)
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found
