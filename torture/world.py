"""The panel that each run begins with: one customer, one provider, four services; and a database of its own a run.

The database is migrated and filled once, as a template: a file for SQLite, a template database for PostgreSQL. A run
copies it, which takes milliseconds.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.deposits import deposit
from accounts.models import Customer, User
from catalog.models import Category, ProviderService, Route, Service
from ledger.accounts import open_provider_account, open_wallet
from providers.books import post_opening_balance
from providers.models import ExchangeRate, Provider
from providers.sandbox.server import KEY
from records.audit import Actor

CURRENCY, OPENING = "EUR", "500"
MONEY = Decimal(1000)
CUSTOMER = Actor("customer@example.com")
OPERATOR = Actor("operator@example.com")

#: What is sold: name → (id at the sandbox, type as it spells it, type, our rate, its rate, least, most, refill, cancel)
SOLD: dict[str, tuple[str, str, str, str, str, int, int, bool, bool]] = {
    "followers": ("1", "Default", "default", "1.337", "0.90", 50, 10_000, True, True),
    "likes": ("3", "Default", "default", "0.599", "0.41", 100, 100_000, False, True),
    "package": ("14", "Package", "package", "0.34", "0.25", 1, 1, False, True),
    "comments": ("21", "Custom Comments", "custom_comments", "11.5", "8", 10, 1500, False, True),
}


class Databases:
    """The template and its copies."""

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        self.folder, self.keep = folder, keep  # keep: also those of runs in which all went well
        self.sqlite = connection.vendor == "sqlite"
        self._maintenance = settings.DATABASES["default"]["NAME"]
        self.template = str(folder / "template.sqlite3") if self.sqlite else f"torture_{folder.name}_template".lower()

    def make_template(self) -> None:
        if not self.sqlite:
            self._administer(f'DROP DATABASE IF EXISTS "{self.template}"', f'CREATE DATABASE "{self.template}"')
        use(self.template)
        call_command("migrate", verbosity=0, interactive=False)
        fill()
        if self.sqlite:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connections.close_all()

    def copy(self, name: str) -> str:
        """A database of its own; its name (SQLite: its path)."""
        if self.sqlite:
            place = self.folder / f"{name}.sqlite3"
            shutil.copyfile(self.template, place)
            return str(place)
        database = f"torture_{self.folder.name}_{name}".lower()
        self._administer(
            f'DROP DATABASE IF EXISTS "{database}"', f'CREATE DATABASE "{database}" TEMPLATE "{self.template}"'
        )
        return database

    def drop(self, database: str) -> None:
        if self.sqlite:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{database}{suffix}").unlink(missing_ok=True)
        else:
            self._administer(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _administer(self, *statements: str) -> None:
        """Statements that PostgreSQL takes only outside of transactions and from another database."""
        use(str(self._maintenance))
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connections.close_all()


def use(database: str) -> None:
    """Let this process speak to another database from now on."""
    connections.close_all()
    entry: dict[str, Any] = connections.settings["default"]
    entry["NAME"] = database
    connections["default"].settings_dict["NAME"] = database


def fill() -> None:
    """The template's rows."""
    user = User.objects.create(email=CUSTOMER.name, password="!")  # noqa: S106 - nobody signs in
    customer = Customer.objects.create(user=user, wallet=open_wallet(currency=settings.PANEL_CURRENCY))
    deposit(customer=customer, amount=MONEY, reference="opening", actor=OPERATOR)
    provider = Provider.objects.create(
        name="Sandbox",
        url="http://127.0.0.1:9/api/v2",
        key=KEY,
        currency=CURRENCY,
        account=open_provider_account(currency=CURRENCY),
        requests_per_minute=100_000,
        multi_status_size=4,
    )
    ExchangeRate.objects.create(provider=provider, rate=Decimal("1.1"), since=timezone.now() - timedelta(days=9))
    with transaction.atomic():
        post_opening_balance(provider, Decimal(OPENING))
    category = Category.objects.create(name="Everything")
    for name, (external, label, kind, ours, theirs, least, most, refill, cancel) in SOLD.items():
        limits: dict[str, Any] = {"min": least, "max": most, "refill": refill, "cancel": cancel}
        service = Service.objects.create(
            category=category,
            name=name,
            type=kind,
            rate=Decimal(ours),
            visible=True,
            refill_days=30 if refill else None,
            **limits,
        )
        bought = ProviderService.objects.create(
            provider=provider, external_id=external, name=name, type=label, rate=Decimal(theirs), **limits
        )
        Route.objects.create(service=service, provider_service=bought, position=0)
