"""`manage.py load_demo`: what `make run` loads once its sandbox provider answers."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.importing import ImportRefused
from operations.demo import load_demo
from providers.registering import NotAdded
from providers.upstream import UpstreamTrouble

EPILOG = """
example:
  manage.py sandbox_provider --port 9009 &
  PROVIDER_PRIVATE_HOSTS=127.0.0.1 manage.py load_demo --sandbox-url http://127.0.0.1:9009/api/v2

`make run` does this by itself. What is there already is left as it is.
"""


class Command(BaseCommand):
    help = "Load the demo: a sandbox provider with its services on sale, a customer with money, an operator."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": EPILOG, "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sandbox-url", metavar="URL", required=True, help="where the sandbox provider answers")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            logins = load_demo(sandbox_url=given["sandbox_url"], logins_file=settings.PLACES.demo_logins)
        except (NotAdded, ImportRefused) as refused:
            raise CommandError(str(refused)) from refused
        except UpstreamTrouble as trouble:
            raise CommandError(f"The sandbox did not send its services: {trouble.reason}") from trouble
        for login in logins:
            password = login.password or "(as it was set)"
            self.stdout.write(f"  {login.role}  {login.email:18} password {password}")
