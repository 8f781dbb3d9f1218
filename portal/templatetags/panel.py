"""The few words that templates need beyond Django's: icons, money, moments, statuses, long links."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from ledger.balances import StatementLine
from ledger.models import Transfer
from orders.cancelling import Verdict, can_cancel, has_open_cancel
from orders.holding import holds
from orders.models import FINAL, Order, State, Status
from orders.refilling import can_refill
from portal import money
from portal.again import again_of
from portal.callback_words import in_words
from portal.origins import placed_by
from portal.parts import in_parts
from portal.runs import words_of

register = template.Library()
register.filter("holds", holds)
register.filter("again", again_of)
register.filter("in_parts", in_parts)
register.filter("placed_by", placed_by)
register.filter("runs_words", words_of)

TONES = {
    Status.PENDING: "",
    Status.IN_PROGRESS: "status-active",
    Status.PROCESSING: "status-active",
    Status.COMPLETED: "status-good",
    Status.PARTIAL: "status-part",
    Status.CANCELED: "status-bad",
    Status.ACTIVE: "status-active",
    Status.PAUSED: "",
    Status.EXPIRED: "status-part",
}
STATUS_WORDS = {
    Status.PENDING: lambda: _("Pending"),
    Status.IN_PROGRESS: lambda: _("In progress"),
    Status.PROCESSING: lambda: _("Processing"),
    Status.COMPLETED: lambda: _("Completed"),
    Status.PARTIAL: lambda: _("Partial"),
    Status.CANCELED: lambda: _("Canceled"),
    Status.ACTIVE: lambda: _("Active"),
    Status.PAUSED: lambda: _("Paused"),
    Status.EXPIRED: lambda: _("Expired"),
}
LINK_LETTERS = 44
NOT_BEGUN = (State.WAITING, State.QUEUED, State.HELD, State.SERIES)  # nothing was delivered that is not known of
HOUR, TEN_HOURS, TWO_DAYS = 60, 600, 48  # in minutes, the last in hours
T = TypeVar("T")
A_WHILE = 45  # seconds that still read "just now"


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A symbol of the sprite. Without a label it stands beside a word and says nothing to a screen reader."""
    href = f"{static('vendor/lucide/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, href)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', href)


@register.filter
def in_currency(amount: Decimal, currency: str) -> str:
    """The exact amount, with its currency."""
    return money.with_currency(amount, currency)


@register.filter
def exact(amount: Decimal) -> str:
    """The exact amount alone, for a column whose head names the currency."""
    return money.grouped(amount)


@register.filter
def in_column(amount: Decimal | None, places: int) -> str | SafeString:
    """The amount with its point where its column has it; the exact one on hover if something is left out."""
    if amount is None:
        return "—"
    text, room = money.in_column(amount, places)
    if money.rounded(amount, places) == amount:
        return format_html('<span class="room-{}">{}</span>', room, text)
    return format_html('<span class="room-{}" title="{}">{}</span>', room, money.grouped(amount), text)


@register.filter
def grouped(number: int | None) -> str:
    return "—" if number is None else money.grouped(number)


@register.filter
def of(values: Mapping[int, T], key: int) -> T | None:
    """What is known of this one; nothing where nothing is."""
    return values.get(key)


@register.filter
def has(values: Container[int], key: int) -> bool:
    """Whether it is among these."""
    return key in values


@register.filter
def lasting(time: timedelta) -> str:
    """How long something takes, as people say it: to the minute under ten hours, to the hour under two days."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 1:
        return _("under a minute")
    if minutes < HOUR:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    if minutes < TEN_HOURS and minutes % HOUR:
        return _("%(hours)s h %(minutes)s min") % {"hours": minutes // HOUR, "minutes": minutes % HOUR}
    hours = round(minutes / HOUR)
    if hours < TWO_DAYS:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    days = round(hours / 24)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


@register.simple_tag
def status(word: str) -> SafeString:
    """A dot, a word and a colour together."""
    name = STATUS_WORDS[Status(word)]() if word in Status.values else word
    return format_html(
        '<span class="status {}">{}</span>', TONES.get(Status(word), "") if word in Status.values else "", name
    )


@register.filter
def tone(word: str) -> str:
    """The status's tone for a progress bar: good, part, bad or nothing."""
    tones = {Status.COMPLETED: "good", Status.PARTIAL: "part", Status.EXPIRED: "part", Status.CANCELED: "bad"}
    return tones.get(Status(word), "")


