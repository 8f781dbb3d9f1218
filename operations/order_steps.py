"""What an operator decides about an order, with what each decision does to money said before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.db import transaction

from ledger.amounts import from_units
from operations import words
from operations.forms import DeskForm, ReasonForm, reason
from operations.its_word import ends_as_it_says
from operations.refusals import REFUSALS, Refused, sentence
from operations.runs import paid_for
from operations.steps import Data, Step
from orders import deciding
from orders.cancelling import FREE, can_cancel, request_cancel
from orders.holding import holds, released_of
from orders.models import FINAL, Order, RefillRequest, State, Status
from orders.reading import LARGEST
from orders.refilling import CannotRefill, decide_unknown
from orders.runs import due_if_stopped, due_without, is_series
from orders.settling import sold
from orders.story import line, tell
from providers.outcomes import StatusReading
from providers.upstream import Upstream
from records.audit import Actor, audit

REFUNDABLE = (State.UNKNOWN, State.HELD, State.WAITING, State.QUEUED, State.BY_HAND, State.REVIEW)
REFUSED_SHOWN = 5  # of a bulk decision's refusals; the rest are counted
LIVE = [(status.value, status.label) for status in Status if status not in FINAL]
CHOOSE = ("", "Choose")  # no end is the usual one: what is left standing would move money
ENDS = [CHOOSE, *((status.value, status.label) for status in FINAL if status != Status.EXPIRED)]
SUBSCRIPTION_ENDS = [CHOOSE, *((status.value, status.label) for status in FINAL if status != Status.PARTIAL)]


class ExistsForm(DeskForm):
    upstream_id = forms.CharField(label="The provider's order id", max_length=64)
    reason = reason()


class SettleForm(DeskForm):
    status = forms.ChoiceField(label="It ended as", choices=ENDS)
    delivered = forms.IntegerField(
        label="Delivered", required=False, min_value=0, help_text="For Partial: how much of the quantity was delivered."
    )
    reason = reason()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("status") != Status.PARTIAL and cleaned.get("delivered") is not None:
            self.add_error("delivered", "Only a Partial order has a delivered part. Leave this empty.")
        return cleaned


class SettleSubscriptionForm(DeskForm):
    status = forms.ChoiceField(label="It ended as", choices=SUBSCRIPTION_ENDS)
    delivered = forms.IntegerField(
        label="Delivered", min_value=0, help_text="Over all posts. It is what the customer pays for, however it ended."
    )
    reason = reason()


class ProgressForm(DeskForm):
    status = forms.ChoiceField(choices=LIVE)
    start_count = forms.IntegerField(label="Start count", required=False, min_value=0, max_value=LARGEST)
    remains = forms.IntegerField(required=False, min_value=0, max_value=LARGEST)


class RefillForm(DeskForm):
    upstream_id = forms.CharField(
        label="The refill's id there", max_length=64, required=False, help_text="Empty: the provider did not take it."
    )
    reason = reason()


class NoteForm(DeskForm):
    note = forms.CharField(max_length=500, widget=forms.Textarea, help_text="For operators; customers never see it.")


def exists(actor: Actor, order: Order, data: Data) -> str:
    """The provider is asked for it first: an order that goes on under an id that is none has no way to an end."""
    upstream_id = data["upstream_id"]
    if order.provider is not None and order.state == State.UNKNOWN:
        found = Upstream(order.provider).status([upstream_id]).get(upstream_id)
        if not isinstance(found, StatusReading):
            raise Refused(f"{order.provider} does not know an order {upstream_id}. Nothing was changed.")
    deciding.it_exists(order=order, upstream_id=upstream_id, actor=actor, reason=data["reason"])
    return f"Order {order.pk} goes on as {order.upstream_id}. Its cost is in the provider's books."


def send_again(actor: Actor, order: Order, data: Data) -> str:
    deciding.send_again(order=order, actor=actor, reason=data["reason"])
    return f"Order {order.pk} waits to be sent again. No money moved."


def unknown_refill(order: Order) -> RefillRequest | None:
    """The order's refill of which nobody knows whether the provider took it."""
    return order.refills.filter(status=RefillRequest.Status.UNKNOWN, ended_at__isnull=True).first()


def decide_refill(actor: Actor, order: Order, data: Data) -> str:
    refill = unknown_refill(order)
    if refill is None:
        raise CannotRefill("No refill of this order is unknown any more.")
    decide_unknown(refill=refill, upstream_id=data["upstream_id"], actor=actor, reason=data["reason"])
    followed = f"is followed as {refill.upstream_id}"
    became = followed if refill.upstream_id else "ends as Rejected; another may be asked for"
    return f"The refill of order {order.pk} {became}. No money moved."


def release(actor: Actor, order: Order, data: Data) -> str:
    deciding.release(order=order, actor=actor, reason=data["reason"])
    return f"Order {order.pk} is released and will be sent. No money moved."


