"""Sockets that keep a deadline: before each call they set the timeout to what is left of it.

A timeout of requests or urllib3 counts from byte to byte, so that a provider that drips one byte a second would hold a
worker for ever. Here every receive and send works for an `Exchange`, plain and TLS alike.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from providers.client.exchange import Exchange

if TYPE_CHECKING:
    _Base = socket.socket
else:
    _Base = object


class _KeepsDeadline(_Base):
    """Mixed in front of a socket class; `exchange` is set anew for each request on a pooled connection."""

    exchange: Exchange | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._hurry()
        return self._counted(super().recv_into(*args, **kwargs))

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        self._hurry()
        data = super().recv(*args, **kwargs)
        self._counted(len(data))
        return data

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._hurry()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._hurry()  # a plain socket counts the whole of it against one timeout; a TLS socket calls `send` by turns
        super().sendall(*args, **kwargs)

    def _hurry(self) -> None:
        if self.exchange is not None:
            self.settimeout(self.exchange.deadline.left())

    def _counted(self, received: int) -> int:
        if self.exchange is not None:
            self.exchange.count(received)
        return received


class PlainSocket(_KeepsDeadline, socket.socket):
    """A TCP socket with a deadline."""


class TLSSocket(_KeepsDeadline, ssl.SSLSocket):
    """A TLS socket with a deadline. Its handshake is under the timeout that the TCP socket had."""


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Verified TLS 1.2 or newer; the socket class goes in by the context, which makes the sockets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=ca_file)
    context.sslsocket_class = TLSSocket
    return context
