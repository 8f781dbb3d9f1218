"""`manage.py create_operator`: somebody who runs the panel."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.passwords import UnreadablePassword, generate_password, read_password
from accounts.people import PersonRefused, create_operator
from accounts.roles import Role
from records.audit import COMMAND


class Command(BaseCommand):
    """Reads the password from standard input, or makes one and prints it on the last line."""

    help = """Make an operator: staff in one role, an owner with every right unless another is named.

The password is read from standard input; if that is empty, one is generated and printed.

Example:
  echo "a long password" | manage.py create_operator boss@example.com
  manage.py create_operator helper@example.com --role support"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--role", metavar="ROLE", choices=Role.values, default=Role.OWNER.value,
            help=f"{', '.join(Role.values)} (default: %(default)s)",
        )  # fmt: skip

    def handle(self, *, email: str, role: str, **_: Any) -> None:
        try:
            password = read_password()
            generated = "" if password else generate_password()
            chosen = Role(role)
            user = create_operator(email=email, password=password or generated, role=chosen, actor=COMMAND)
        except (PersonRefused, UnreadablePassword) as error:
            raise CommandError(f"{error} No operator was made.") from None
        self.stdout.write(f"Operator {user.pk} made: {user.email}.")
        if generated:
            self.stdout.write(f"Password: {generated}")
