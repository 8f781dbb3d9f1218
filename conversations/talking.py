"""The verbs of a thread: a customer opens it and writes, staff answer and resolve it. Each is one transaction.

While a customer waits, an item stands on the operator's list (cause `customer_problem`); an answer takes it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.letters import PROBLEM_ANSWERED, tell_customer
from accounts.models import Customer
from conversations.models import Message, Thread
from ledger.amounts import plain
from orders.models import Order, State
from orders.refilling import request_refill
from orders.refunding import Refund, RefundAboveCharge, refund_all
from orders.story import line, tell
from records.attention import close_attention, raise_attention
from records.audit import Actor, audit


class CannotWrite(Exception):
    """Nothing was written and nothing was changed; the sentence says why."""


def open_thread(*, order: Order, topic: str, text: str, actor: Actor) -> Thread:
    """The customer's problem with an order. Raises CannotWrite, also while one of the order is open."""
    if topic not in Thread.Topic.values:
        raise CannotWrite(_("Choose what is wrong. Nothing was sent."))
    words = _words(text)
    _not_too_often(order.customer_id)
    now = timezone.now()
    try:
        with transaction.atomic():
            thread = Thread.objects.create(order=order, customer_id=order.customer_id, topic=topic, waits_since=now)
            Message.objects.create(thread=thread, by_staff=False, actor=actor.name, text=words)
            _call_staff(thread, words)
    except IntegrityError as error:
        raise CannotWrite(_("A question about this order is open already: write there. Nothing was sent.")) from error
    return thread


def write(*, thread: Thread, text: str, actor: Actor) -> Message:
    """One more word of the customer. Raises CannotWrite; a resolved thread takes none. What he said last and says again
    within CONVERSATION_REPEAT_SECONDS is a form that was sent twice: it stands there once.
    """
    words = _words(text)
    _not_too_often(thread.customer_id)
    with transaction.atomic():
        fresh = _open(thread)
        if (same := _just_said(fresh, words)) is not None:
            return same
        Thread.objects.filter(pk=fresh.pk).update(waits_since=fresh.waits_since or timezone.now())
        message = Message.objects.create(thread=fresh, by_staff=False, actor=actor.name, text=words)
        _call_staff(fresh, words)
    return message


def answer(*, thread: Thread, text: str, actor: Actor) -> Message:
    """A word of staff: the customer is told, the item goes off the list. Raises CannotWrite."""
    words = _words(text)
    with transaction.atomic():
        fresh = _open(thread)
        message = _say(fresh, words, actor)
        waited = {"waits_since": fresh.waits_since}, {"waits_since": None, "message": message.pk}
        audit(actor=actor, action="problem.answer", target=fresh, before=waited[0], after=waited[1])
    return message


def resolve_by_note(*, thread: Thread, text: str, actor: Actor) -> None:
    """The last word. Raises CannotWrite."""
    words = _words(text)
    with transaction.atomic():
        fresh = _open(thread)
        _say(fresh, words, actor)
        _close(fresh, Thread.Resolved.NOTE, actor, {})


def resolve_by_refill(*, thread: Thread, text: str, actor: Actor) -> None:
    """Asks for a refill of the order, and says so. Raises CannotWrite, and CannotRefill with nothing changed."""
    words = _words(text)
    with transaction.atomic():
        fresh = _open(thread)
        refill = request_refill(order=Order.objects.get(pk=fresh.order_id), actor=actor)
        _say(fresh, words, actor)
        _close(fresh, Thread.Resolved.REFILL, actor, {"refill": refill.pk})


