"""Mass orders: a list looked at and priced, then placed once, all of it or its good lines.

A list is placed by whoever moves it from PREVIEW to PLACING, once. Each chunk then commits with the row that says how
far it came, so that a crash loses nothing and doubles nothing; a job goes on with what is left. Every line is placed
with the price that was shown as its most.

What is wrong with a line is kept as sentences that can be said again in another language (`catalog.sentences`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import Customer
from catalog.links import link_key
from catalog.models import SameLink, Service
from catalog.sentences import Sentence, kept, say
from catalog.service_types import service_type
from ledger.amounts import plain
from orders.mass_reading import Table, fields_of, read_table
from orders.models import MassOrder, Origin
from orders.placing import Line, Refused, Source, place_orders, quote_all
from orders.same_link import own_orders_under_way
from records.jobs import Turn, hint

PROGRESS = ("state", "next_line", "results", "placed", "charged", "why")  # what a chunk moves
SEEN = ("lines", "version")  # what is looked at: megabytes of a long list, written again only where they changed
_MASS = Source(Origin.MASS)
Entry = dict[str, Any]  # a line as it is kept, made by `_entries`


class NotPlaced(Exception):
    """Nothing was placed now: the list changed, or somebody placed it already. The sentence says which."""


def preview(*, customer: Customer, text: str) -> MassOrder:
    """Reads, prices and keeps a list; places nothing. Raises mass_reading.Unreadable."""
    table = read_table(text, most=min(settings.MASS_MAX_LINES, settings.ORDER_MAX_LINES))
    mass = MassOrder.objects.create(customer=customer, text=text, lines=_entries(customer, table))
    _forget(customer)
    return mass


def good(mass: MassOrder) -> list[Entry]:
    return [entry for entry in mass.lines if not entry["problem"]]


def total(mass: MassOrder) -> Decimal:
    """What the good lines cost together, as they were shown."""
    return sum((Decimal(entry["price"]) for entry in good(mass)), Decimal(0))


def start(*, mass: MassOrder, version: int, whole: bool) -> None:
    """PREVIEW → PLACING for what was seen as `version`. Raises NotPlaced; prices that changed are kept."""
    if mass.state != MassOrder.State.PREVIEW:
        return  # the same form again: it is placed or being placed
    if mass.version != version:
        raise NotPlaced(say("The list changed since you saw it. Nothing was charged: look at it again."))
    if not good(mass) or (whole and len(good(mass)) != len(mass.lines)):
        raise NotPlaced(say("Not every line can be ordered. Nothing was charged."))
    fresh = _entries(mass.customer, read_table(mass.text, most=len(mass.lines)))
    unplaced = MassOrder.objects.filter(pk=mass.pk, state=MassOrder.State.PREVIEW, version=version)
    if _sold(fresh) != _sold(mass.lines):
        if unplaced.update(lines=fresh, version=version + 1) == 1:
            raise NotPlaced(_changed())
        return  # another tab was first
    with transaction.atomic():
        if unplaced.update(state=MassOrder.State.PLACING, whole=whole, why=None) == 1:
            hint("place_mass_orders")


def go_on(mass: MassOrder) -> None:
    """STOPPED → PLACING, with the lines that are left."""
    with transaction.atomic():
        stopped = MassOrder.objects.filter(pk=mass.pk, state=MassOrder.State.STOPPED)
        if stopped.update(state=MassOrder.State.PLACING, why=None) == 1:
            hint("place_mass_orders")


def place_mass_orders(turn: Turn) -> Mapping[str, int]:
    """Goes on with every list that is being placed, a chunk of each in turn. One that fails holds up no other: the
    others are placed first, then its error is the job's.
    """
    chunks, failed = 0, dict[int, Exception]()
    while not turn.should_stop():
        going = MassOrder.objects.filter(state=MassOrder.State.PLACING).exclude(pk__in=failed)
        ids = list(going.order_by("id").values_list("pk", flat=True))
        if not ids:
            break
        for pk in ids:
            if turn.should_stop():
                break
            try:
                chunks += place_next(pk)
            except Exception as error:  # noqa: BLE001 - raised again below, when all others had their turn
                failed[pk] = error
    for pk, why in failed.items():
        why.add_note(f"Mass order {pk} could not go on; it is tried again.")
        raise why
    return {"chunks": chunks}


def place_next(pk: int) -> bool:
    """Places the next chunk of a list in one commit with its progress; False where it is not being placed."""
    with transaction.atomic():
        found = MassOrder.objects.select_for_update(of=("self",)).select_related("customer__wallet").defer("text")
        mass = found.filter(pk=pk, state=MassOrder.State.PLACING).first()
        if mass is None:
            return False
        size = len(mass.lines) if mass.whole else settings.MASS_CHUNK_LINES
        chunk = mass.lines[mass.next_line : mass.next_line + size]
        if _place(mass, [entry for entry in chunk if not entry["problem"]]):
            mass.next_line += len(chunk)
            if mass.next_line >= len(mass.lines):
                mass.state = MassOrder.State.DONE
        mass.save(update_fields=[*PROGRESS, *(SEEN if mass.state == MassOrder.State.PREVIEW else ())])
    return True


def _place(mass: MassOrder, entries: list[Entry]) -> bool:
    """Places what can be placed; False where the list stops here."""
    while entries:
        try:
            orders = place_orders(customer=mass.customer, lines=[_line(entry) for entry in entries], source=_MASS)
        except Refused as refused:
            wrong = {problem.line: problem for problem in refused.problems}
            if any(problem.code == "funds" for problem in refused.problems):
                mass.state, mass.why = MassOrder.State.STOPPED, kept(refused.problems[0].message)
                return False
            if mass.whole:  # to be looked at and asked again: nothing of it was placed
                mass.state, mass.version, mass.why = MassOrder.State.PREVIEW, mass.version + 1, kept(_changed())
                mass.lines = _entries(mass.customer, read_table(mass.text, most=len(mass.lines)))
                return False
            mass.results |= {str(entries[at]["number"]): [kept(problem.message)] for at, problem in wrong.items()}
            entries = [entry for at, entry in enumerate(entries) if at not in wrong]
            continue
        mass.results |= {str(entry["number"]): order.pk for entry, order in zip(entries, orders, strict=True)}
        mass.placed += len(orders)
        mass.charged += sum((order.charge for order in orders), Decimal(0))
        return True
    return True


def _changed() -> Sentence:
    return say("Prices or services changed since you saw the list. Nothing was charged: look at it again.")


def _sold(entries: list[Entry]) -> list[Entry]:
    """What a customer agrees to; that another order of the link has ended meanwhile changes nothing of it."""
    return [entry | {"note": []} for entry in entries]


def _line(entry: Entry) -> Line:
    return Line(service_id=entry["service"], fields=entry["fields"], expected=Decimal(entry["price"]))


def _entries(customer: Customer, table: Table) -> list[Entry]:
    """Each row with its price or its problem; all services in one query for each five hundred."""
    services = _services({row.service_id for row in table.rows if row.service_id is not None})
    entries: list[Entry] = []
    for row in table.rows:
        entry: Entry = {
            "number": row.number, "text": " | ".join(row.cells)[:300], "service": row.service_id, "name": "",
            "fields": {}, "price": "", "field": "", "problem": [kept(row.problem)] if row.problem else [], "note": [],
        }  # fmt: skip
        service = services.get(row.service_id or 0)
        kind = service_type(service.type) if service is not None else None
        if not row.problem and row.service_id is None:
            words = say("The first column is the number of a service, such as 123.")
            entry |= {"field": "service", "problem": [kept(words)]}
        elif not row.problem and service is not None and kind is not None and service.visible:
            read = fields_of(row, table.head, kind)
            entry |= {"name": service.name} | (
                {"problem": [kept(read)]} if isinstance(read, Sentence) else {"fields": read}
            )
        elif not row.problem:
            words = say("There is no service with this number. Look it up in Services.")
            entry |= {"field": "service", "problem": [kept(words)]}
        entries.append(entry)
    _price([entry for entry in entries if not entry["problem"]])
    _compare(customer, [entry for entry in entries if not entry["problem"]], services)
    return entries


def _services(ids: set[int]) -> dict[int, Service]:
    found: dict[int, Service] = {}
    wanted = sorted(ids)
    for at in range(0, len(wanted), 500):
        found |= {service.pk: service for service in Service.objects.filter(pk__in=wanted[at : at + 500])}
    return found


def _price(entries: list[Entry]) -> None:
    quotes = quote_all([Line(service_id=entry["service"], fields=entry["fields"]) for entry in entries])
    for entry, quote in zip(entries, quotes, strict=True):
        if isinstance(quote, list):
            entry |= {"field": quote[0].field, "problem": [kept(problem.message) for problem in quote]}
        else:
            entry["price"] = plain(quote.charge)


def _compare(customer: Customer, entries: list[Entry], services: Mapping[int, Service]) -> None:
    """What is there twice, in the list or with an order under way: an identical line is refused where the customer
    asked for that, else it is said.
    """
    lines: dict[tuple[Any, ...], int] = {}
    links: dict[tuple[int, str], int] = {}
    places = [(services[entry["service"]], _key(entry)) for entry in entries]
    under_way = own_orders_under_way(customer=customer, places=places)
    for entry, (service, key) in zip(entries, places, strict=True):
        same, link = (service.pk, *sorted(entry["fields"].items())), (service.pk, key)
        if same in lines and customer.repeat_seconds:
            words = say(
                "The same as line %(line)s, and your account takes no identical orders in a row.", line=lines[same]
            )
            entry["problem"] = [kept(words)]
            continue
        entry["note"] = [kept(note) for note in _notes(service, lines.get(same), links.get(link), under_way.get(link))]
        lines.setdefault(same, entry["number"])
        links.setdefault(link, entry["number"])


def _notes(service: Service, line: int | None, link: int | None, order: int | None) -> Iterator[Sentence]:
    """What stands beside a line that can be ordered: a line before it that is the same, or of its link, or an order."""
    if line is not None:
        yield say("The same as line %(line)s: it is ordered again.", line=line)
    elif service.same_link != SameLink.ALLOW and link is not None:
        yield say("The same link as line %(line)s.", line=link)
    elif order is not None:
        yield say("Your order %(id)s of this link is still under way.", id=order)
    if service.same_link == SameLink.QUEUE and (line, link, order) != (None, None, None):
        yield say("It waits until that one has ended.")


def _key(entry: Entry) -> str:
    return link_key(entry["fields"].get("link") or entry["fields"].get("username", ""))


def _forget(customer: Customer) -> None:
    own = MassOrder.objects.filter(customer=customer).exclude(state=MassOrder.State.PLACING)
    old = list(own.order_by("-id").values_list("pk", flat=True)[settings.MASS_KEPT : settings.MASS_KEPT + 100])
    if old:
        MassOrder.objects.filter(pk__in=old).exclude(state=MassOrder.State.PLACING).delete()
