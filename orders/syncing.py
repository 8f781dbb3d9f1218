"""Asking providers how their orders are doing: sweeps over the live orders of a provider, by age.

Fresh orders are asked for often, old ones rarely (ORDER_SYNC_BANDS). A sweep walks its band by (accepted_at, id), a
hundred ids a request, several requests at once; changed rows are written together, and an unchanged row costs no
write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone

from orders import parts
from orders.dividing import is_divided
from orders.keeping_parts import Part
from orders.models import Order, OrderEvent, State
from orders.overdue import all_posts_told, note_absent, should_have_ended
from orders.parts import PartsTold, parts_of, waits_for_parts
from orders.reading import KNOWN_COLUMNS, Known, News, compare, contradiction, status_of
from orders.runs import lock_parents, show_progress
from orders.settling import Ending, settle
from orders.story import line, tell
from providers.models import Provider
from providers.outcomes import ItemError, StatusReading
from providers.upstream import Upstream, UpstreamTrouble
from records.attention import Item, raise_many
from records.context import carried
from records.jobs import Turn

Answers = Mapping[str, StatusReading | ItemError]
Answer = tuple[Answers, PartsTold] | UpstreamTrouble


@dataclass(frozen=True, slots=True)
class Band:
    """Orders accepted between `younger` and `older` ago, and how often they are asked for."""

    name: str
    younger: timedelta
    older: timedelta | None
    every: timedelta


def bands() -> list[Band]:
    """The bands of ORDER_SYNC_BANDS: (name, up to this age, asked every), the last without an upper age."""
    found, start = [], timedelta(0)
    for name, up_to, every in settings.ORDER_SYNC_BANDS:
        found.append(Band(name, start, up_to, every))
        start = up_to or start
    return found


def sync_band(band: Band, turn: Turn) -> Mapping[str, int]:
    """One sweep over the band's orders at the provider `turn.scope`."""
    provider = Provider.objects.get(pk=int(turn.scope))
    counts: Counter[str] = Counter()
    workers = max(1, provider.concurrency)
    now = timezone.now()
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix=f"status-{provider.pk}") as pool:
        running: dict[Future[Answer], Sequence[Known]] = {}
        batches = _batches(provider, band, now)
        more = True
        while running or more:
            while more and len(running) < workers:
                batch = None if turn.should_stop() else next(batches, None)
                if batch is None:
                    more = False
                else:
                    running[pool.submit(carried(_ask), provider, batch)] = batch
            done, _ = wait(running, return_when=FIRST_COMPLETED) if running else (set(), None)
            for future in done:
                answer, batch = future.result(), running.pop(future)
                if isinstance(answer, UpstreamTrouble):
                    counts["troubled"] += len(batch)
                    more = False  # what troubles one batch troubles the next: the sweep comes again soon
                else:
                    counts.update(take_in(provider, batch, *answer))
    return dict(counts)


def _ask(provider: Provider, batch: Sequence[Known]) -> Answer:
    """The orders, and then the orders that the provider made for them."""
    try:
        answers = Upstream(provider).status([known.upstream_id for known in batch])
        return answers, parts.ask(provider, batch, answers)
    except UpstreamTrouble as trouble:
        return trouble
    finally:
        connections.close_all()


def _batches(provider: Provider, band: Band, now: datetime) -> Iterator[Sequence[Known]]:
    """The band's orders, oldest first, as many a batch as the provider takes ids; read a batch at a time, by keyset."""
    live = Order.objects.filter(provider=provider, state=State.ACCEPTED, accepted_at__lte=now - band.younger)
    if band.older is not None:
        live = live.filter(accepted_at__gt=now - band.older)
    size = provider.multi_status_size if provider.multi_status else 1
    last: tuple[datetime, int] | None = None
    while True:
        page = live
        if last is not None:
            # the first bound says no more than the second, but it is the one that an index is entered by
            page = live.filter(accepted_at__gte=last[0]).filter(Q(accepted_at__gt=last[0]) | Q(id__gt=last[1]))
        rows = list(page.order_by("accepted_at", "id").values_list(*KNOWN_COLUMNS, "accepted_at")[:size])
        if not rows:
            return
        last = (rows[-1][-1], rows[-1][0])
        yield [Known(**dict(zip(KNOWN_COLUMNS, row[:-1], strict=True))) for row in rows]


def take_in(
    provider: Provider, batch: Sequence[Known], answer: Answers, told: PartsTold | None = None
) -> Counter[str]:
    """Writes what an answer brought for the orders that were asked for, and for their parts, and counts it."""
    counts: Counter[str] = Counter(asked=len(batch))
    news: list[News] = []
    absent: list[Known] = []
    items: list[Item] = parts.write(provider, told) if told is not None else []
    for known in batch:
        reading = answer.get(known.upstream_id)
        if reading is None:
            absent.append(known)
        elif isinstance(reading, ItemError):
            counts["errors"] += 1
            items.append(_error_item(provider, known, reading))
        elif status_of(known.service_type, reading) is None:
            counts["unknown_words"] += 1
            items.append(_word_item(provider, known, reading))
        else:
            items += _contradictions(provider, known, reading)
            changed = compare(known, reading, provider)
            if changed is not None:
                news.append(changed)
    items += note_absent(provider, absent, [known for known in batch if known.upstream_id in answer])
    if items:
        raise_many(items)
    if absent:
        counts["absent"] = len(absent)
    counts.update(write_news(news))
    return counts


