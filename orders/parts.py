"""The orders that a provider makes by itself for a subscription, or for a drip-feed that it runs.

Its answers list their ids. Each is remembered as an `UpstreamPart` and asked for until it has ended: what they cost is
what was delivered (`keeping_parts`). Asking is done in the sweep's worker threads, outside any transaction; writing in
the sweep itself, and only what changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import SystemRandom

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ledger.amounts import to_units
from orders.dividing import is_subscription
from orders.keeping_parts import Part, unfinished
from orders.models import FINAL, Order, Status, UpstreamPart
from orders.reading import Known, bounded, in_booked_currency
from providers.models import Provider
from providers.outcomes import ItemError, StatusReading
from providers.upstream import Upstream, UpstreamTrouble
from records.attention import Item

Answers = Mapping[str, StatusReading | ItemError]
IDS_A_QUERY = 500
COLUMNS = ("status", "charge", "start_count", "remains", "seen_at")


@dataclass(slots=True)
class PartsTold:
    """What a batch's answer said of its orders' parts: ids not seen before (our order's, its part's), and readings."""

    new: list[tuple[int, str]] = field(default_factory=list)
    too_many: list[int] = field(default_factory=list)  # orders that list more parts than any order has
    readings: dict[str, StatusReading | ItemError] = field(default_factory=dict)


def ask(provider: Provider, batch: Sequence[Known], answers: Answers) -> PartsTold:
    """Asks for the parts of the batch's orders that have not ended. Trouble leaves the rest to the next sweep."""
    told = PartsTold()
    divided = [known for known in batch if known.divided]
    if not divided:
        return told
    rows = UpstreamPart.objects.filter(order_id__in=[known.id for known in divided])
    seen: dict[tuple[int, str], str] = {
        (order_id, upstream_id): status for order_id, upstream_id, status in rows.values_list(*_SEEN)
    }
    for known in divided:
        listed = _children(answers.get(known.upstream_id))
        if len(listed) > settings.PARTS_MOST:
            told.too_many.append(known.id)
        told.new += [(known.id, each) for each in listed[: settings.PARTS_MOST] if (known.id, each) not in seen]
    due = {part for (_, part), status in seen.items() if status not in FINAL} | {part for _, part in told.new}
    _ask_for(provider, _some(due), told)
    return told


_SEEN = ("order_id", "upstream_id", "status")


def _children(answer: StatusReading | ItemError | None) -> Sequence[str]:
    return answer.orders if isinstance(answer, StatusReading) else ()


def _some(due: Collection[str]) -> list[str]:
    """All of them, or as many as one batch may ask for: each time others, so that none is left out for ever."""
    if len(due) <= settings.PARTS_ASK_MOST:
        return sorted(due)
    return SystemRandom().sample(sorted(due), settings.PARTS_ASK_MOST)


def _ask_for(provider: Provider, ids: Sequence[str], told: PartsTold) -> None:
    size = provider.multi_status_size if provider.multi_status else 1
    try:
        for start in range(0, len(ids), size):
            told.readings.update(Upstream(provider).status(ids[start : start + size]))
    except UpstreamTrouble:
        return


def write(provider: Provider, told: PartsTold) -> list[Item]:
    """Remembers new parts and what changed of known ones; returns what the operator must hear of."""
    items = [_too_many(provider, order_id) for order_id in told.too_many]
    if told.new:
        items += _remember(provider, told.new)
    if told.readings:
        items += _write_readings(provider, told.readings)
    return items


def _remember(provider: Provider, new: Iterable[tuple[int, str]]) -> list[Item]:
    """An id that is another order's, or a part of one, is not this order's: it is told and not taken."""
    wanted: dict[str, int] = {}
    refused: list[tuple[int, str]] = []
    for order_id, part in new:
        if wanted.setdefault(part, order_id) != order_id:
            refused.append((order_id, part))
    with transaction.atomic():
        for ids in _in_chunks(list(wanted)):
            orders = Order.objects.filter(provider=provider, upstream_id__in=ids)
            taken = set(orders.values_list("upstream_id", flat=True))
            rows = [
                UpstreamPart(order_id=wanted[part], provider=provider, upstream_id=part)
                for part in ids
                if part not in taken
            ]
            UpstreamPart.objects.bulk_create(rows, ignore_conflicts=True)
            owners = UpstreamPart.objects.filter(provider=provider, upstream_id__in=ids)
            owner_of = dict(owners.values_list("upstream_id", "order_id"))
            refused += [(wanted[part], part) for part in ids if owner_of.get(part) != wanted[part]]
    return _taken_items(provider, refused)


