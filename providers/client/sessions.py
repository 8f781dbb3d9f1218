"""One pooled session a provider in each process, found by the provider's id and what its connections depend on."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import requests
from django.conf import settings
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from providers.client.connections import ProviderAdapter
from providers.client.sockets import tls_context


class ProviderSession(requests.Session):
    """A session without an environment: no proxies, no netrc, no cookies, no redirects."""

    def __init__(self, *, places: int, ca_file: str) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        adapter = ProviderAdapter(places=places, context=tls_context(ca_file))
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would otherwise read the whole body of a redirect, without the cap, before it asks whether
        to.
        """


def new_session(*, places: int) -> ProviderSession:
    """A session of its own, for who closes it."""
    return ProviderSession(places=places, ca_file=_ca_file())


def _ca_file() -> str:
    return str(settings.PROVIDER_CA_FILE or DEFAULT_CA_BUNDLE_PATH)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a provider's connections depend on: when it changes, its session is closed and made anew."""

    url: str
    places: int
    ca_file: str
    private_hosts: tuple[str, ...]

    @classmethod
    def of(cls, url: str, places: int) -> Fingerprint:
        return cls(url, places, _ca_file(), tuple(settings.PROVIDER_PRIVATE_HOSTS))


class Sessions:
    """The sessions of this process, the least used one closed when there are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[object, tuple[Fingerprint, ProviderSession]] = OrderedDict()

    def session(self, provider_id: object, *, url: str, places: int) -> ProviderSession:
        fingerprint = Fingerprint.of(url, places)
        dropped: list[ProviderSession] = []
        with self._lock:
            known = self._open.get(provider_id)
            if known is None or known[0] != fingerprint:
                if known is not None:
                    dropped.append(known[1])
                known = (fingerprint, new_session(places=places))
                self._open[provider_id] = known
            self._open.move_to_end(provider_id)
            while len(self._open) > settings.PROVIDER_SESSIONS:
                dropped.append(self._open.popitem(last=False)[1][1])
        for session in dropped:  # requests under way end as they would; their connections are closed when given back
            session.close()
        return known[1]

    def drop(self, provider_id: object) -> None:
        with self._lock:
            known = self._open.pop(provider_id, None)
        if known is not None:
            known[1].close()

    def close(self) -> None:
        with self._lock:
            known = list(self._open.values())
            self._open.clear()
        for _, session in known:
            session.close()


sessions = Sessions()


def _forget_the_parents() -> None:
    """A forked worker must not speak on its parent's sockets, nor wait for a lock that a parent's thread held."""
    global sessions
    sessions = Sessions()


os.register_at_fork(after_in_child=_forget_the_parents)