def write_news(news: Iterable[News]) -> Counter[str]:
    """Writes changed orders and settles those that ended, in one transaction, their rows locked in id order."""
    by_id = {each.order_id: each for each in news}
    counts: Counter[str] = Counter()
    if not by_id:
        return counts
    with transaction.atomic():
        parents = lock_parents(by_id)
        locked = Order.objects.select_for_update(of=("self",)).filter(pk__in=by_id, state=State.ACCEPTED).order_by("pk")
        orders = list(locked.select_related("customer__wallet", "provider__account"))
        made = parts_of([order.pk for order in orders if by_id[order.pk].final and is_divided(order)])
        endings, events, changed = [], [], []
        for order in orders:
            each, before = by_id[order.pk], _columns_of(order)
            if order.parent_id is not None:
                order.parent = parents[order.parent_id]
            _put(order, each)
            if not each.final:
                events += _go_on(order, each)
            elif waits_for_parts(order, each.status, made.get(order.pk, ()), timezone.now()):
                events += _begin_to_wait(order, each)
            else:
                endings.append(_ending(order, each, made.get(order.pk, ())))
            if _columns_of(order) != before:
                changed.append(order)
        Order.objects.bulk_update(changed, READ_COLUMNS, batch_size=500)
        tell(events)
        ended, unclear = settle(endings)
        show_progress(parents.values())
        counts.update(changed=len(changed), ended=ended, unclear=unclear)
    return counts


READ_COLUMNS = (
    "status", "upstream_status", "start_count", "remains", "upstream_charge", "parts_done", "upstream_ended_at",
    "should_end_at",
)  # fmt: skip


def _columns_of(order: Order) -> tuple[object, ...]:
    return tuple(getattr(order, name) for name in READ_COLUMNS)


def _put(order: Order, news: News) -> None:
    order.upstream_status, order.start_count = news.word, news.start_count
    order.remains, order.upstream_charge, order.parts_done = news.remains, news.charge, news.parts_done
    if order.should_end_at is None and all_posts_told(order):
        should_have_ended(order)


def _go_on(order: Order, news: News) -> list[OrderEvent]:
    """A live status. After an end that waited for parts the time of that end stays: who says now this and now that
    would otherwise put off the end, and a person's look at it, for ever.
    """
    if order.status == news.status:
        return []
    order.status = news.status
    return [line(order, "status")]


def _begin_to_wait(order: Order, news: News) -> list[OrderEvent]:
    """An end that is told before the parts have ended: it stays with the provider, and the time of the end is kept."""
    if order.upstream_ended_at is not None:
        return []
    order.upstream_ended_at = timezone.now()
    should_have_ended(order)
    return [line(order, "waits_for_parts", note=f"{news.word}; orders that the provider made for it are under way")]


def _ending(order: Order, news: News, made: Sequence[Part]) -> Ending:
    """Of runs or posts the most that was ever told counts: what was made is not unmade by a last word without it."""
    return Ending(
        order=order, status=news.status, remains=news.remains_said, cost=news.cost, done=news.parts_done,
        done_unreadable=news.done_unreadable, parts=made,
    )  # fmt: skip


def _error_item(provider: Provider, known: Known, error: ItemError) -> Item:
    return Item(
        cause="status_error",
        key=f"status_error:{known.id}",
        summary=f"Order {known.id} ({known.upstream_id}) is answered with an error: {error.refusal.text}",
        evidence={"upstream id": known.upstream_id, "said": error.refusal.text},
        provider_id=provider.pk,
        order_id=known.id,
    )


def _word_item(provider: Provider, known: Known, reading: StatusReading) -> Item:
    return Item(
        cause="unknown_word",
        key=f"unknown_word:{provider.pk}:{reading.word[:60].casefold()}",
        summary=f'{provider} says "{reading.word[:60]}", which is no status we know. Its orders stay as they are.',
        evidence={"word": reading.word, "an order": known.id},
        provider_id=provider.pk,
    )


def _contradictions(provider: Provider, known: Known, reading: StatusReading) -> list[Item]:
    why = contradiction(known, reading, provider)
    if not why:
        return []
    return [
        Item(
            cause="contradiction",
            key=f"contradiction:{known.id}",
            summary=f"Order {known.id}: {why}",
            evidence={"upstream id": known.upstream_id, "status": reading.word, "remains": reading.remains},
            provider_id=provider.pk,
            order_id=known.id,
        )
    ]
