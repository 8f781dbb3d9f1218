"""Many hands at one thing at once, on real connections."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections

RACE = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a race needs PostgreSQL's many writers"),
]
RIVALS = 16


def all_at_once(work: Callable[[int], object], rivals: int = RIVALS) -> list[object]:
    """Every rival's result, or the exception it ended with."""
    start = threading.Barrier(rivals)
    results: list[object] = [None] * rivals

    def run(number: int) -> None:
        try:
            connections["default"].ensure_connection()
            start.wait(timeout=20)
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 - the rival's end is what the test looks at
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(rivals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results