def resolve_by_refund(*, thread: Thread, amount: Decimal, text: str, actor: Actor) -> None:
    """Pays back a part of what an ended order has cost, at most all that is left of it. Raises CannotWrite.

    What the provider is paid stays as it is: the panel bears it.
    """
    words = _words(text)
    with transaction.atomic():
        fresh = _open(thread)
        order = Order.objects.select_for_update(of=("self",)).select_related("customer__wallet").get(pk=fresh.order_id)
        left = refundable(order)
        if not 0 < amount <= left:
            raise CannotWrite(f"Between 0 and {plain(left)} can be paid back for this order. Nothing was changed.")
        try:
            refund_all([Refund(order=order, amount=amount, why=f"problem:{fresh.pk}", note=f"Order {order.pk}")])
        except RefundAboveCharge as error:
            raise CannotWrite(f"{error} Nothing was changed.") from error
        tell([line(order, "paid_back", actor=actor, note=f"{plain(amount)}: {words}"[:500])])
        _say(fresh, words, actor)
        _close(fresh, Thread.Resolved.REFUND, actor, {"amount": plain(amount)})


def refundable(order: Order) -> Decimal:
    """What may be paid back for it by hand: nothing before its end, whose rule moves the money until then."""
    return order.charge - order.refunded if order.state == State.ENDED else Decimal(0)


def mark_read(thread: Thread) -> None:
    """The customer has it before his eyes."""
    Thread.objects.filter(pk=thread.pk, unread=True).update(unread=False)


def _words(text: str) -> str:
    words = text.replace("\r\n", "\n").replace("\x00", "").strip()
    most = settings.CONVERSATION_TEXT_LENGTH
    if not words:
        raise CannotWrite(_("Write a few words first. Nothing was sent."))
    if len(words) > most:
        raise CannotWrite(_("At most %(most)s characters. Nothing was sent.") % {"most": most})
    return words


def _not_too_often(customer_id: int) -> None:
    lately = timezone.now() - timedelta(hours=1)
    most = settings.CONVERSATION_MESSAGES_AN_HOUR
    written = Message.objects.filter(thread__customer_id=customer_id, by_staff=False, at__gt=lately)
    if len(written.values_list("pk", flat=True)[:most]) >= most:
        raise CannotWrite(_("You have written very often. Wait a while; nothing was sent."))


def _open(thread: Thread) -> Thread:
    """The thread as it is now, locked."""
    fresh = Thread.objects.select_for_update(of=("self",)).select_related("order", "customer__user").get(pk=thread.pk)
    if not fresh.is_open:
        raise CannotWrite(_("This question was resolved. Open a new one if it is still wrong. Nothing was sent."))
    return fresh


def _just_said(thread: Thread, words: str) -> Message | None:
    last = thread.messages.order_by("-id").first()
    if last is None or last.by_staff or last.text != words:
        return None
    return last if timezone.now() - last.at < timedelta(seconds=settings.CONVERSATION_REPEAT_SECONDS) else None


def _call_staff(thread: Thread, words: str) -> None:
    with override(settings.LANGUAGE_CODE):  # the operator reads it, not who wrote
        topic = str(Thread.Topic(thread.topic).label)
    raise_attention(
        cause="customer_problem",
        key=f"problem:{thread.pk}",
        summary=f"Order {thread.order_id}: {topic}",
        evidence={"the customer wrote": words[:500]},
        provider_id=thread.order.provider_id,
        order_id=thread.order_id,
    )


def _say(thread: Thread, words: str, actor: Actor) -> Message:
    message = Message.objects.create(thread=thread, by_staff=True, actor=actor.name, text=words)
    Thread.objects.filter(pk=thread.pk).update(waits_since=None, unread=True)
    close_attention(key=f"problem:{thread.pk}", decision=f"Answered: {words}"[:300], actor=actor)
    customer = Customer.objects.select_related("user").get(pk=thread.customer_id)
    facts = {"order": thread.order_id, "service": thread.order.service_name[:200]}
    tell_customer(customer, PROBLEM_ANSWERED, facts=facts)
    return message


def _close(thread: Thread, how: Thread.Resolved, actor: Actor, after: Mapping[str, object]) -> None:
    now = timezone.now()
    Thread.objects.filter(pk=thread.pk).update(closed_at=now, resolved=how)
    told = {"resolved": how.value, "order": thread.order_id, **after}
    audit(actor=actor, action=f"problem.{how}", target=thread, before={"resolved": ""}, after=told)
