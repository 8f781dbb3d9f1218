"""HTTP/1.1 by hand, as little as the sandbox needs: it must be able to break off anywhere, which libraries avoid.

One request at a time from a kept-alive connection; answers with Content-Length, never in chunks.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote_plus, urlsplit

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
LARGEST_HEAD = 32 * 1024
LARGEST_BODY = 4 * 1024 * 1024  # ten thousand comments fit
POLL_SECONDS = 0.1  # how soon a waiting thread sees that the sandbox stops
PIECE = 64 * 1024


class Broken(Exception):
    """The client left, or what it sent is no HTTP that is spoken here: the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def fields(self) -> dict[str, str]:
        """The form's fields, or a JSON object's values as strings; what cannot be read is an empty form."""
        if self.media_type == "application/json":
            return _json_fields(self.body)
        pairs = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return dict(pairs)

    def form_without_key(self) -> str:
        """A form's body byte for byte, as it came, but for the pair that holds the key; empty for any other body."""
        if self.media_type != "application/x-www-form-urlencoded":
            return ""
        pairs = self.body.decode("latin-1").split("&")
        return "&".join(pair for pair in pairs if unquote_plus(pair.partition("=")[0]) != "key")

    def key_in_header(self) -> str | None:
        """The API key of a client that sends it in a header."""
        names = ("x-api-key", "api-key", "authorization")
        found = next((self.headers[name] for name in names if name in self.headers), None)
        return None if found is None else found.removeprefix("Bearer ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    def head(self, *, keep_alive: bool) -> bytes:
        names = {
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            "Connection": "keep-alive" if keep_alive else "close",
            **self.headers,
        }
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"  # a CDN's own codes: 520, 521, …
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in names.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Wire:
    """A client's connection. Every wait ends when the client leaves or the sandbox stops."""

    def __init__(self, sock: socket.socket, stopping: threading.Event, number: int) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._stopping = stopping
        self._buffer = b""
        self.number = number
        self.peer = str(sock.getpeername()[0])

    def read_request(self, idle_seconds: float) -> Request | None:
        """The next request; None when the client left or was idle for too long. Raises Broken."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > LARGEST_HEAD:
                raise Broken("the head of the request is too large")
            if not self._receive(idle_seconds):
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        method, target, headers = _read_head(head)
        if "100-continue" in headers.get("expect", "").lower():
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = _length(headers)
        while len(self._buffer) < length:
            if not self._receive(idle_seconds):
                raise Broken("the client left amid its request")
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        parts = urlsplit(target)
        return Request(method, parts.path, parts.query, headers, body)

    def _receive(self, seconds: float) -> bool:
        if not self._wait_readable(seconds):
            return False
        try:
            piece = self._sock.recv(PIECE)
        except OSError:
            return False
        self._buffer += piece
        return bool(piece)

    def _wait_readable(self, seconds: float) -> bool:
        waited = 0.0
        while not self._stopping.is_set() and waited < seconds:
            turn = min(POLL_SECONDS, seconds - waited)
            if readable(self._sock, turn):
                return True
            waited += turn
        return False

    def send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise Broken(str(error)) from error

    def reply(self, reply: Reply, *, keep_alive: bool) -> None:
        self.send(reply.head(keep_alive=keep_alive) + reply.body)

    def reply_half(self, reply: Reply) -> None:
        self.send(reply.head(keep_alive=False) + reply.body[: len(reply.body) // 2])

    def drip(self, reply: Reply, seconds: float) -> None:
        """The head at once, then a byte at a time; stops when the client leaves."""
        self.send(reply.head(keep_alive=False))
        for place in range(len(reply.body)):
            if self._stopping.wait(seconds):
                return
            self.send(reply.body[place : place + 1])

    def hang(self, seconds: float | None = None) -> None:
        """Say nothing until the client leaves, the time is over, or the sandbox stops."""
        waited = 0.0
        while not self._stopping.is_set() and (seconds is None or waited < seconds):
            if readable(self._sock, POLL_SECONDS):
                try:
                    if not self._sock.recv(PIECE):
                        return
                except OSError:
                    return
            waited += POLL_SECONDS

    def reset(self) -> None:
        """Close with RST instead of FIN: what was not yet read by the client is lost."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def close(self) -> None:
        self._sock.close()


def readable(sock: socket.socket, seconds: float) -> bool:
    """Whether there is something to read or accept within this time. (`select` knows no more than 1024 files.)"""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _read_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = first.split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(version)
        pairs = [line.split(":", 1) for line in lines]
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
    except ValueError as error:
        raise Broken("that is no HTTP request") from error
    return method, target, headers


def _length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not text.isdigit() or int(text) > LARGEST_BODY:
        raise Broken("a request needs a Content-Length within the limit")
    return int(text)


def _json_fields(body: bytes) -> dict[str, str]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    return {str(name): _as_field(item) for name, item in value.items() if item is not None}


def _as_field(item: object) -> str:
    if isinstance(item, list):
        return ",".join(str(part) for part in item)
    return str(item)
