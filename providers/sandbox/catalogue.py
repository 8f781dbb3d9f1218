"""What the sandbox sells: a provider's JSON list, its own (services.json) or a file's.

An item is answered as it stands, so that a real provider's oddities reach the panel. The key `sandbox` of an item is
ours and is never shown: {"unique_link": true, "partial": 0.1, "cancel": 0.05, "seconds": 30}.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers.sandbox.amounts import read_amount
from providers.sandbox.service_types import ServiceType, type_named

LARGEST_QUANTITY = 10**12  # some providers name maxima beyond any integer of a database
OWN = Path(__file__).with_name("services.json")


class BadCatalogue(Exception):
    """The file is not a provider's list of services; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How orders of a service fare: shares from 0 to 1 that end so, and how long they take."""

    unique_link: bool = False
    partial: float = 0.0
    cancel: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service that can be ordered, unless its `type` is None: a word that nobody knows."""

    id: int
    type: ServiceType | None
    rate: int
    min: int
    max: int
    refill: bool
    cancel: bool
    dripfeed: bool
    listing: Mapping[str, Any]
    behaviour: Behaviour = field(default_factory=Behaviour)


def load_catalogue(path: Path = OWN) -> dict[int, Service]:
    """The services of a file by id. Raises BadCatalogue."""
    try:
        items = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadCatalogue(f"The services file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadCatalogue(f"The services file {path} is not JSON: {error}.") from error
    return read_catalogue(items)


def read_catalogue(items: object) -> dict[int, Service]:
    """The services of a provider's list by id. Raises BadCatalogue."""
    if not isinstance(items, list) or not items:
        raise BadCatalogue("The services must be a JSON list with at least one service.")
    services: dict[int, Service] = {}
    for place, item in enumerate(items, start=1):
        service = _read_service(place, item)
        if service.id in services:
            raise BadCatalogue(f"Service {service.id} is listed twice.")
        services[service.id] = service
    return services


def _read_service(place: int, item: object) -> Service:
    if not isinstance(item, dict):
        raise BadCatalogue(f"Service number {place} of the list is not a JSON object.")
    listing = {name: value for name, value in item.items() if name != "sandbox"}
    try:
        return Service(
            id=int(item["service"]),
            type=type_named(str(item.get("type", "Default"))),
            rate=read_amount(item["rate"]),
            min=int(item.get("min", 1)),
            max=min(LARGEST_QUANTITY, int(item.get("max", 1))),
            refill=_flag(item.get("refill")),
            cancel=_flag(item.get("cancel")),
            dripfeed=_flag(item.get("dripfeed")),
            listing=listing,
            behaviour=Behaviour(**item.get("sandbox", {})),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadCatalogue(f"Service number {place} of the list cannot be read: {error!r}.") from error


def _flag(value: object) -> bool:
    return str(value).strip().lower() in {"1", "true"}