def refund(actor: Actor, order: Order, data: Data) -> str:
    before = refunded(order)
    deciding.refund_whole(order=order, actor=actor, reason=data["reason"])
    return f"Order {order.pk} is Canceled. {words.ours(refunded(order) - before)} went back to {order.customer}."


def _became_of_hold(order: Order) -> str:
    """What the end of a hold came to, in the books' words."""
    released = released_of(order)
    return f"{words.ours(order.charge - released)} was taken and {words.ours(released)} released to {order.customer}."


def settle(actor: Actor, order: Order, data: Data) -> str:
    before = refunded(order)
    deciding.settle_by_hand(
        order=order, status=Status(data["status"]), delivered=data["delivered"], actor=actor, reason=data["reason"]
    )
    back = refunded(order) - before
    money = f"{words.ours(back)} went back to {order.customer}." if back else "No money moved."
    if holds(order):
        money = _became_of_hold(order)
    return f"Order {order.pk} ended as {order.status}. {money}"


def progress(actor: Actor, order: Order, data: Data) -> str:
    deciding.progress_by_hand(
        order=order, status=Status(data["status"]), start_count=data["start_count"], remains=data["remains"],
        actor=actor,
    )  # fmt: skip
    return f"Order {order.pk} is {order.status}. No money moved."


def cancel(actor: Actor, order: Order, data: Data) -> str:
    before = refunded(order)
    with transaction.atomic():
        was = _stands(order)
        done = request_cancel(order=order, actor=actor)
        became = {**_stands(order), "cancelled": done.name}
        audit(actor=actor, action="order.cancel", target=order, reason=data["reason"], before=was, after=became)
    back = words.ours(refunded(order) - before)
    match done.name:
        case "DONE" | "REST":
            return f"Order {order.pk} is Canceled. {back} went back to {order.customer}."
        case "STOPPED":
            return f"No further run is made. {back} went back to {order.customer}; the runs under way end first."
        case "WISHED":
            return "The wish to cancel is kept: if the order turns out not to have been placed, the charge goes back."
    return "The provider is asked to cancel. Only its later answer says what happens; no money moved yet."


def note(actor: Actor, order: Order, data: Data) -> str:
    with transaction.atomic():
        tell([line(order, "note", actor=actor, note=data["note"])])
        audit(actor=actor, action="order.note", target=order, after={"note": data["note"]})
    return "The note is kept in the order's story."


def _stands(order: Order) -> dict[str, Any]:
    """How far it is, as the database has it now."""
    return dict(Order.objects.values("state", "status", "refunded").get(pk=order.pk))


def refunded(order: Order) -> Decimal:
    """What went back so far of what was sold: a run's money is its drip-feed's."""
    return Order.objects.values_list("refunded", flat=True).get(pk=order.parent_id or order.pk)


def charge_left(order: Order) -> str:
    """What a whole refund would give back."""
    return words.ours(_left(order))


def _left(order: Order) -> Decimal:
    return due_without(order) if order.parent_id is not None else order.charge - order.refunded


def _and_the_rest(order: Order) -> str:
    """What else ends with it."""
    if order.parent_id is None or order.upstream_id is not None:
        return ""
    return f" The drip-feed {order.parent_id} ends with it: the runs that were not begun are in that amount."


def what_settling_does(order: Order) -> str:
    back = f"Canceled gives back {charge_left(order)} to {order.customer}."
    whole = f"the whole {words.ours(order.charge)}" if order.parent_id is None else "what was paid for this run"
    ends = f"Completed keeps {whole}. {back}"
    if order.quantity is None:
        return f"{ends} It has no quantity, so it cannot be Partial here."
    rate = words.ours(from_units(sold(order).rate))
    return f"{ends} Partial keeps {rate} for each 1000 delivered, of {order.quantity:,}, and gives back the rest."


def what_settling_a_subscription_does(order: Order) -> str:
    assert order.quantity is not None
    rate = words.ours(from_units(sold(order).rate))
    return (
        f"{words.ours(order.charge)} is held for at most {order.quantity:,}. {rate} for each 1000 delivered is taken "
        f"of it, whatever it ended as, and the rest is released to {order.customer}."
    )


def what_cancelling_does(order: Order) -> str:
    if order.state in FREE:
        free = f"It was not sent yet: it ends as Canceled and {charge_left(order)} go back to {order.customer} at once."
        return f"{free}{_and_the_rest(order)}"
    if is_series(order):
        return (
            f"No further run is made and {words.ours(due_if_stopped(order))} for those that were not begun go back to "
            f"{order.customer} at once. Runs that are under way are canceled as any order is."
        )
    if order.state in (State.SENDING, State.UNKNOWN):
        return "Nobody knows yet whether the provider has it. The wish is kept; no money moves now."
    return "The provider is asked to cancel. No money moves until it answers."


def may_be_settled(order: Order) -> bool:
    return order.state in (State.REVIEW, State.BY_HAND) or deciding.is_stuck(order)


def _in(*states: State) -> Any:
    return lambda order: order.state in states


