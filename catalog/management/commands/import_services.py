"""`manage.py import_services`: a provider's catalogue from the command line, without a question asked."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.fetching import fetch_listings
from catalog.importing import Change, ImportPlan, ImportRefused, Movement, apply_import, plan_import
from ledger.amounts import InexactAmount, plain, to_units
from providers.models import Provider
from providers.upstream import UpstreamTrouble
from records.audit import COMMAND

SHOWN_A_KIND = 20  # lines; the rest is counted
LARGEST_MARKUP = Decimal(100_000)  # percent; more is a slip of the keyboard
EPILOG = """
example:
  manage.py import_services smmproxy --markup 25 --publish
  manage.py import_services 1 --dry-run

Applies without asking. New services are hidden unless --publish is given; those already here stay shown or hidden.
The markup is stored for the provider; left out, it stays as it is.
"""


class Command(BaseCommand):
    help = "Import a provider's services, or bring them up to date."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": EPILOG, "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", metavar="PROVIDER", help="a provider's name or id")
        parser.add_argument("--markup", metavar="PERCENT", help="25 sells for 1.25 what costs 1.00")
        parser.add_argument("--publish", action="store_true", help="show new services to customers")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")

    def handle(self, *args: Any, **given: Any) -> None:
        provider, markup = _provider(given["provider"]), _percent(given["markup"])
        try:
            plan = plan_import(provider, fetch_listings(provider), markup=markup)
        except UpstreamTrouble as trouble:
            raise CommandError(f"{provider.name} did not send its services: {trouble.reason}") from trouble
        if plan.refusal:
            raise CommandError(plan.refusal)
        if not given["dry_run"]:
            try:
                plan = apply_import(plan, markup=markup, publish=given["publish"], actor=COMMAND).plan
            except ImportRefused as refused:
                raise CommandError(str(refused)) from refused
        self._tell(plan, dry_run=given["dry_run"])

    def _tell(self, plan: ImportPlan, *, dry_run: bool) -> None:
        for warning in plan.warnings:
            self.stdout.write(f"warning: {warning}")
        for movement in Movement:
            changes = sorted(plan.of(movement), key=lambda change: not (change.doubts or change.warnings))
            for change in changes[:SHOWN_A_KIND]:
                self.stdout.write(f"  {_line(change)}")
            if len(changes) > SHOWN_A_KIND:
                self.stdout.write(f"  … and {len(changes) - SHOWN_A_KIND} more {movement.value}")
        counts = plan.counts()
        numbers = ", ".join(f"{counts[kind]} {kind}" for kind in ("new", "changed", "gone", "back", "unchanged"))
        what = "Nothing to change" if plan.empty else "Would import" if dry_run else "Imported"
        self.stdout.write(f"{what} from {plan.provider.name}: {numbers}.")


def _line(change: Change) -> str:
    parts = [f"{change.movement.value:8}{change.external_id}  {change.name[:80]}"]
    if change.price is not None and change.movement is not Movement.GONE:
        margin = "" if change.margin is None else f", margin {change.margin} %"
        parts.append(f"price {plain(change.price)}{margin}")
    parts += [f"{field.name}: {field.before[:60]} → {field.after[:60]}" for field in change.fields]
    parts += [f"OFF SALE: {doubt.reason}" for doubt in change.doubts]
    parts += change.warnings
    return " | ".join(parts)


def _provider(name_or_id: str) -> Provider:
    found = Provider.objects.filter(name=name_or_id).first()
    if found is None and name_or_id.isascii() and name_or_id.isdigit() and len(name_or_id) < 19:
        found = Provider.objects.filter(pk=int(name_or_id)).first()
    if found is None:
        raise CommandError(f"There is no provider “{name_or_id}”.")
    return found


def _percent(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        percent = Decimal(text)
        to_units(percent)
    except (InvalidOperation, InexactAmount) as error:
        raise CommandError(f"--markup must be a percentage such as 25 or 12.5, not “{text}”.") from error
    if not -100 <= percent <= LARGEST_MARKUP:
        raise CommandError(f"--markup must be between -100 and {LARGEST_MARKUP:,}.")
    return percent
