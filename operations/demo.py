"""The demo of `make run`: a sandbox provider with its services on sale, a customer with money, an operator.

Each part is made once and then left alone, whatever was done with it since: a second load changes nothing, except
that the provider's address follows the sandbox when that had to move to another port. Logins are generated for each
data folder and kept in it, since a password that all demos share would open every panel that was begun as one.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from accounts.deposits import deposit
from accounts.models import User
from accounts.people import create_customer, create_operator
from catalog.fetching import fetch_listings
from catalog.importing import apply_import, plan_import
from ledger.models import Transfer
from providers.models import Provider
from providers.registering import add_provider
from records.audit import SYSTEM, audit

PROVIDER = "Sandbox"
PROVIDER_KEY = "sandbox-key"  # the sandbox's own default
CUSTOMER = "demo@example.com"
OPERATOR = "admin@example.com"
MARKUP_PERCENT = Decimal(25)
FUNDS = Decimal(100)
FUNDS_REFERENCE = "demo"


@dataclass(frozen=True, slots=True)
class Login:
    """Who may sign in; without a password when that is not known here (an account that is older than the folder)."""

    email: str
    password: str | None
    role: str


def load_demo(*, sandbox_url: str, logins_file: Path) -> list[Login]:
    """Load what is missing of the demo; the logins to tell. The sandbox must answer at its URL."""
    _provider_with_services(sandbox_url)
    customer, operator = User.objects.filter(email=CUSTOMER).first(), User.objects.filter(email=OPERATOR).first()
    passwords = _passwords(logins_file)
    if customer is None:
        customer = create_customer(email=CUSTOMER, password=passwords[CUSTOMER], name="Demo customer").user
    if operator is None:
        create_operator(email=OPERATOR, password=passwords[OPERATOR], name="Demo operator")
    if not Transfer.objects.filter(reference=f"deposit:{FUNDS_REFERENCE}").exists():
        deposit(
            customer=customer.customer, amount=FUNDS, reference=FUNDS_REFERENCE, actor=SYSTEM, note="Money to try with"
        )
    return [_login(CUSTOMER, "Customer", passwords), _login(OPERATOR, "Operator", passwords)]


def _provider_with_services(url: str) -> None:
    provider = Provider.objects.filter(name=PROVIDER).first()
    if provider is None:
        provider = add_provider(
            name=PROVIDER,
            url=url,
            key=PROVIDER_KEY,
            currency=settings.PANEL_CURRENCY,
            exchange_rate=Decimal(1),
            actor=SYSTEM,
        )
    elif provider.url != url:
        before, provider.url = provider.url, url
        provider.save(update_fields=["url"])
        audit(actor=SYSTEM, action="move_provider", target=provider, before={"url": before}, after={"url": url})
    if not provider.services.exists():
        plan = plan_import(provider, fetch_listings(provider), markup=MARKUP_PERCENT)
        apply_import(plan, markup=MARKUP_PERCENT, publish=True, actor=SYSTEM)


def _passwords(file: Path) -> dict[str, str]:
    """Those of this folder, written before they are used, so that a load that was cut short can go on with them."""
    try:
        return dict(json.loads(file.read_text()))
    except FileNotFoundError:
        passwords = {email: secrets.token_urlsafe(9) for email in (CUSTOMER, OPERATOR)}
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as kept:
        json.dump(passwords, kept)
    return passwords


def _login(email: str, role: str, passwords: dict[str, str]) -> Login:
    user = User.objects.get(email=email)
    password = passwords.get(email, "")
    return Login(email, password if user.check_password(password) else None, role)
