"""Who is asking: the visitor's address, seen through as many proxies as there really are, and the name tried at
sign-in.

X-Forwarded-For is a list to which each proxy adds, at its right end, the address it was asked from. Only the entries
that our own proxies added can be believed; what stands left of them was sent by the visitor.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The visitor's address; the connection's own when no proxy is trusted or the header is too short for them all."""
    connection = str(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.TRUSTED_PROXIES
    if not proxies:
        return connection
    entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if len(entries) < proxies:
        return connection
    try:
        return str(ip_address(entries[-proxies]))
    except ValueError:
        return connection


def home_of(address: str) -> str:
    """What stands for the address where guesses are counted: of IPv6 its /64, since one line has all of that."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or ip_network((found, 64), strict=False))


def name_tried(request: HttpRequest | None, credentials: Mapping[str, str] | None) -> str:
    """The e-mail of a sign-in, as accounts spell it, so that capitals and spaces give nobody more attempts."""
    given = (credentials or {}).get("username") or (request.POST.get("username", "") if request else "")
    return str(given).replace("\0", "").strip().lower()  # PostgreSQL takes no NUL in a query
