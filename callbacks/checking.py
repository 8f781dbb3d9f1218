"""Which addresses are taken for callbacks: https to the public internet, and what the operator allows by name.

The operator's list is CALLBACK_PRIVATE_HOSTS and not the providers': that he buys from a panel in his own network must
not let his customers send requests there. A name is looked up here to tell its owner at once; what counts is the check
when the socket opens.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.utils.translation import gettext as _

from providers.client.addresses import AddressRefused, NameUnknown, is_allowed_host, targets
from providers.client.exchange import Deadline, DeadlinePassed

URL_LENGTH = 500
PORTS = {"http": 80, "https": 443}


class AddressNotTaken(Exception):
    """Why an address is not taken, in one sentence; nothing was changed."""


def checked_url(url: str) -> str:
    """The URL as it is kept: scheme and host in lower case, no default port. Raises AddressNotTaken."""
    text = url.strip()
    if len(text) > URL_LENGTH:
        raise _too_long()
    if not text or re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise AddressNotTaken(_("The address is empty or has spaces in it. Nothing was changed."))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressNotTaken(
            _("That is no address: it should look like https://example.com/hook. Nothing was changed.")
        ) from error
    if parts.scheme not in PORTS or not host:
        raise AddressNotTaken(
            _("The address must begin with https://, as in https://example.com/hook. Nothing was changed.")
        )
    if "@" in parts.netloc or parts.fragment:
        raise AddressNotTaken(_("The address must hold no name, no password and no “#”. Nothing was changed."))
    if parts.scheme == "http" and not is_allowed_host(host, among=settings.CALLBACK_PRIVATE_HOSTS):
        raise AddressNotTaken(
            _("The address must begin with https://: plain http can be read on its way. Nothing was changed.")
        )
    _check_where_it_leads(host, port or PORTS[parts.scheme], secure=parts.scheme == "https")
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port in (None, PORTS[parts.scheme]) else f"{shown}:{port}"
    clean = urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))
    if len(clean) > URL_LENGTH:  # a path was added
        raise _too_long()
    return clean


def _too_long() -> AddressNotTaken:
    words = _("The address may have %(most)s characters at most. Nothing was changed.")
    return AddressNotTaken(words % {"most": URL_LENGTH})


def _check_where_it_leads(host: str, port: int, *, secure: bool) -> None:
    deadline = Deadline.after(settings.CALLBACK_CONNECT_SECONDS)
    try:
        targets(host, port, secure=secure, deadline=deadline, private_hosts=settings.CALLBACK_PRIVATE_HOSTS)
    except AddressRefused as error:
        raise AddressNotTaken(
            _("%(host)s leads to a private network, where nothing is sent. Nothing was changed.") % {"host": host}
        ) from error
    except (NameUnknown, DeadlinePassed) as error:
        raise AddressNotTaken(
            _("%(host)s has no address in the internet: check the name. Nothing was changed.") % {"host": host}
        ) from error
