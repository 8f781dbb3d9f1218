"""Ports: whether the panel's own is free, and one for the sandbox that stays the same while nobody else takes it."""

from __future__ import annotations

import errno
import socket
from pathlib import Path


class PortTaken(Exception):
    """The panel cannot listen where it should; the message says why and what to do."""


def check_free(host: str, port: int) -> None:
    """Raise PortTaken unless a server could listen at this port now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen(1)
    except socket.gaierror:
        raise PortTaken(f"HOST is {host!r}, which is no address of this machine.") from None
    except OSError as error:
        raise PortTaken(_reason(host, port, error)) from None


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port % 65_535 + 1
        return f"Port {port} is taken: stop what listens there, or choose another with PORT={other} make run."
    if error.errno == errno.EACCES:
        return f"Port {port} is not open to this user: choose one above 1023, with PORT=8000 make run."
    return f"The panel cannot listen at {host}:{port}: {error.strerror}."


def lasting_port(file: Path) -> int:
    """The port this file names, while it is free; else a free one, which the file names from now on."""
    try:
        port = int(file.read_text())
        check_free("127.0.0.1", port)
    except (OSError, ValueError, OverflowError, PortTaken):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        file.write_text(f"{port}\n")
    return port
