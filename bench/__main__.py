"""`python -m bench`: every comparison, as a table and as JSON (bench/results.json), on DATABASE_URL or a SQLite of
its own.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PANEL_DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "smmpanel.settings"
        _measure()


def _measure() -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    from bench.placing import rows

    own_file = connection.vendor == "sqlite"  # in the temporary folder; a test database of SQLite would be in memory
    if own_file:
        call_command("migrate", verbosity=0)
    else:
        connection.creation.create_test_db(verbosity=0)
    try:
        found = rows()
        with connection.cursor() as cursor:
            cursor.execute("SELECT sqlite_version()" if own_file else "SELECT version()")
            version = f"{connection.vendor} {cursor.fetchone()[0]}"
    finally:
        if not own_file:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    print(f"{version[:60]}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{'what':36} {'ratio':>7} {'spread':>7} {'product/s':>10} {'floor/s':>10}  floor")
    for row in found:
        print(
            f"{row.what:36} {row.ratio:7.3f} {row.spread:7.3f} {row.product_per_second:10.1f} "
            f"{row.floor_per_second:10.1f}  {row.floor}"
        )
    RESULTS.write_text(json.dumps({"on": version, "rows": [row.as_dict() for row in found]}, indent=1) + "\n")


main()
