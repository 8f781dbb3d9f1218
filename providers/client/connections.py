"""urllib3's connections and pools, made to obey an `Exchange`: checked address, deadline, boundary, no stale socket."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from providers.client.addresses import Target, targets
from providers.client.exchange import Deadline, current_exchange
from providers.client.sockets import PlainSocket, TLSSocket


class NotConnected(OSError):
    """No connection. Without an errno on purpose: urllib3 takes a reset for one that came after the request was
    written, and goes on to read from a socket that is not there.
    """


class _ObeysExchange(HTTPConnection):
    """What both kinds of connection do alike."""

    secure = False
    idle_since: float = 0.0

    def _new_conn(self) -> socket.socket:
        exchange = current_exchange()
        patience = exchange.deadline.sooner(exchange.connect_seconds)
        found = targets(
            self._dns_host,
            self.port or self.default_port,
            secure=self.secure,
            deadline=patience,
            private_hosts=exchange.private_hosts,
        )
        sock = _open_one_of(found, patience)
        # The handshake, which follows at once in a TLS connection, counts as connecting.
        sock.settimeout(patience.left())
        return sock

    def connect(self) -> None:
        super().connect()
        self._hand_over()

    def request(self, *args: Any, **kwargs: Any) -> None:
        current_exchange().start()
        self._hand_over()
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        current_exchange().begin_write()
        super().send(data)

    def _hand_over(self) -> None:
        if isinstance(self.sock, PlainSocket | TLSSocket):
            self.sock.exchange = current_exchange()


class PlainConnection(_ObeysExchange):
    """http, to hosts that are allowed by name alone."""


class TLSConnection(_ObeysExchange, HTTPSConnection):
    """https."""

    secure = True


class _DropsIdle(HTTPConnectionPool):
    """A pool that gives no connection which was idle for longer than the exchange allows: the peer may be gone."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        idle_seconds = time.monotonic() - connection.idle_since
        if connection.sock is not None and idle_seconds > current_exchange().max_idle_seconds:
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = time.monotonic()
            if isinstance(conn.sock, PlainSocket | TLSSocket):
                conn.sock.exchange = None
        super()._put_conn(conn)


class PlainPool(_DropsIdle):
    ConnectionCls = PlainConnection


class TLSPool(_DropsIdle, HTTPSConnectionPool):
    ConnectionCls = TLSConnection


class ProviderAdapter(HTTPAdapter):
    """Sends through these pools only: no proxy, no retry, and the TLS context that was made for it."""

    def __init__(self, *, places: int, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=places, max_retries=0, pool_block=False)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=self._context, **pool_kwargs
        )
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TLSPool}

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Mapping[str, str] | None = None, cert: Any = None
    ) -> HTTPConnectionPool:
        pool: HTTPConnectionPool = self.poolmanager.connection_from_url(request.url)
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context holds the authorities and demands verification: nothing is left to set a request."""


def _open_one_of(found: list[Target], patience: Deadline) -> socket.socket:
    """The first address that answers; each gets its share of the time, so that a dead one leaves some to the next."""
    trouble: OSError | None = None
    for position, target in enumerate(found):
        sock = PlainSocket(target.family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(patience.left() / (len(found) - position))
            sock.connect(target.sockaddr)
        except OSError as error:
            sock.close()
            trouble = error
        else:
            return sock
    raise NotConnected("no address answered") from trouble
