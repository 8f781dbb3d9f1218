"""Adding a provider: nothing is kept before the provider itself has answered with its balance."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlsplit, urlunsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.accounts import NotACurrency, check_currency, open_provider_account
from ledger.amounts import EXCHANGE_PLACES, InexactAmount, plain, to_units
from providers.books import in_books, post_opening_balance, record_balance, set_exchange_rate
from providers.client.addresses import is_allowed_host
from providers.models import Provider
from providers.outcomes import BalanceReading
from providers.upstream import Upstream, UpstreamTrouble
from records.audit import Actor, audit

NAME_LENGTH = 60
URL_LENGTH = 500
LARGEST_EXCHANGE_RATE = Decimal(1_000_000)
DEFAULT_PORTS = {"http": 80, "https": 443}


class NotAdded(Exception):
    """Why the provider was not added, in one sentence; nothing was left behind."""


def add_provider(
    *, name: str, url: str, key: str, currency: str, exchange_rate: Decimal, actor: Actor
) -> Provider:
    """A provider whose key, address and currency were checked by asking its balance, with that as its opening balance.

    `exchange_rate` is in units of the panel's currency for one of the provider's. Raises NotAdded.
    """
    provider = Provider(
        name=_checked_name(name), url=checked_url(url), key=_checked_key(key), currency=currency.strip().upper()
    )
    _check_exchange_rate(exchange_rate)
    _check_currency(provider.currency)
    reading = ask_balance(provider)
    try:
        with transaction.atomic():
            return _keep(provider, reading, exchange_rate, actor)
    except IntegrityError as error:
        raise NotAdded(f"There is a provider called “{provider.name}” already.") from error


def _check_currency(currency: str) -> None:
    try:
        check_currency(currency)
    except NotACurrency as error:
        raise NotAdded(f"“{currency}” is not a currency code such as USD.") from error


def ask_balance(provider: Provider) -> BalanceReading:
    """What the provider holds, for one that is being added or tested. Raises NotAdded with the sentence to show."""
    try:
        reading = Upstream(provider).balance()
    except UpstreamTrouble as trouble:
        raise NotAdded(_explained(trouble)) from None
    if reading.currency is not None and reading.currency != provider.currency:
        raise NotAdded(
            f"The provider's account is in {reading.currency}, not in {provider.currency}: "
            f"give {reading.currency} as its currency, with its exchange rate."
        )
    return reading


def checked_url(url: str) -> str:
    """The URL as it is kept: scheme and host in lower case, no default port, a clean path. Raises NotAdded."""
    text = url.strip()
    if not text or len(text) > URL_LENGTH or re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise NotAdded("The URL is empty, too long, or has spaces in it.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise NotAdded("The URL is not one: it should look like https://provider.example/api/v2.") from error
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise NotAdded("The URL must begin with https://, as in https://provider.example/api/v2.")
    if "@" in parts.netloc:
        raise NotAdded("The URL must not hold a name or password: the key is given apart.")
    if parts.query or parts.fragment:
        raise NotAdded("The URL must end with the path, without “?” or “#”: the key is given apart.")
    if parts.scheme == "http" and not is_allowed_host(host):
        raise NotAdded(
            f"The URL must begin with https://: plain http is only for hosts in PROVIDER_PRIVATE_HOSTS, "
            f"and {host} is not among them."
        )
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{shown}:{port}"
    return urlunsplit((parts.scheme, netloc, _clean_path(parts.path), "", ""))


def _keep(provider: Provider, reading: BalanceReading, exchange_rate: Decimal, actor: Actor) -> Provider:
    provider.account = open_provider_account(currency=provider.currency)
    provider.save(force_insert=True)
    set_exchange_rate(provider=provider, rate=exchange_rate, actor=actor, since=timezone.now())
    amount = in_books(reading.amount)
    post_opening_balance(provider, amount)
    record_balance(provider, replace(reading, amount=amount))
    audit(
        actor=actor,
        action="provider.add",
        target=provider,
        after={
            "name": provider.name,
            "url": provider.url,
            "currency": provider.currency,
            "opening_balance": plain(amount),
        },
    )
    return provider


def _explained(trouble: UpstreamTrouble) -> str:
    match trouble.kind:
        case "refused":
            return f"The provider refused: {trouble.reason}. Check the API key."
        case "unreadable":
            return f"The URL answers, but not as a provider does: {trouble.reason}. Check the URL."
        case "not_sent":
            return f"The provider could not be asked: {trouble.reason}."
        case "lost":
            return f"The provider did not answer: {trouble.reason}."


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise NotAdded(f"The name must have 1 to {NAME_LENGTH} characters.")
    if name.isdecimal():
        raise NotAdded("The name must not be a number alone: commands would take it for an id.")
    if Provider.objects.filter(name=name).exists():
        raise NotAdded(f"There is a provider called “{name}” already.")
    return name


def _checked_key(key: str) -> str:
    key = key.strip()
    if not key:
        raise NotAdded("The API key is missing: give it in PROVIDER_API_KEY or on standard input.")
    if not key.isprintable() or len(key) > 500:
        raise NotAdded("The API key has characters that no key has, or is too long.")
    return key


def _check_exchange_rate(rate: Decimal) -> None:
    try:
        if rate > 0 and rate <= LARGEST_EXCHANGE_RATE and to_units(rate, EXCHANGE_PLACES) > 0:
            return
    except (InexactAmount, ArithmeticError):
        pass
    raise NotAdded(
        f"The exchange rate must be above 0 and at most {LARGEST_EXCHANGE_RATE:,}, "
        f"with up to {EXCHANGE_PLACES} decimal places."
    )


def _clean_path(path: str) -> str:
    clean = posixpath.normpath("/" + path.lstrip("/"))
    return clean if clean == "/" or not path.endswith("/") else clean + "/"
