"""`manage.py add_provider`: a provider by its name, URL and key."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.registering import NotAdded, add_provider
from records.audit import COMMAND


class Command(BaseCommand):
    help = (
        "Add an upstream provider. Its API key comes from PROVIDER_API_KEY or standard input; it is checked by asking "
        "the balance, which becomes the opening balance. Prints the provider's id."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = (
            "example:\n  PROVIDER_API_KEY=… manage.py add_provider Acme https://acme.example/api/v2 "
            "--currency RUB --exchange-rate 0.011"
        )
        parser.add_argument("name", metavar="NAME", help="what you call it")
        parser.add_argument("url", metavar="URL", help="its API address, as https://acme.example/api/v2")
        parser.add_argument("--currency", default="USD", help="the currency of its balance and prices (USD)")
        parser.add_argument(
            "--exchange-rate",
            default=Decimal(1),
            type=_decimal,
            metavar="RATE",
            help=f"units of {settings.PANEL_CURRENCY} for one of the provider's currency (1)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            provider = add_provider(
                name=options["name"],
                url=options["url"],
                key=_key(),
                currency=options["currency"],
                exchange_rate=options["exchange_rate"],
                actor=COMMAND,
            )
        except NotAdded as error:
            raise CommandError(str(error)) from None
        self.stdout.write(str(provider.pk))


def _key() -> str:
    key = os.environ.get("PROVIDER_API_KEY", "")
    if key.strip():
        return key
    if sys.stdin.isatty():
        return getpass.getpass("API key: ")
    return sys.stdin.readline()


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text} is not a number such as 0.011") from None