def _write_readings(provider: Provider, readings: Answers) -> list[Item]:
    items: list[Item] = []
    for ids in _in_chunks(list(readings)):
        changed = []
        for part in UpstreamPart.objects.filter(provider=provider, upstream_id__in=ids).exclude(status__in=FINAL):
            reading = readings[part.upstream_id]
            if not isinstance(reading, StatusReading):
                continue  # an error of an id changes nothing; a part that never ends is told when its order does
            if reading.status is None:
                items.append(_word_item(provider, part, reading))
            elif _put(part, reading, provider):
                changed.append(part)
        UpstreamPart.objects.bulk_update(changed, COLUMNS, batch_size=IDS_A_QUERY)
    return items


def _put(part: UpstreamPart, reading: StatusReading, provider: Provider) -> bool:
    """Writes the reading onto the instance; whether that changed anything."""
    assert reading.status is not None
    before = (part.status, part.charge, part.start_count, part.remains)
    usable = in_booked_currency(reading, provider) and (reading.charge or 0) <= settings.LEDGER_MAX_AMOUNT
    part.status = Status(reading.status.value)
    part.charge = reading.charge if usable else None
    part.start_count = part.start_count if reading.start_count is None else bounded(reading.start_count)
    part.remains = part.remains if reading.remains is None else bounded(reading.remains)
    part.seen_at = timezone.now()
    return before != (part.status, part.charge, part.start_count, part.remains)


def parts_of(order_ids: Collection[int]) -> Mapping[int, Sequence[Part]]:
    """The parts of these orders as the decision of what stays paid sees them; one query.

    A part whose id an order of ours got in the same instant has no price here: whose it is, a person must see.
    """
    found: defaultdict[int, list[Part]] = defaultdict(list)
    if order_ids:
        ours = Order.objects.filter(provider=OuterRef("provider"), upstream_id=OuterRef("upstream_id"))
        rows = UpstreamPart.objects.filter(order_id__in=order_ids).order_by("order_id", "id")
        rows = rows.annotate(is_an_order=Exists(ours))
        for order_id, status, charge, is_an_order in rows.values_list("order_id", "status", "charge", "is_an_order"):
            units = None if charge is None or is_an_order else to_units(charge)
            found[order_id].append(Part(status=Status(status) if status else None, charge=units))
    return found


def waits_for_parts(order: Order, status: Status, parts: Sequence[Part], now: datetime) -> bool:
    """Whether an end that was told cannot be settled yet: a part is still under way, and not for too long."""
    if status is Status.COMPLETED and not is_subscription(order.service_type):
        return False  # all of it stays paid, whatever its parts say
    since = order.upstream_ended_at or now
    return unfinished(parts) > 0 and now - since < timedelta(hours=settings.PARTS_WAIT_HOURS)


def _in_chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), IDS_A_QUERY):
        yield ids[start : start + IDS_A_QUERY]


def _taken_items(provider: Provider, refused: Iterable[tuple[int, str]]) -> list[Item]:
    by_order: defaultdict[int, list[str]] = defaultdict(list)
    for order_id, part in refused:
        by_order[order_id].append(part)
    return [
        _contradiction(provider, order_id, "The provider lists orders as its parts that are another order's.", parts)
        for order_id, parts in by_order.items()
    ]


def _too_many(provider: Provider, order_id: int) -> Item:
    return _contradiction(provider, order_id, f"The provider lists more than {settings.PARTS_MOST:,} parts of it.", [])


def _contradiction(provider: Provider, order_id: int, why: str, parts: Sequence[str]) -> Item:
    return Item(
        cause="contradiction",
        key=f"contradiction:{order_id}:parts",
        summary=f"Order {order_id}: {why}",
        evidence={"upstream ids": list(parts[:20])},
        provider_id=provider.pk,
        order_id=order_id,
    )


def _word_item(provider: Provider, part: UpstreamPart, reading: StatusReading) -> Item:
    return Item(
        cause="unknown_word",
        key=f"unknown_word:{provider.pk}:{reading.word[:60].casefold()}",
        summary=f'{provider} says "{reading.word[:60]}", which is no status we know. Its orders stay as they are.',
        evidence={"word": reading.word, "an order": part.order_id, "its part": part.upstream_id},
        provider_id=provider.pk,
    )
