"""What a provider's `status` says of one live order, beside what we knew: a pure comparison, before anything is locked.

An error of an id, an unknown word or an absent id changes nothing. A contradiction changes nothing either, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from orders.dividing import is_subscription, may_have_parts
from orders.keeping import BELIEVED_TIMES
from orders.models import FINAL, Status
from providers.models import Provider
from providers.outcomes import StatusReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The part of an order's row that a reading can change."""

    id: int
    upstream_id: str
    status: str
    upstream_status: str
    start_count: int | None
    remains: int | None
    upstream_charge: Decimal | None
    quantity: int | None
    cost: Decimal | None
    service_type: str = ""
    runs: int | None = None
    parts_done: int | None = None
    upstream_ended_at: datetime | None = None
    absent_since: datetime | None = None

    @property
    def divided(self) -> bool:
        """Whether its provider makes orders of its own for it."""
        return may_have_parts(self.service_type, self.runs)


KNOWN_COLUMNS = tuple(Known.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What changed of an order: the new values of its columns, and whether it has ended upstream."""

    order_id: int
    status: Status
    word: str
    start_count: int | None
    remains: int | None  # as the row keeps it: what was known stays where this reading does not say
    remains_said: int | None  # what this very reading says: only that may move money
    charge: Decimal | None
    cost: Decimal | None  # the charge where it is in the booked currency, else None: only that may move money
    parts_done: int | None = None  # runs or posts, as the row keeps it: the most that was ever told
    done_unreadable: bool = False  # this very reading counts them in a way that makes no sense

    @property
    def final(self) -> bool:
        return self.status in FINAL


def status_of(spelling: str, reading: StatusReading) -> Status | None:
    """What the reading's word means for an order of this service type: subscriptions have words of their own."""
    word = reading.subscription if is_subscription(spelling) else reading.status
    return None if word is None else Status(word.value)


def compare(known: Known, reading: StatusReading, provider: Provider) -> News | None:
    """The news in a reading whose word is known; None where nothing changed."""
    status = status_of(known.service_type, reading)
    assert status is not None
    remains = None if known.divided else reading.remains  # of a whole that is made in parts it says nothing
    done, unreadable = _done_of(known, reading)
    news = News(
        order_id=known.id,
        status=status,
        word=reading.word[:60],
        start_count=known.start_count if reading.start_count is None else bounded(reading.start_count),
        remains=known.remains if remains is None else bounded(remains),
        remains_said=remains,
        charge=known.upstream_charge if reading.charge is None else reading.charge,
        cost=reading.charge if in_booked_currency(reading, provider) else None,
        parts_done=known.parts_done if done is None else max(done, known.parts_done or 0),
        done_unreadable=unreadable,
    )
    same = (
        status.value == known.status
        and news.word == known.upstream_status
        and news.start_count == known.start_count
        and news.remains == known.remains
        and news.charge == known.upstream_charge
        and news.parts_done == known.parts_done
    )
    return None if same else news


def in_booked_currency(reading: StatusReading, provider: Provider) -> bool:
    """Whether the reading's charge is in the currency that the provider's costs are booked in. Left unsaid, it is
    not.
    """
    return reading.currency is not None and reading.currency.upper() == provider.currency.upper()


def contradiction(known: Known, reading: StatusReading, provider: Provider) -> str:
    """A sentence for the operator where a reading contradicts what was said before; "" where it does not."""
    live = status_of(known.service_type, reading) not in (None, *FINAL)
    remains = None if known.divided else reading.remains
    grew = remains is not None and known.remains is not None and remains > max(known.remains, 0)
    if live and grew:
        return f"What remains grew from {known.remains} to {remains}."
    if live and known.upstream_ended_at is not None and reading.word[:60] != known.upstream_status:
        return f"It was told to have ended, and goes on as {reading.word[:60]}."
    if reading.charge is not None and reading.currency is not None and not in_booked_currency(reading, provider):
        return f"The charge came in {reading.currency[:12]}, but the provider is booked in {provider.currency}."
    if reading.charge is not None and reading.charge > settings.LEDGER_MAX_AMOUNT:
        return f"The charge of {reading.charge:f} is no price that the books can hold."
    if reading.charge is not None and known.cost and reading.charge > known.cost * BELIEVED_TIMES:
        return f"The charge of {reading.charge:f} is far above the booked cost of {known.cost:f}."
    return ""


LARGEST = 2**63 - 1
MOST_DONE = 2**31 - 1


def _done_of(known: Known, reading: StatusReading) -> tuple[int | None, bool]:
    """Runs or posts that the reading counts, None for an order that has none or where they are left out; and whether
    a count was sent that makes no sense.
    """
    if not known.divided:
        return None, False
    name, done = ("posts", reading.posts) if is_subscription(known.service_type) else ("runs", reading.runs)
    if done is None:
        return None, name in reading.unreadable
    return (done, False) if 0 <= done <= MOST_DONE else (None, True)


def bounded(count: int) -> int:
    """Providers send counts beyond any column; what does not fit says no more than "very many"."""
    return max(-LARGEST, min(count, LARGEST))
