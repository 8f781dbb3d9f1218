"""`manage.py create_customer`: a customer, if wanted with money and a key, all or nothing."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from decimal import Decimal
from re import ASCII, fullmatch
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.deposits import MoneyRefused, deposit
from accounts.keys import KeyRefused, issue_key
from accounts.passwords import UnreadablePassword, generate_password, read_password
from accounts.people import PersonRefused, create_customer
from ledger.amounts import plain
from records.audit import COMMAND


class Command(BaseCommand):
    """Reads the password from standard input; prints the key alone on the last line."""

    help = """Make a customer with a wallet in the panel's currency.

The password is read from standard input; if that is empty, one is generated and printed.
With --api-key the key stands alone on the last line; it is not shown again.

Example:
  echo "a long password" | manage.py create_customer anna@example.com --balance 25.00 --api-key"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--balance", metavar="AMOUNT", default="0", help="deposit this much, for example 25.00")
        parser.add_argument("--api-key", action="store_true", help="issue an API key and print it on the last line")

    def handle(self, *, email: str, balance: str, api_key: bool, **_: Any) -> None:
        amount = _amount(str(balance))
        try:
            password = read_password()
            generated = "" if password else generate_password()
            lines = _create(email, password or generated, amount, with_key=api_key)
        except (PersonRefused, MoneyRefused, KeyRefused, UnreadablePassword) as error:
            raise CommandError(f"{error} No customer was made.") from None
        if generated:
            lines.insert(1, f"Password: {generated}")
        for line in lines:
            self.stdout.write(line)


def _create(email: str, password: str, amount: Decimal, *, with_key: bool) -> list[str]:
    """What to print. One transaction: a customer without the money or the key that was asked for does not stay."""
    with transaction.atomic():
        customer = create_customer(email=email, password=password, actor=COMMAND)
        lines = [f"Customer {customer.pk} made: {customer.user.email}, wallet in {customer.wallet.currency}."]
        if amount:
            deposit(customer=customer, amount=amount, reference=f"opening:{customer.pk}", actor=COMMAND)
            lines.append(f"Deposited: {plain(amount)} {customer.wallet.currency}.")
        if with_key:
            _, key = issue_key(customer, actor=COMMAND)
            lines += ["API key, shown only now:", key]
    return lines


def _amount(text: str) -> Decimal:
    if not fullmatch(r"\d{1,18}(\.\d{1,6})?", text, ASCII):
        raise CommandError(
            "The balance is an amount such as 25.00: not negative, at most 6 decimal places. No customer was made."
        )
    return Decimal(text)
