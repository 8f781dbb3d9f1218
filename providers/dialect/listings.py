"""The provider's catalogue, as `services` lists it.

Each item is read alone: what makes no sense is reported with its reason and costs nothing but itself. A list with
nothing in it is an error, since that is how many hosts answer a broken key. Rates are rounded up, so that nothing sells
at a loss.
"""

from __future__ import annotations

from collections.abc import Iterator

from providers.dialect.answer import Answer, Unreadable
from providers.dialect.body import JSON, same
from providers.dialect.numbers import UP, read_bool, read_id, read_limit, read_line, read_money, read_text
from providers.dialect.shapes import refusal_of_call
from providers.dialect.transport import open_answer
from providers.dialect.words import NO_WORDS, WordMap, letters
from providers.outcomes import Listings, ServiceListing

# As the columns of the catalogue's snapshot hold them.
NAME_LENGTH = 500
CATEGORY_LENGTH = 300
TYPE_LENGTH = 60
DESCRIPTION_LENGTH = 20_000
MOST_SERVICES = 100_000  # the largest catalogues known have about 10,000
MOST_REPORTED = 1000  # sentences about unreadable items

_WRAPPERS = ("services", "data", "result", "response")
_ID_KEYS = ("service", "id", "service_id")


class _Broken(Exception):
    """Why an item is no service."""


def normalise_type(text: str) -> str:
    """A service's type as types are compared: `Custom Comments`, `custom_comments` and `CUSTOM-COMMENTS` are one."""
    return letters(text)


def read_services(answer: Answer, words: WordMap = NO_WORDS) -> Listings:
    """Every service that can be read; raises NotProcessed, Refused or Unreadable when there is none."""
    value = open_answer(answer, words)
    refusal_of_call(value, words, answer)
    items = list(_items(_unwrapped(value)))
    if not items:
        raise Unreadable("an empty list of services: that is a broken key, not an empty catalogue")
    if len(items) > MOST_SERVICES:
        raise Unreadable(f"more than {MOST_SERVICES} services")
    listings = _read(items)
    if not listings.services:
        raise Unreadable(f"none of {len(items)} services could be read, the first because: {listings.unreadable[0]}")
    return listings


def _unwrapped(value: JSON) -> JSON:
    for _ in range(2):
        if isinstance(value, dict):
            inner = next((value[name] for name in _WRAPPERS if isinstance(value.get(name), list | dict)), None)
            value = value if inner is None else inner
    return value


def _items(value: JSON) -> Iterator[tuple[str | None, JSON]]:
    """Each item with the id it stands under, if any. The item's own id counts more: see `_id`."""
    if isinstance(value, list):
        yield from ((None, item) for item in value)
    elif isinstance(value, dict):
        yield from ((read_id(name), item) for name, item in value.items())
    else:
        raise Unreadable("the answer is not a list of services")


def _read(items: list[tuple[str | None, JSON]]) -> Listings:
    services: dict[str, ServiceListing] = {}
    raw: dict[str, JSON] = {}
    reports: list[str] = []
    broken: set[str] = set()
    for place, (key, item) in enumerate(items, start=1):
        external_id = _id(key, item)
        try:
            if external_id is None:
                raise _Broken("it has no id")
            if external_id in raw:
                if same(raw[external_id], item):
                    continue
                # Which of two is true cannot be known, and the wrong one may be sold below cost: neither is.
                services.pop(external_id, None)
                raise _Broken("it is listed twice, differently")
            raw[external_id] = item
            services[external_id] = _service(external_id, item)
        except _Broken as reason:
            named = f"Service {external_id}" if external_id else f"Item {place}"
            reports.append(f"{named} cannot be read: {reason}.")
            if external_id:
                broken.add(external_id)
    return Listings(list(services.values()), reports[:MOST_REPORTED], frozenset(broken))


def _id(key: str | None, item: JSON) -> str | None:
    """The id that the item carries, else the key it stands under: keys may be mere places in a list with gaps."""
    if not isinstance(item, dict):
        return key
    carried = next((found for name in _ID_KEYS if (found := read_id(item.get(name))) is not None), None)
    return key if carried is None and "service" not in item else carried


def _service(external_id: str, item: JSON) -> ServiceListing:
    if not isinstance(item, dict):
        raise _Broken("it is not a record")
    rate = read_money(item.get("rate"), UP)
    if rate is None or rate < 0:
        raise _Broken(f"its rate is {_shown(item, 'rate')}")
    least, most = read_limit(item.get("min")), read_limit(item.get("max"))
    if least is None and item.get("min") is not None:
        raise _Broken(f"its minimum is {_shown(item, 'min')}")
    if most is None:
        raise _Broken(f"its maximum is {_shown(item, 'max')}")
    name = read_line(item.get("name"), NAME_LENGTH)
    if not name:
        raise _Broken("it has no name")
    return ServiceListing(
        external_id=external_id,
        name=name,
        category=read_line(item.get("category"), CATEGORY_LENGTH),
        # Left out, it stays empty and the service cannot be ordered: a package taken for a Default would be sold at a
        # thousandth of its price.
        type=read_line(item.get("type"), TYPE_LENGTH),
        rate=rate,
        min=1 if least is None else least,
        max=most,
        refill=read_bool(item.get("refill")),
        cancel=read_bool(item.get("cancel")),
        dripfeed=read_bool(item.get("dripfeed")),
        description=read_text(item.get("desc"), DESCRIPTION_LENGTH)
        or read_text(item.get("description"), DESCRIPTION_LENGTH),
    )


def _shown(item: dict[str, JSON], field: str) -> str:
    """The field's value for a report: short, and named when it is missing or no plain value."""
    if field not in item:
        return "missing"
    return f"“{read_line(item[field], 40)}”" if read_line(item[field], 40) else "empty or no number"
