"""Run the sandbox provider as a process of its own. Needs no database and nothing of the panel."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.sandbox.amounts import read_amount
from providers.sandbox.catalogue import BadCatalogue
from providers.sandbox.dialect import DIALECTS
from providers.sandbox.faults import KINDS, BadFault, Fault, read_fault
from providers.sandbox.plans import WORDS
from providers.sandbox.server import BALANCE, KEY, Options, Sandbox
from providers.sandbox.store import Unusable

TICK_SECONDS = 0.5  # how soon the journal tells what happened while nobody asked


class Command(BaseCommand):
    help = "Run a provider to try and test the panel against: it speaks API v2, moves orders along and fails on demand."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"usage": "%(prog)s [options]", "epilog": _epilog()}
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        add("--port", default="0", help="port to listen on (0: a free one, which is printed)")
        add("--services", metavar="FILE", help="a provider's JSON list of services (the sandbox's own)")
        add("--fault", action="append", default=[], metavar="RULE", help="action=kind[:argument][@probability][xTIMES]")
        add("--journal", metavar="FILE", help="append what it really does to this file, a JSON line each")
        add("--fsync", action="store_true", help="write each journal line through to the disk")
        add("--state", metavar="FILE", help="keep account and orders in this SQLite file (in memory)")
        add("--speed", default="1", help="seconds that pass for it in one second (1)")
        add("--key", default=KEY, help=f"the API key ({KEY})")
        add("--balance", default=BALANCE, help=f"what the account holds at first ({BALANCE})")
        add("--currency", default="USD", help="the account's currency (USD)")
        add("--dialect", default="seed", help=f"how it answers: {', '.join(DIALECTS)} (seed)")
        add("--partial", default="0", metavar="SHARE", help="share of orders, 0 to 1, that end Partial (0)")
        add("--cancel", default="0", metavar="SHARE", help="share of orders, 0 to 1, that get Canceled (0)")
        add("--idempotency", default="", metavar="NAME", help="a parameter of add that makes it repeatable")
        add("--seed", default="1", help="number that all chances come from (1)")

    def handle(self, *args: Any, **given: Any) -> None:
        options, faults = _options(given), _faults(given["fault"])
        try:
            sandbox = Sandbox(options)
        except (BadCatalogue, Unusable) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"It cannot start on {options.host} port {options.port}: {error}.") from error
        for fault in faults:
            sandbox.faults.add_rule(fault)
        stopping = threading.Event()
        _stop_on_signals(stopping)
        with sandbox:
            self.stdout.write(f"Sandbox provider listens: {sandbox.url} (key {options.key})")
            self.stdout.flush()
            while not stopping.wait(TICK_SECONDS):
                sandbox.catch_up()


def _stop_on_signals(stopping: threading.Event) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _options(given: dict[str, Any]) -> Options:
    dialect = given["dialect"]
    if dialect not in DIALECTS:
        raise CommandError(f"There is no dialect {dialect!r}; there are {', '.join(DIALECTS)}.")
    try:
        read_amount(given["balance"])
    except ValueError as error:
        raise CommandError(f"--balance: {error}.") from error
    return Options(
        host=given["host"],
        port=int(_number("--port", given["port"], most=65535, whole=True)),
        key=given["key"],
        balance=given["balance"],
        currency=given["currency"],
        dialect=dialect,
        services=_path(given["services"]),
        state=_path(given["state"]),
        journal=_path(given["journal"]),
        fsync=given["fsync"],
        speed=_number("--speed", given["speed"], most=1_000_000),
        seed=int(_number("--seed", given["seed"], most=2**63, whole=True)),
        partial=_number("--partial", given["partial"], most=1),
        cancel=_number("--cancel", given["cancel"], most=1),
        idempotency=given["idempotency"],
    )


def _number(option: str, text: str, *, most: float, whole: bool = False) -> float:
    try:
        value = float(int(text)) if whole else float(text)
    except ValueError:
        raise CommandError(f"{option} takes a {'whole ' if whole else ''}number, not {text!r}.") from None
    if not 0 <= value <= most:
        raise CommandError(f"{option} is between 0 and {most:g}, not {text}.")
    return value


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _faults(rules: list[str]) -> list[Fault]:
    try:
        return [read_fault(rule) for rule in rules]
    except BadFault as error:
        raise CommandError(str(error)) from error


def _epilog() -> str:
    width = max(map(len, (*KINDS, *WORDS))) + 2
    lines = [
        "example:",
        f"  {Path(sys.argv[0]).name} sandbox_provider --port 8100 --balance 500 --fault add=timeout_after@0.05",
        "",
        "kinds of fault:",
        *(f"  {kind:<{width}}{what}" for kind, what in KINDS.items()),
        "",
        "words in an order's link, as in https://example.com/post?sandbox=partial:30,slow :",
        *(f"  {word:<{width}}{what}" for word, what in WORDS.items()),
    ]
    return "\n".join(lines)
