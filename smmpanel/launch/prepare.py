"""Bring the data folder up to date before anything serves from it: the database's tables, the static files."""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmpanel.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import OperationalError

    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        sys.exit(f"DATABASE_URL names a database that does not answer: {str(error).splitlines()[0]}")
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