@register.simple_tag
def moment(at: datetime) -> SafeString:
    """How long ago, with the exact time on hover and for machines."""
    local = timezone.localtime(at)
    seconds = (timezone.now() - at).total_seconds()
    words = _("just now") if seconds < A_WHILE else _("%(age)s ago") % {"age": timesince(at, depth=1)}
    return _time(local, words)


@register.simple_tag
def exact_moment(at: datetime) -> SafeString:
    local = timezone.localtime(at)
    return _time(local, _written(local))


@register.filter
def middle(text: str, letters: int = LINK_LETTERS) -> str:
    """The text with its middle left out: both ends of a link tell it from another."""
    if len(text) <= letters:
        return text
    head = letters * 3 // 5
    return f"{text[:head]}…{text[-(letters - head - 1) :]}"


@register.filter
def without_scheme(link: str) -> str:
    """How a link is read: https:// says nothing."""
    return link.removeprefix("https://").removeprefix("http://").removeprefix("www.")


@register.filter
def is_web(link: str) -> bool:
    """Whether a link may be opened: a handle is only shown, and a `javascript:` is never a link."""
    return link.lower().startswith(("https://", "http://"))


def _time(local: datetime, words: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), _written(local), words)


def _written(local: datetime) -> str:
    return f"{_day_and_time(local)} {local.tzname()}"


def _day_and_time(local: datetime) -> str:
    """With the month as the language writes it within a date: "27 Nov", and in Russian a small letter."""
    return date_format(local, pgettext("date format", "j M Y, H:i"))


@register.simple_tag
def clock() -> str:
    """Now, in the reader's time zone."""
    return _day_and_time(timezone.localtime())


@register.filter
def delivered(order: Order) -> int | None:
    """How many of the quantity are done, 0 to the quantity; None where nobody knows."""
    if order.quantity is None:
        return None
    if order.remains is None and order.state in NOT_BEGUN:
        return 0
    if order.status == Status.COMPLETED and not holds(order):  # a subscription may complete with less than its most
        return order.quantity
    if order.remains is None:
        return 0 if order.status == Status.CANCELED else None
    return order.quantity - min(max(order.remains, 0), order.quantity)


@register.filter
def remaining(order: Order) -> int | None:
    """What is still to come: providers send less than nothing and more than was ordered. What ended runs did not
    deliver, and runs that will not be made, come no more.
    """
    if order.remains is None or order.quantity is None:
        return order.remains
    return max(min(order.remains, order.quantity) - order.undelivered, 0)


@register.filter
def thousandths(order: Order) -> int:
    """How far a progress bar goes, of a thousand."""
    if in_parts(order) and order.parts_done is not None:
        most = order.runs or int(order.details.get("posts") or 0)
        return min(order.parts_done * 1000 // most, 1000) if most else 0
    done = delivered(order)
    return done * 1000 // order.quantity if done and order.quantity else 0


@register.filter
def cost_so_far(order: Order) -> Decimal:
    """What the order costs by now: its charge less what was refunded."""
    return order.charge - order.refunded


@register.filter
def cancel_pending(order: Order) -> bool:
    """Whether the customer asked to cancel and the order has not ended."""
    asked = order.cancel_wished_at is not None or has_open_cancel(order)
    return asked and order.status not in FINAL


@register.filter
def why_not_taken(last_error: str) -> str:
    """Why a callback's message was not taken, in the customer's language."""
    return in_words(last_error)


@register.filter
def kind_of_movement(line: StatementLine) -> str:
    """What moved the money, as the customer sees it."""
    words = {
        Transfer.Kind.CHARGE: _("Charge"),
        Transfer.Kind.REFUND: _("Refund"),
        Transfer.Kind.DEPOSIT: _("Deposit"),
        Transfer.Kind.BONUS: _("Bonus"),
        Transfer.Kind.FEE: _("Fee"),
        Transfer.Kind.REVERSAL: _("Deposit taken back"),
        Transfer.Kind.CORRECTION: _("Correction"),
        Transfer.Kind.HOLD: _("Held"),
        Transfer.Kind.CAPTURE: _("Taken"),
        Transfer.Kind.RELEASE: _("Released"),
    }
    return words.get(line.kind, str(line.kind.label))


@register.filter
def cancel_verdict(order: Order) -> Verdict:
    """Whether it can be canceled, and if not, why not; asks the database nothing for a row of a list."""
    return can_cancel(order)


@register.filter
def refill_verdict(order: Order) -> Verdict:
    """Whether a refill can be asked for, and if not, why not; asks the database nothing for a row of a list."""
    return can_refill(order)
