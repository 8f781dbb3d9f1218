"""Orders that their provider never ends: it leaves them out of its answers, or their end is long past.

Nothing here ends an order or moves money: what is told here is a person's to settle (`deciding.is_stuck`). One answer
without an order says nothing, so the order remembers since when it is absent (`absent_since`); and by when it should
have ended, as far as anybody said it (`should_end_at`): its expiry, its last post, an end that waits for its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from orders.dividing import is_subscription
from orders.models import Order, State
from orders.reading import Known
from providers.models import Provider
from records.attention import Item, close_of_orders, raise_many
from records.models import AttentionItem

ABSENT, OVERDUE = "order_absent", "order_overdue"


def note_absent(provider: Provider, absent: Sequence[Known], present: Sequence[Known]) -> list[Item]:
    """Remembers which orders an answer left out, forgets it of those that are back, and returns what must be told."""
    now = timezone.now()
    _mark([known.id for known in absent if known.absent_since is None], now)
    back = [known.id for known in present if known.absent_since is not None]
    _mark(back, None)
    if back:
        close_of_orders(back, causes=[ABSENT], decision="The provider answers for it again.")
    long_ago = now - timedelta(hours=settings.ORDER_ABSENT_HOURS)
    return [
        _absent_item(provider, known)
        for known in absent
        if known.absent_since is not None and known.absent_since <= long_ago
    ]


def _mark(order_ids: Sequence[int], since: datetime | None) -> None:
    if not order_ids:
        return
    with transaction.atomic():
        orders = Order.objects.filter(pk__in=order_ids, state=State.ACCEPTED)
        locked = list(orders.select_for_update().order_by("pk").values_list("pk", flat=True))
        Order.objects.filter(pk__in=locked).update(absent_since=since)


def expiry_of(details: Mapping[str, object]) -> datetime | None:
    """The end of the day on which a subscription expires, as its order's details say it (spec: day/month/year)."""
    expiry = details.get("expiry")
    if not expiry:
        return None
    return datetime.strptime(str(expiry), "%d/%m/%Y").replace(tzinfo=UTC) + timedelta(days=1)


def all_posts_told(order: Order) -> bool:
    """Whether a subscription has had all of its posts: nothing more is to come."""
    posts = str(order.details.get("posts", ""))
    return is_subscription(order.service_type) and posts.isdecimal() and (order.parts_done or 0) >= int(posts)


def should_have_ended(order: Order) -> None:
    """Writes onto the instance that it should have ended by now; an earlier time stays."""
    now = timezone.now()
    order.should_end_at = now if order.should_end_at is None else min(order.should_end_at, now)


def report_overdue() -> int:
    """Tells the operator of orders that should have ended ORDER_OVERDUE_HOURS ago and are still with their provider."""
    told = AttentionItem.objects.filter(order_id=OuterRef("pk"), cause=OVERDUE, closed_at__isnull=True)
    late = timezone.now() - timedelta(hours=settings.ORDER_OVERDUE_HOURS)
    overdue = Order.objects.filter(~Exists(told), state=State.ACCEPTED, should_end_at__lt=late)
    found = list(overdue.order_by("should_end_at").select_related("provider")[: settings.ORDER_SWEEP_ROWS])
    raise_many([_overdue_item(order) for order in found])
    return len(found)


def _absent_item(provider: Provider, known: Known) -> Item:
    return Item(
        cause=ABSENT,
        key=f"{ABSENT}:{known.id}",
        summary=f"Order {known.id} ({known.upstream_id}) is left out of what {provider} answers. Nothing was changed: "
        "it goes on when it is answered for again, or you settle it.",
        evidence={"upstream id": known.upstream_id, "absent since": f"{known.absent_since:%Y-%m-%d %H:%M} UTC"},
        provider_id=provider.pk,
        order_id=known.id,
    )


def _overdue_item(order: Order) -> Item:
    return Item(
        cause=OVERDUE,
        key=f"{OVERDUE}:{order.pk}",
        summary=f"Order {order.pk} should have ended by {order.should_end_at:%Y-%m-%d %H:%M} UTC and is still "
        f"{order.status}. Nothing was changed: it goes on when {order.provider} ends it, or you settle it.",
        evidence={
            "upstream id": order.upstream_id,
            "the provider's word": order.upstream_status,
            "made so far": order.parts_done,
            "told to have ended": f"{order.upstream_ended_at:%Y-%m-%d %H:%M} UTC" if order.upstream_ended_at else "no",
        },
        provider_id=order.provider_id,
        order_id=order.pk,
    )
