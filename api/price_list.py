"""`services`: what is on sale, as prepared bytes.

A list of thousands of services costs more to build than everything else here, and changes a few times a day. So the
bytes are kept in the process under a mark of the catalogue's state, which one cheap query reads, with their gzip form
and an ETag. The rate shown is the rate charged, to the last digit.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from dataclasses import dataclass
from typing import Any

from catalog.models import Service
from catalog.offers import services_on_sale
from catalog.revisions import catalogue_revision
from catalog.service_types import service_type
from ledger.amounts import plain


@dataclass(frozen=True, slots=True)
class Prepared:
    """The answer's bytes, plain and compressed, and what a client names them by."""

    revision: str
    body: bytes
    packed: bytes
    etag: str


_lock = threading.Lock()
_kept: list[Prepared] = []


def prepared() -> Prepared:
    """The list as it is now, made anew only when something in the catalogue changed."""
    revision = catalogue_revision()
    if _kept and _kept[0].revision == revision:
        return _kept[0]
    with _lock:
        if not _kept or _kept[0].revision != revision:
            _kept[:] = [_prepare(revision)]
        return _kept[0]


def start_anew() -> None:
    """Forget what was prepared (tests, whose databases go back in time)."""
    _kept.clear()


def _prepare(revision: str) -> Prepared:
    listed = [shown(service) for service in services_on_sale().iterator(chunk_size=2000)]
    body = json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode()
    etag = hashlib.sha256(body).hexdigest()[:32]
    return Prepared(revision, body, gzip.compress(body, 6, mtime=0), f'"{etag}"')


def shown(service: Service) -> dict[str, Any]:
    """One service as the list has it: numbers as text, flags as booleans."""
    kind = service_type(service.type)
    assert kind is not None, "only known types are on sale"
    return {
        "service": service.pk,
        "name": service.name,
        "type": kind.label,
        "category": service.category.name,
        "rate": plain(service.rate),
        "min": str(service.min),
        "max": str(service.max),
        "refill": service.refill,
        "cancel": service.cancel,
        "dripfeed": service.dripfeed,
        "desc": service.description,
    }