STEPS = (
    Step(
        name="exists", right="operations.decide_order", label="It exists there",
        do=exists, form=ExistsForm, icon="link", primary=True,
        fits=_in(State.UNKNOWN),
        says=lambda order: f"Order {order.pk} goes on at {order.provider} under the id that you found there. Its cost "
        f"is booked from the balance at {order.provider}; the customer's {words.ours(paid_for(order))} stay paid.",
    ),
    Step(
        name="send-again", right="operations.decide_order", label="Send again",
        do=send_again, form=ReasonForm, icon="replay", fits=_in(State.UNKNOWN),
        says=lambda order: f"You say that {order.provider} does not have it. It is sent a second time; if the first "
        "one is there after all, you pay it twice. The customer's money does not move.",
    ),
    Step(
        name="release", right="operations.decide_order", label="Release",
        do=release, form=ReasonForm, icon="lock_open", primary=True,
        fits=_in(State.HELD),
        says=lambda order: f"Held: {order.reason} It is sent where a provider takes it without a loss. No money moves.",
    ),
    Step(
        name="settle", right="operations.decide_order", label="Settle",
        do=settle, form=SettleForm, icon="task_alt", primary=True,
        fits=lambda order: not holds(order) and may_be_settled(order), says=what_settling_does,
        initial=ends_as_it_says,
    ),
    Step(
        name="settle-subscription", right="operations.decide_order", label="Settle",
        do=settle, form=SettleSubscriptionForm, icon="task_alt",
        primary=True, fits=lambda order: holds(order) and may_be_settled(order),
        says=what_settling_a_subscription_does, initial=ends_as_it_says,
    ),
    Step(
        name="progress", right="operations.decide_order", label="Progress",
        do=progress, form=ProgressForm, icon="pending", fits=_in(State.BY_HAND),
        initial=lambda order: {"status": order.status, "start_count": order.start_count, "remains": order.remains},
        says=lambda order: "How far it is, as the customer sees it. No money moves.",
    ),
    Step(
        name="refund", right="operations.refund_order", label="Refund",
        do=refund, form=ReasonForm, icon="undo", danger=True, fits=_in(*REFUNDABLE),
        says=lambda order: f"Order {order.pk} ends as Canceled and {charge_left(order)} go back to {order.customer}. "
        f"If the provider delivers it all the same, its price is your loss.{_and_the_rest(order)}",
    ),
    Step(
        name="cancel", right="operations.cancel_order", label="Cancel",
        do=cancel, form=ReasonForm, icon="cancel", danger=True,
        fits=lambda order: can_cancel(order).allowed, says=what_cancelling_does,
    ),
    Step(
        name="refill", right="operations.refill_order", label="Decide the refill",
        do=decide_refill, form=RefillForm, icon="water_drop", primary=True,
        fits=lambda order: unknown_refill(order) is not None,
        says=lambda order: f"Its refill was sent to {order.provider} and no clear answer came. Look there: with an id "
        "it is followed, without one it ends as Rejected. No money moves.",
    ),
    Step(
        name="note", right="operations.note_order", label="Note", do=note, form=NoteForm, icon="edit_note",
    ),
)  # fmt: skip


def bulk_send_again(actor: Actor, orders: list[Order], data: Data) -> str:
    def again(order: Order) -> None:
        deciding.send_again(order=order, actor=actor, reason=data["reason"])

    return _each(orders, again, "sent again")


def bulk_refund(actor: Actor, orders: list[Order], data: Data) -> str:
    return _each(
        [order for order in orders if order.state == State.UNKNOWN],
        lambda order: deciding.refund_whole(order=order, actor=actor, reason=data["reason"]),
        "refunded",
        passed_over=sum(order.state != State.UNKNOWN for order in orders),
    )


def says_send_again(orders: Sequence[Order]) -> str:
    return (
        f"{_unknown(orders)} are sent a second time. What exists at its provider after all is paid twice. "
        "No customer's money moves."
    )


def says_refund(orders: Sequence[Order]) -> str:
    unknown = [order for order in orders if order.state == State.UNKNOWN]
    total = sum((_left(order) for order in unknown), start=from_units(0))
    return f"{_unknown(orders)} end as Canceled, and {words.ours(total)} in all go back to their customers."


def _unknown(orders: Sequence[Order]) -> str:
    count = sum(order.state == State.UNKNOWN for order in orders)
    rest = len(orders) - count
    left_alone = f" ({rest:,} others are not unknown and stay as they are)" if rest else ""
    return f"{count:,} of the chosen orders are unknown{left_alone}. These"


def _each(orders: list[Order], decide: Any, done_as: str, *, passed_over: int = 0) -> str:
    """Each order in a transaction of its own: one that has moved on does not hold up the others."""
    done, refused = 0, list[str]()
    for order in orders:
        try:
            decide(order)
            done += 1
        except REFUSALS as error:
            refused.append(sentence(error))
    others = len(refused) + passed_over
    stayed = f" {others:,} stayed as they were. {' '.join(refused[:REFUSED_SHOWN])}" if others else ""
    return f"{done:,} {'order was' if done == 1 else 'orders were'} {done_as}.{stayed}"
