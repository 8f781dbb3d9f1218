"""What staff do about a customer's problem, with what each way does to money said before."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from conversations import talking
from conversations.models import Thread
from operations import words
from operations.forms import DeskForm, money
from operations.steps import Data, Step
from orders.refilling import can_refill
from records.audit import Actor


class AnswerForm(DeskForm):
    text = forms.CharField(label="Answer", widget=forms.Textarea, help_text="The customer reads it.")


class RefundForm(DeskForm):
    amount = money("Amount", least=0)
    text = forms.CharField(label="Answer", widget=forms.Textarea, help_text="The customer reads it.")


def _answer(actor: Actor, thread: Thread, data: Data) -> str:
    talking.answer(thread=thread, text=data["text"], actor=actor)
    return "Answered. The question stays open, and the customer is told. No money moved."


def _note(actor: Actor, thread: Thread, data: Data) -> str:
    talking.resolve_by_note(thread=thread, text=data["text"], actor=actor)
    return "Resolved, and the customer is told. No money moved."


def _refill(actor: Actor, thread: Thread, data: Data) -> str:
    talking.resolve_by_refill(thread=thread, text=data["text"], actor=actor)
    return f"A refill of order {thread.order_id} is asked for, and the customer is told. No money moved."


def _refund(actor: Actor, thread: Thread, data: Data) -> str:
    talking.resolve_by_refund(thread=thread, amount=data["amount"], text=data["text"], actor=actor)
    return f"{words.ours(data['amount'])} went back to {thread.customer} for order {thread.order_id}."


def _left(thread: Thread) -> Decimal:
    return talking.refundable(thread.order)


def _says_refund(thread: Thread) -> str:
    return (
        f"At most {words.ours(_left(thread))} can go back to {thread.customer}. What the provider was paid stays as it "
        "is: the panel bears it."
    )


STEPS = (
    Step(
        name="answer", right="operations.answer_problem", label="Answer",
        do=_answer, form=AnswerForm, icon="reply", primary=True,
        fits=lambda thread: thread.is_open, says=lambda thread: "The question stays open. No money moves.",
    ),
    Step(
        name="resolve", right="operations.answer_problem", label="Answer and resolve",
        do=_note, form=AnswerForm, icon="task_alt",
        fits=lambda thread: thread.is_open, says=lambda thread: "The last word. No money moves.",
    ),
    Step(
        name="refill", right="operations.refill_order", label="Resolve by a refill",
        do=_refill, form=AnswerForm, icon="autorenew",
        fits=lambda thread: thread.is_open and can_refill(thread.order).allowed,
        says=lambda thread: "The provider is asked to fill up what dropped. No money moves.",
    ),
    Step(
        name="refund", right="operations.refund_order", label="Resolve by a refund",
        do=_refund, form=RefundForm, icon="payments", danger=True,
        fits=lambda thread: thread.is_open and _left(thread) > 0, says=_says_refund,
    ),
)  # fmt: skip
