"""What a customer sees of an order that is delivered in parts: posts or runs made so far, and how each of them fares.

Parts are numbered as they came: the ids that they have at a provider are none of the customer's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.dividing import is_subscription
from orders.holding import holds, released_of
from orders.models import Order, Status, UpstreamPart
from portal.money import grouped


@dataclass(frozen=True, slots=True)
class PartRow:
    """One post or run: its number from 1, its status, and the counts that are known of it."""

    number: int
    status: str
    start_count: int | None
    remains: int | None


@dataclass(frozen=True, slots=True)
class Hold:
    """The money of a charge that is held until it is known how much was delivered."""

    held: Decimal
    taken: Decimal | None  # None while it stands
    released: Decimal
    refunded: Decimal  # after the end


def parts_of(order: Order) -> Sequence[PartRow]:
    """The newest PORTAL_PARTS of its parts, the newest first; none for an order that is delivered as one."""
    if order.upstream_id is None or not is_in_parts(order):
        return []
    rows = UpstreamPart.objects.filter(order=order).order_by("id")
    read = list(rows.values_list("status", "start_count", "remains")[: settings.PARTS_MOST])
    numbered = [
        PartRow(number, status or Status.PENDING, start_count, remains)
        for number, (status, start_count, remains) in enumerate(read, start=1)
    ]
    return numbered[::-1][: settings.PORTAL_PARTS]


def is_in_parts(order: Order) -> bool:
    return order.runs is not None or is_subscription(order.service_type)


def in_parts(order: Order) -> str:
    """"3 of 5 posts": how far it is; empty for what is delivered as one, or where nobody counts the parts."""
    if is_subscription(order.service_type):
        posts = int(order.details.get("posts") or 0)
        if order.parts_done is None:
            return ngettext("%(all)s post", "%(all)s posts", posts) % {"all": grouped(posts)}
        counted = {"done": grouped(order.parts_done), "all": grouped(posts)}
        return ngettext("%(done)s of %(all)s post", "%(done)s of %(all)s posts", posts) % counted
    if order.runs is None or order.upstream_id is None or order.parts_done is None:
        return ""
    counted = {"done": grouped(order.parts_done), "all": grouped(order.runs)}
    return ngettext("%(done)s of %(all)s run", "%(done)s of %(all)s runs", order.runs) % counted


def hold_of(order: Order) -> Hold | None:
    """What became of the order's hold; None for an order that was charged when it was placed. One query."""
    if not holds(order):
        return None
    if order.ended_at is None:
        return Hold(order.charge, None, Decimal(0), Decimal(0))
    released = released_of(order)
    return Hold(order.charge, order.charge - released, released, order.refunded - released)


def facts_of(order: Order) -> Sequence[tuple[str, str]]:
    """What was asked for of each post of a subscription, in words; empty for anything else."""
    if not is_subscription(order.service_type):
        return []
    details = order.details
    span = f"{grouped(int(details.get('min', 0)))} – {grouped(int(details.get('max', 0)))}"
    minutes = details.get("delay") or "0"
    delay = at_once() if minutes == "0" else _("%(minutes)s minutes") % {"minutes": minutes}
    facts = [(_("Each post gets"), span), (_("Delay"), delay)]
    if details.get("old_posts"):
        facts.append((_("Old posts"), grouped(int(details["old_posts"]))))
    facts.append((_("Expires"), details.get("expiry") or _("With the last post")))
    return facts


def at_once() -> str:
    """A delay of no minutes, in words."""
    return _("At once")


SHOWN_AS_FACTS = ("username", "min", "max", "posts", "old_posts", "delay", "expiry")  # of a subscription
