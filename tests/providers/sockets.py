"""Upstream panels of bare sockets, for what a well-behaved server never does: reset, drip, break off, lie.

`Panel(behave)` listens on loopback; `behave` gets each connection in a thread of its own.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Behave = Callable[["Connection"], None]


class Connection:
    """One accepted connection, as a behaviour sees it."""

    def __init__(self, panel: Panel, sock: socket.socket) -> None:
        self.panel = panel
        self.sock = sock

    def read_request(self) -> bytes:
        """A whole request; empty when the client closed instead."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        while len(body) < length:
            body += self.sock.recv(65536)
        self.panel.requests.append(head + b"\r\n\r\n" + body)
        return self.panel.requests[-1]

    def answer(self, body: bytes | Any, status: str = "200 OK", **headers: str) -> None:
        """A whole answer, JSON where it is not bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, *, every: float = 0.05) -> None:
        for position in range(len(data)):
            self.sock.sendall(data[position : position + 1])
            if self.panel.closing.wait(every):
                return

    def reset(self) -> None:
        """Close so that the peer sees a reset, not an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait(self, seconds: float = 30.0) -> None:
        self.panel.closing.wait(seconds)


class Panel:
    """A listening socket and its threads; a context manager."""

    def __init__(self, behave: Behave, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.behave = behave
        self.requests: list[bytes] = []
        self.connections = 0
        self.closing = threading.Event()
        self._tls = tls
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{'localhost' if self._tls else '127.0.0.1'}:{self.port}/api/v2"

    def __enter__(self) -> Panel:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            self._start(partial(self._serve, sock))

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            sock.settimeout(20)
            # a client that breaks off, or refuses the certificate, is what many of these tests are about
            with suppress(OSError):
                if self._tls is None:
                    self.behave(Connection(self, sock))
                else:
                    with self._tls.wrap_socket(sock, server_side=True) as secured:
                        self._open.append(secured)
                        self.behave(Connection(self, secured))

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()


def answering(body: bytes | Any, status: str = "200 OK", **headers: str) -> Behave:
    """A panel that gives every request of a connection this answer."""

    def behave(connection: Connection) -> None:
        while connection.read_request():
            connection.answer(body, status, **headers)

    return behave


def fields_of(request: bytes) -> dict[str, str]:
    """The form of a request."""
    return dict(parse_qsl(request.partition(b"\r\n\r\n")[2].decode(), keep_blank_values=True))


def speaking(answer: Callable[[dict[str, str]], Any]) -> Behave:
    """A panel of the dialect: each request's form goes to `answer`, and what that returns is the answer."""

    def behave(connection: Connection) -> None:
        while request := connection.read_request():
            connection.answer(answer(fields_of(request)))

    return behave


@contextmanager
def free_port() -> Iterator[int]:
    """A port where nothing listens, held so that nobody else begins to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context with a self-signed certificate for these names, and the file that makes it trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "panel under test")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = []
    for each in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(each)))
        except ValueError:
            alternatives.append(x509.DNSName(each))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    return context, cert_file
