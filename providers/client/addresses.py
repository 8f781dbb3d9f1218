"""Where a request may go: public addresses, and the private ones that the operator allowed by name.

Checked when the socket opens, on the very address that is connected to, so that a name that changes its mind between
two look-ups (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from providers.client.exchange import Deadline, DeadlinePassed

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):
    """The provider's name leads to a private address, or plain http was asked for where only https may be."""


class NameUnknown(OSError):
    """The provider's name has no address, or the name server did not answer in time."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was checked and may be connected to."""

    family: socket.AddressFamily
    sockaddr: tuple[object, ...]


def is_allowed_host(host: str, address: IPAddress | None = None, *, among: Sequence[str] | None = None) -> bool:
    """Whether PROVIDER_PRIVATE_HOSTS, or another list, names this host or, as an address or network, this address."""
    name = _bare(host)
    literal = address or _literal(name)
    for entry in settings.PROVIDER_PRIVATE_HOSTS if among is None else among:
        if _bare(entry) == name or (literal is not None and _covers(entry, literal)):
            return True
    return False


def is_public(address: IPAddress) -> bool:
    """Whether an address is one of the public internet; what it embeds (IPv4-mapped, 6to4, NAT64, Teredo) counts as
    well.
    """
    refused = (
        not address.is_global
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    if isinstance(address, ipaddress.IPv4Address):
        return not refused
    inner = list(_embedded(address))
    if inner:
        return all(is_public(each) for each in inner)
    return not refused and not address.is_site_local


def targets(
    host: str, port: int, *, secure: bool, deadline: Deadline, private_hosts: Sequence[str] | None = None
) -> list[Target]:
    """The addresses of `host` that may be connected to; raises AddressRefused when there are only others.

    `private_hosts` is the list of what is excepted; None: that of the providers.
    """
    allowed: list[Target] = []
    for family, sockaddr in _look_up(host, port, deadline):
        address = ipaddress.ip_address(str(sockaddr[0]))
        excepted = is_allowed_host(host, address, among=private_hosts)
        if excepted or (secure and is_public(address)):
            allowed.append(Target(family, sockaddr))
    if not allowed:
        raise AddressRefused("private address" if secure else "plain http")
    return allowed


def _look_up(host: str, port: int, deadline: Deadline) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    """`getaddrinfo` under the deadline. It cannot be interrupted, so it runs aside, and is left behind when it is
    late.
    """
    found: list[tuple[socket.AddressFamily, tuple[object, ...]]] = []
    failed: list[OSError | UnicodeError] = []

    def resolve() -> None:
        try:
            for family, _, _, _, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                found.append((family, sockaddr))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    if _literal(_bare(host)) is not None:  # an address needs no thread: nothing is asked
        resolve()
    else:
        _run_aside(resolve, deadline)
    if failed or not found:
        raise NameUnknown(f"no address for {host}")
    return found


def _run_aside(resolve: Callable[[], None], deadline: Deadline) -> None:
    """Raises DeadlinePassed; no more than a number of look-ups are left behind at once."""
    places = _lookups

    def run() -> None:
        try:
            resolve()
        finally:
            places.release()

    if not places.acquire(timeout=deadline.left()):
        raise DeadlinePassed("the name server is slow")
    thread = threading.Thread(target=run, name="provider-lookup", daemon=True)
    thread.start()
    thread.join(deadline.left())
    if thread.is_alive():
        raise DeadlinePassed("the name server did not answer in time")


def _embedded(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _covers(entry: str, address: IPAddress) -> bool:
    try:
        network = ipaddress.ip_network(_bare(entry), strict=False)
    except ValueError:
        return False  # a name, compared as one
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address in network or (mapped is not None and mapped in network)


def _literal(name: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _bare(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").lower()


MOST_LOOKUPS = 32
_lookups = threading.BoundedSemaphore(MOST_LOOKUPS)


def _start_anew() -> None:
    global _lookups
    _lookups = threading.BoundedSemaphore(MOST_LOOKUPS)


os.register_at_fork(after_in_child=_start_anew)  # the parent's look-ups do not end in the child
