"""`python -m fuzz`: a server of its own, so many calls of its API, and a word on what they were answered with."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

TELL = 12  # kinds of answers at the end, the commonest first


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="panel-fuzz-") as folder:
        os.environ["PANEL_DATA_DIR"] = folder
        Path(folder, "static").mkdir()
        os.environ["DJANGO_SETTINGS_MODULE"] = "fuzz.settings"
        import django

        django.setup()
        return _fuzz(options)


def _fuzz(options: argparse.Namespace) -> int:
    from django.db import connections

    from api.openapi import document
    from fuzz.calls import fuzz
    from fuzz.server import running
    from fuzz.stock import fill

    stock = fill()
    connections.close_all()
    with running() as address:
        began = time.monotonic()
        tally = fuzz(address, document(), stock, calls=options.calls, seconds=options.seconds)
        took = time.monotonic() - began
    print(f"{tally.calls} calls in {took:.0f} s: no 5xx, always JSON, always what the document says.")
    for kind, count in tally.answers.most_common(TELL):
        print(f"{count:8}  {kind}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000, help="stop after so many")
    parser.add_argument("--seconds", type=float, help="or after so long")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
