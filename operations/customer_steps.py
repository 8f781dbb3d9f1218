"""What an operator does for a customer: book a deposit, correct a balance, issue a key, close or open the account."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts import second_factor, staff
from accounts.deposits import correct, deposit
from accounts.keys import issue_key, revoke_key
from accounts.models import ApiKey, Customer
from operations import words
from operations.forms import DeskForm, ReasonForm, money, reason
from operations.refusals import Refused
from operations.steps import Data, Secret, Step
from records.audit import Actor


class CustomerForm(DeskForm):
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(
        max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        required=False, max_length=200, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Empty: one is made and shown once.",
    )  # fmt: skip


class DepositForm(DeskForm):
    amount = money("Amount", least=0)
    reference = forms.CharField(max_length=120, help_text="The payment's own, for example the bank's. It counts once.")
    note = forms.CharField(max_length=200, required=False, help_text="The customer reads it on the statement.")


class CorrectionForm(DeskForm):
    amount = money("Amount", help_text="Above 0 gives, below 0 takes; never below what the wallet may hold.")
    reference = forms.CharField(max_length=120, help_text="Your own, for example a ticket's number. It counts once.")
    reason = reason(help_text="The customer reads it on the statement; kept in the audit trail too.")


class KeyForm(DeskForm):
    name = forms.CharField(max_length=60, initial="API key", help_text="What it is for: the customer tells keys apart.")


class RevokeForm(DeskForm):
    key = forms.ModelChoiceField(queryset=ApiKey.objects.none(), label="Key")
    reason = reason(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        initial = kwargs.get("initial") or {}
        super().__init__(*args, **kwargs)
        keys = ApiKey.objects.filter(customer=initial["customer"], revoked_at__isnull=True).order_by("-id")
        self.fields["key"].queryset = keys  # type: ignore[attr-defined]


def take_deposit(actor: Actor, customer: Customer, data: Data) -> str:
    deposit(customer=customer, amount=data["amount"], reference=data["reference"], actor=actor, note=data["note"])
    return f"{words.amount(data['amount'], customer.wallet.currency)} are on {customer}'s balance."


def correct_balance(actor: Actor, customer: Customer, data: Data) -> str:
    correct(
        customer=customer, amount=data["amount"], reason=data["reason"], actor=actor, reference=data["reference"]
    )
    moved = "were given to" if data["amount"] > 0 else "were taken from"
    return f"{words.amount(abs(data['amount']), customer.wallet.currency)} {moved} {customer}."


def make_key(actor: Actor, customer: Customer, data: Data) -> Secret:
    key, text = issue_key(customer, data["name"], actor=actor)
    return Secret(f"This is the key “{key.name}” of {customer}. It is shown now and never again.", text)


def take_key(actor: Actor, customer: Customer, data: Data) -> str:
    if not revoke_key(data["key"], actor=actor, reason=data["reason"]):
        raise Refused("The key was revoked before. Nothing was changed.")
    return f"The key {data['key']} opens nothing any more."


def take_factor_off(actor: Actor, customer: Customer, data: Data) -> str:
    if not staff.take_factor_off(user=customer.user, actor=actor, reason=data["reason"]):
        raise Refused("Two-factor sign-in was off before. Nothing was changed.")
    return "Two-factor sign-in is off. The customer signs in with the password alone, and was told by e-mail."


def has_factor(customer: Customer) -> bool:
    return second_factor.is_on(customer.user)


def close(actor: Actor, customer: Customer, data: Data) -> str:
    if not staff.set_active(user=customer.user, active=False, actor=actor, reason=data["reason"]):
        raise Refused("The account is closed already. Nothing was changed.")
    return "Sign-in and API keys are off. Orders already made go on."


def reopen(actor: Actor, customer: Customer, data: Data) -> str:
    if not staff.set_active(user=customer.user, active=True, actor=actor, reason=data["reason"]):
        raise Refused("The account is open already. Nothing was changed.")
    return "The customer can sign in again."


def has_keys(customer: Customer) -> bool:
    return customer.api_keys.filter(revoked_at__isnull=True).exists()


STEPS = (
    Step(
        name="deposit", right="operations.deposit", label="Deposit",
        do=take_deposit, form=DepositForm, icon="add_card", primary=True,
        says=lambda customer: f"Books money that you received from {customer}, in {customer.wallet.currency}.",
    ),
    Step(
        name="correct", right="operations.correct_balance", label="Correct",
        do=correct_balance, form=CorrectionForm, icon="balance",
        says=lambda customer: f"{customer} has {words.amount(customer.wallet.balance, customer.wallet.currency)}. "
        "Gives or takes with a reason; it stands on the statement.",
    ),
    Step(
        name="issue-key", right="operations.handle_keys", label="Issue API key", do=make_key, form=KeyForm, icon="key",
        says=lambda customer: f"Whoever has the key can order on {customer}'s balance.",
    ),
    Step(
        name="revoke-key", right="operations.handle_keys", label="Revoke API key",
        do=take_key, form=RevokeForm, icon="key_off", fits=has_keys,
        initial=lambda customer: {"customer": customer},
        says=lambda customer: "Scripts that use this key stop working at once.",
    ),
    Step(
        name="factor-off", right="operations.take_factor_off", label="Two-factor off",
        do=take_factor_off, form=ReasonForm, icon="phonelink_erase",
        fits=has_factor, danger=True,
        says=lambda customer: f"For {customer} who lost phone and recovery codes: make sure that it is this person.",
    ),
    Step(
        name="close", right="operations.close_customer", label="Close account",
        do=close, form=ReasonForm, icon="person_off", danger=True,
        fits=lambda customer: customer.user.is_active,
        says=lambda customer: f"{customer} cannot sign in, and API keys open nothing. No money moves.",
    ),
    Step(
        name="open", right="operations.close_customer", label="Open account", do=reopen, form=ReasonForm, icon="person",
        fits=lambda customer: not customer.user.is_active,
        says=lambda customer: f"{customer} can sign in again, and keys that were not revoked work again.",
    ),
)  # fmt: skip
