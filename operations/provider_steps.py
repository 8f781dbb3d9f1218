"""What an operator does to a provider: ask it, pause it, pay it, change what its money is worth."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction

from catalog.prices import reprice_provider
from operations import words
from operations.access import change_access
from operations.forms import DeskForm, OptionalReasonForm, ReasonForm, exchange_rate, money, reason
from operations.refusals import Refused
from operations.steps import Data, Step
from providers import books, queue
from providers.fields import WriteOnlyKeyField
from providers.models import Provider
from providers.registering import LARGEST_EXCHANGE_RATE
from providers.upstream import Upstream
from records.audit import Actor


class AddForm(DeskForm):
    """A new provider. The key's field never shows what was typed."""

    name = forms.CharField(max_length=60)
    url = forms.CharField(
        label="API address", max_length=500, help_text="For example https://provider.example/api/v2",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    key = WriteOnlyKeyField(label="API key", required=True, help_text="Checked with a balance request, kept encrypted.")
    currency = forms.CharField(max_length=12, help_text="The currency of your account there, for example USD.")
    exchange_rate = exchange_rate("Exchange rate")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ours = settings.PANEL_CURRENCY
        self.fields["exchange_rate"].help_text = f"What one unit of the provider's currency is worth in {ours}."

    def refuse(self, error: Exception) -> None:
        """The verb tells what is wrong in a sentence; the field is the one that the sentence is about."""
        text = str(error)
        about = {
            "name": ("The name ", "There is a provider called"), "url": ("The URL ",),
            "currency": ("The provider's account is in", "“"), "exchange_rate": ("The exchange rate ",),
            "key": ("The provider refused", "The API key "),
        }  # fmt: skip
        field = next((name for name, starts in about.items() if text.startswith(starts)), None)
        self.add_error(field, text)


class AccessForm(DeskForm):
    url = forms.CharField(
        label="API address", max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    key = WriteOnlyKeyField(label="API key")
    reason = reason(required=False)


class ExchangeRateForm(DeskForm):
    rate = exchange_rate("Exchange rate")
    since = forms.DateTimeField(
        required=False, help_text="Empty: from now on. In UTC, as 2026-01-31 12:00; orders keep the rate they had."
    )
    reason = reason(required=False)

    def clean_rate(self) -> Decimal:
        rate: Decimal = self.cleaned_data["rate"]
        if not 0 < rate <= LARGEST_EXCHANGE_RATE:
            raise forms.ValidationError(f"The exchange rate must be above 0 and at most {LARGEST_EXCHANGE_RATE:,}.")
        return rate


class TopUpForm(DeskForm):
    amount = money("Amount paid", least=0, help_text="In the provider's currency, the fee included.")
    fee = money("Fee", required=False, least=0, help_text="The part of it that never arrived.")
    bonus = money("Bonus", required=False, least=0, help_text="What the provider gave on top.")
    reference = forms.CharField(max_length=80, help_text="The payment's own: an invoice's or transaction's. Once.")
    note = forms.CharField(max_length=200, required=False)


def test_connection(actor: Actor, provider: Provider, data: Data) -> str:
    began = time.monotonic()
    reading = Upstream(provider).balance()
    took = time.monotonic() - began
    currency = reading.currency or "an unnamed currency"
    answered = f"{provider.name} answered in {took * 1000:.0f} ms and holds {words.amount(reading.amount)} {currency}."
    if reading.currency is not None and reading.currency != provider.currency:
        raise Refused(f"{answered} It is booked in {provider.currency}: the two must be the same.")
    return answered


def ask_balance(actor: Actor, provider: Provider, data: Data) -> str:
    kept = books.compare(provider, Upstream(provider).balance())
    drift, currency = kept.reported - kept.booked, provider.currency
    beside = "as the books say" if drift == 0 else f"the books say {words.amount(kept.booked, currency)}"
    return f"{provider.name} holds {words.amount(kept.reported, currency)}: {beside}."


def pause(actor: Actor, provider: Provider, data: Data) -> str:
    if not queue.pause(provider, reason=data["reason"], cause=queue.BY_HAND, actor=actor):
        raise Refused("The queue is paused by hand already. Nothing was changed.")
    return f"{provider.name} is paused. Orders wait, and nothing is sent until you open the queue."


def reopen(actor: Actor, provider: Provider, data: Data) -> str:
    if not queue.reopen(provider, actor=actor, reason=data["reason"]):
        raise Refused("The queue is open already. Nothing was changed.")
    return f"{provider.name}'s queue is open. What waits is sent within a minute."


def try_one_order(actor: Actor, provider: Provider, data: Data) -> str:
    if not queue.start_trial(provider, reason="tried by hand", actor=actor):
        raise Refused("Only a paused queue can be tried. Nothing was changed.")
    return f"{provider.name} gets one order. When it is accepted the queue opens."


def set_rate(actor: Actor, provider: Provider, data: Data) -> str:
    if data["since"] is not None and provider.exchange_rates.filter(since=data["since"]).exists():
        raise Refused("There is an exchange rate from that very moment already. Choose another. Nothing was changed.")
    with transaction.atomic():
        rate = books.set_exchange_rate(
            provider=provider, rate=data["rate"], since=data["since"], actor=actor, reason=data["reason"]
        )
        done = reprice_provider(provider, reason=f"Exchange rate {rate}", actor=actor)
    return f"One {provider.currency} is worth {rate} {settings.PANEL_CURRENCY}. {moved(done.changed)}"


def top_up(actor: Actor, provider: Provider, data: Data) -> str:
    amounts = {name: data[name] or Decimal(0) for name in ("amount", "fee", "bonus")}
    books.top_up(provider=provider, reference=data["reference"], actor=actor, note=data["note"], **amounts)
    arrived = amounts["amount"] - amounts["fee"] + amounts["bonus"]
    return f"{words.amount(arrived, provider.currency)} more are in the books of {provider.name}."


def new_access(actor: Actor, provider: Provider, data: Data) -> str:
    changed = change_access(
        provider=provider, url=data["url"], key=data["key"], actor=actor, reason=data["reason"]
    )
    if not changed:
        return "Nothing was changed."
    return f"The provider answered and is kept with its new {' and '.join(changed)}."


def moved(prices: int) -> str:
    """How many prices followed, as a sentence."""
    match prices:
        case 0:
            return "No price changed."
        case 1:
            return "1 price changed."
    return f"{prices:,} prices changed."


def _queue_in(*states: Provider.Queue) -> Any:
    return lambda provider: provider.queue in states


STEPS = (
    Step(
        name="test", right="operations.ask_provider", label="Test connection", do=test_connection, icon="network_check",
        says=lambda provider: "Asks the balance now. Nothing is changed.",
    ),
    Step(
        name="ask-balance", right="operations.ask_provider", label="Ask balance",
        do=ask_balance, icon="account_balance_wallet",
        says=lambda provider: "Asks the balance, keeps it and compares it with the books.",
    ),
    Step(
        name="pause", right="operations.run_queue", label="Pause", do=pause, form=ReasonForm, icon="pause_circle",
        fits=lambda provider: not (provider.queue == Provider.Queue.PAUSED and provider.queue_cause == queue.BY_HAND),
        says=lambda provider: f"No order goes to {provider.name} until you open its queue again. Orders that are with "
        "it already are followed as before. No money moves.",
    ),
    Step(
        name="try", right="operations.run_queue", label="Try one order", do=try_one_order, icon="science",
        fits=_queue_in(Provider.Queue.PAUSED), form=OptionalReasonForm,
        says=lambda provider: "One waiting order is sent. When it is accepted, the rest follows.",
    ),
    Step(
        name="reopen", right="operations.run_queue", label="Open the queue",
        do=reopen, form=OptionalReasonForm, icon="play_circle", primary=True,
        fits=_queue_in(Provider.Queue.PAUSED, Provider.Queue.TRIAL),
        says=lambda provider: f"All orders that wait for {provider.name} are sent, without a trial first.",
    ),
    Step(
        name="exchange-rate", right="operations.set_exchange_rate", label="Exchange rate",
        do=set_rate, form=ExchangeRateForm, icon="currency_exchange",
        says=lambda provider: f"What one {provider.currency} is worth in {settings.PANEL_CURRENCY}. Prices made by "
        "markup follow at once; orders that were placed keep what they had.",
    ),
    Step(
        name="top-up", right="operations.top_up", label="Record a top-up", do=top_up, form=TopUpForm, icon="add_card",
        says=lambda provider: f"Records money sent to {provider.name}, in {provider.currency}. Nothing is paid.",
    ),
    Step(
        name="access", right="operations.provider_access", label="Address and key",
        do=new_access, form=AccessForm, icon="key",
        initial=lambda provider: {"url": provider.url},
        says=lambda provider: "The provider is asked for its balance with these; they are kept only when that works.",
    ),
)  # fmt: skip
