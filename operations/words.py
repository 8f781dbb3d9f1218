"""Amounts, times and links as the operator's pages write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from ledger.amounts import plain

NOTHING = "—"
TONES: Mapping[str, str] = {
    "Pending": "wait", "In progress": "run", "Processing": "run", "Completed": "good", "Partial": "warn",
    "Canceled": "off", "Active": "run", "Paused": "wait", "Expired": "off",
    "waiting": "wait", "sending": "run", "unknown": "bad", "held": "warn", "by_hand": "warn", "accepted": "run",
    "series": "run", "queued": "wait",
    "review": "bad", "ended": "off",
    "open": "good", "paused": "bad", "trial": "warn",
    "not_sent": "warn", "rejected": "bad",
}  # fmt: skip


def amount(value: Decimal | None, currency: str = "") -> str:
    """12.50 USD, with a real minus sign; a dash where there is none."""
    if value is None:
        return NOTHING
    number = plain(abs(value))
    whole, _, fraction = number.partition(".")
    sign = "−" if value < 0 else ""
    return f"{sign}{int(whole):,}.{fraction}{f' {currency}' if currency else ''}"


def ours(value: Decimal | None) -> str:
    """An amount of the panel's currency."""
    return amount(value, settings.PANEL_CURRENCY)


def number(text: str) -> SafeString:
    """For a table's cell: figures under figures."""
    return format_html('<span class="desk-num">{}</span>', text)


def state(value: str, words: str) -> SafeString:
    """A dot, a word and a colour together."""
    return format_html('<span class="desk-state desk-{}"><i aria-hidden="true"></i>{}</span>', tone(value), words)


def tone(value: str) -> str:
    return TONES.get(value, "off")


def ago(at: datetime | None) -> str:
    """"3 hours ago", with its largest part alone."""
    if at is None:
        return "never"
    passed = timesince(at, timezone.now(), depth=1)
    return "just now" if passed.startswith("0") else f"{passed} ago"


def short(text: str, length: int = 60) -> str:
    """A long text with its middle taken out: of a link, both ends tell most."""
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def page_of(model: str, pk: object) -> str:
    """The address of a row's page; `model` is "orders.order"."""
    return reverse(f"admin:{model.replace('.', '_')}_change", args=[pk])


def link_to(model: str, pk: object, text: str = "") -> SafeString | str:
    """A link to a row's page; the text alone where it has none."""
    words = text or str(pk)
    try:
        return format_html('<a class="desk-link" href="{}">{}</a>', page_of(model, pk), words)
    except NoReverseMatch:
        return words


def link_for(user: AbstractBaseUser | AnonymousUser, model: str, pk: object, text: str = "") -> SafeString | str:
    """The link for who may look at the row; the text alone for whom it would lead to a refusal."""
    app, name = model.split(".")
    may = isinstance(user, PermissionsMixin | AnonymousUser) and user.has_perm(f"{app}.view_{name}")
    return link_to(model, pk, text) if may else text or str(pk)


def evidence(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What is kept as JSON, as pairs to show: names as words; what is nested as lines."""
    return [(name.replace("_", " "), _lines(value)) for name, value in values.items()]


def _lines(value: Any) -> Any:
    if isinstance(value, list):
        return [_one_line(item) for item in value]
    return _one_line(value)


def _one_line(value: Any) -> str:
    if isinstance(value, Mapping):
        return " · ".join(f"{name.replace('_', ' ')}: {_one_line(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_one_line(item) for item in value)
    return NOTHING if value is None or value == "" else str(value)


def wrapped(text: str) -> SafeString:
    """A long name in a table: it breaks instead of pushing the other columns out."""
    return format_html('<span class="desk-name">{}</span>', text)


def percent(value: Decimal | None) -> SafeString:
    """A margin: a loss stands out."""
    if value is None:
        return number(NOTHING)
    shown = f"{'−' if value < 0 else ''}{abs(value):f} %"
    return format_html('<span class="desk-num{}">{}</span>', " desk-loss" if value < 0 else "", shown)
