"""`manage.py verify_ledger`: the books' totals, or what does not agree in them."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ledger.amounts import plain
from ledger.verification import Report, verify


class Command(BaseCommand):
    help = (
        "Audit the books in one consistent snapshot, also while the panel is running. Prints the totals and exits 0,"
        " or prints each difference as a sentence and exits 1."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        example = "Example: manage.py verify_ledger && echo The books are right."
        return super().create_parser(prog_name, subcommand, epilog=example, **kwargs)

    def handle(self, *_: Any, **__: Any) -> None:
        report = verify()
        self._print_totals(report)
        if report.clean:
            self.stdout.write(f"The books agree: {report.transfers} transfers.")
            return
        for sentence in report.differences:
            self.stderr.write(sentence)
        self.stderr.write(f"{len(report.differences)} difference(s) found. Nothing was changed.")
        sys.exit(1)

    def _print_totals(self, report: Report) -> None:
        for total in report.totals:
            accounts = "1 account" if total.accounts == 1 else f"{total.accounts} accounts"
            self.stdout.write(f"{total.currency:<6} {total.kind.label:<24} {plain(total.balance):>24}  {accounts}")
