"""What a customer's list of orders is narrowed to, as its address says it, and how many there are of each status.

No question here reads more of the orders than it shows: every filter goes along an index (orders migration 0006), days
are turned into a range of ids first, and counts stop at PORTAL_COUNTED.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.models import Customer
from catalog.links import link_key
from orders.models import Order, Status
from portal.days import midnight, read_day
from portal.paging import ID_DIGITS, asked_id

_ID = re.compile(rf"#?([0-9]{{1,{ID_DIGITS}}})(?:-[0-9]{{1,9}})?")
_BETWEEN = re.compile(r"[\s,;]+")
LAG = timedelta(hours=1)  # between an order's moment and its id: a transaction that placed many takes a while


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filters of one address; what cannot be read is none. `ids` are set where the text is a list of ids."""

    text: str = ""
    status: str = ""
    service: int | None = None
    since: date | None = None
    until: date | None = None
    ids: tuple[int, ...] = ()
    too_many: bool = False

    @classmethod
    def of(cls, query: QueryDict) -> Wanted:
        text = query.get("q", "").replace("\x00", "").strip()
        ids = _ids(text)
        return cls(
            text=text,
            status=status if (status := query.get("status", "")) in Status.values else "",
            service=asked_id(query, "service"),
            since=read_day(query.get("since", "")),
            until=read_day(query.get("until", "")),
            ids=ids[: settings.PORTAL_SEARCH_IDS],
            too_many=len(ids) > settings.PORTAL_SEARCH_IDS,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything beside the status is asked for."""
        return bool(self.text or self.service or self.since or self.until)

    def among(self, rows: QuerySet[Order]) -> QuerySet[Order]:
        """The orders that are wanted, of a customer's."""
        own = rows
        if self.status:
            rows = rows.filter(status=self.status)
        if self.service is not None:
            rows = rows.filter(service_id=self.service)
        if self.ids:
            rows = rows.filter(pk__in=self.ids)
        elif self.text:
            rows = rows.filter(link_key__in=_link_keys(self.text))
        return self._of_days(rows, own)

    def _of_days(self, rows: QuerySet[Order], own: QuerySet[Order]) -> QuerySet[Order]:
        """Lists go by ids, so that the days' ends become ids first; the moments themselves decide."""
        if self.since is not None:
            start = midnight(self.since)
            rows = rows.filter(created_at__gte=start, pk__gte=_first_id(own, start - LAG))
        if self.until is not None:
            end = midnight(self.until + timedelta(days=1))
            rows = rows.filter(created_at__lt=end)
            after = _first_id(own, end + LAG)
            if after.exists():
                rows = rows.filter(pk__lt=after)
        return rows

    def missing(self, rows: QuerySet[Order]) -> Sequence[int]:
        """Which of the ids that were asked for are none of these orders."""
        if not self.ids:
            return ()
        there = set(rows.filter(pk__in=self.ids).values_list("pk", flat=True))
        return [number for number in self.ids if number not in there]


def counts_by_status(customer: Customer) -> Mapping[str, int]:
    """How many of the customer's orders have each status, PORTAL_COUNTED + 1 at the most; without those of none.

    One statement, which reads so many entries of one index and no order.
    """
    table = connection.ops.quote_name(Order._meta.db_table)
    one = (
        f"SELECT %s AS status, COUNT(*) FROM (SELECT 1 AS one FROM {table}"  # noqa: S608 - our own table's name
        " WHERE customer_id = %s AND status = %s AND parent_id IS NULL LIMIT %s) AS few"
    )
    values: list[str | int] = []
    for word in Status.values:
        values += [word, customer.pk, word, settings.PORTAL_COUNTED + 1]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([one] * len(Status.values)), values)
        return {word: number for word, number in cursor.fetchall() if number}


def bought_lately(rows: QuerySet[Order]) -> Sequence[tuple[int, str]]:
    """The services of the newest PORTAL_RECENT_ORDERS orders, by name: what a filter offers."""
    newest = rows.filter(service__isnull=False).order_by("-pk")
    pairs = newest.values_list("service_id", "service_name")[: settings.PORTAL_RECENT_ORDERS]
    names: dict[int, str] = {}
    for number, name in pairs:
        assert number is not None
        names.setdefault(number, name)
    return sorted(names.items(), key=lambda pair: pair[1].casefold())


def _first_id(own: QuerySet[Order], since: datetime) -> QuerySet[Order, int]:
    """The id of the customer's first order from this moment on, as a question."""
    later = own.prefetch_related(None).filter(created_at__gte=since)
    return later.order_by("created_at", "id").values_list("pk", flat=True)[:1]


def _link_keys(text: str) -> set[str]:
    """Those of a link or handle, and of the link that a list shows without its scheme: instagram.com/name."""
    return {link_key(text), link_key(f"//{text}")} if "." in text else {link_key(text)}


def _ids(text: str) -> tuple[int, ...]:
    """The ids of a list with commas, spaces or line breaks; nothing where one of the words is none."""
    words = [word for word in _BETWEEN.split(text) if word]
    found = list(_matches(words))
    return tuple(dict.fromkeys(found)) if words and len(found) == len(words) else ()


def _matches(words: Sequence[str]) -> Iterator[int]:
    for word in words:
        found = _ID.fullmatch(word)
        if found is None:
            return
        yield int(found[1])
