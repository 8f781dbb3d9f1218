"""Which Redis or Valkey the panel uses, spelled for each library that wants one.

REDIS_URL when it is given; else the Valkey of the data folder when it answers; else none: a command run while no
panel runs keeps its limits and cache in memory, and its hints go nowhere (sweeps find the work).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from smmpanel.environment import Environment, refuse
from smmpanel.places import Places

NETWORK = ("redis", "rediss")
SOCKET = ("unix", "redis+socket", "redis+unix")
NO_BROKER = "memory://"


@dataclass(frozen=True, slots=True)
class Broker:
    """One Redis: `url` as redis-py and Django's cache read it, empty for none."""

    url: str

    @property
    def celery_url(self) -> str:
        """As kombu reads it, which has a scheme of its own for sockets and calls the database a virtual host."""
        if not self.url:
            return NO_BROKER
        parts = urlsplit(self.url)
        if parts.scheme != "unix":
            return self.url
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis+socket://{parts.path}?virtual_host={database}"


def choose_broker(env: Environment, places: Places) -> Broker:
    """The broker of this process. A given one is not asked: it may come up later than we do."""
    given = str(env("REDIS_URL", default=""))
    if given:
        return Broker(_checked(given))
    return Broker(embedded_url(places) if places.broker_answers() else "")


def embedded_url(places: Places) -> str:
    """The address of the data folder's Valkey, its path escaped: all three libraries undo that."""
    return f"unix://{quote(str(places.broker_socket))}?db=0"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
    if not port_fits or parts.scheme not in NETWORK + SOCKET or not (parts.hostname or parts.scheme in SOCKET):
        refuse("REDIS_URL", "an address like redis://host:6379/0, rediss://… or unix:///path/to/socket")
    if parts.scheme not in SOCKET:
        return url
    query = parse_qs(parts.query)
    database = (query.get("db") or query.get("virtual_host") or ["0"])[0]
    return f"unix://{parts.path}?db={database}"
