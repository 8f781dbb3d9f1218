"""What holds for every test: nothing leaves this machine, no broker is needed, and the books may be emptied after."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

from accounts import calls
from api import counting
from ledger.guards import expected_guards, install_guards
from tests.browser import browser, new_page, page

__all__ = ["browser", "new_page", "page"]  # one browser for all: Playwright runs once in a process


class LeftTheMachine(AssertionError):
    """A test tried to reach something that is not on this machine."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a socket in the file system
    try:
        return ip_address(str(address[0]).split("%")[0]).is_loopback
    except ValueError:
        return address[0] in ("", "localhost")


#: Tests that share something dear to make (an upper panel, runs of the matrix): one process runs such a room, and
#: begins with it, so that the others are not waited for in the end.
TOGETHER = ("tests/torture/", "tests/chain/", "tests/broker/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        room = next((room for room in TOGETHER if item.nodeid.startswith(room)), None)
        if room is not None:
            item.add_marker(pytest.mark.xdist_group(room))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(autouse=True)
def _calls_are_forgotten() -> None:
    """The process keeps each customer's last calls and counts: another test's customer may have the same id."""
    calls.start_anew()
    counting.start_anew()


@pytest.fixture(autouse=True, scope="session")
def _stay_here() -> Iterator[None]:
    """Refuse connections to other machines, so that no test asks a real provider or depends on one."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex", "sendto"):
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, *args: Any, _original: Any = original) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(args[-1]):
                raise LeftTheMachine(f"a test tried to reach {args[-1]}")
            return _original(self, *args)

        patch.setattr(socket.socket, name, guarded)
    yield
    patch.undo()


KEPT_TABLES = {
    "django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions",
}  # what migrations make stays as it is


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_ledgers_guards() -> Iterator[None]:
    """A transactional test ends with emptying its tables, which the ledger's triggers refuse: they step aside for it.

    Only tables that hold rows are emptied, and what migrations made is kept: Django's own flush makes that anew.
    """

    def empty_tables(self: TransactionTestCase) -> None:
        tables = sorted(set(connection.introspection.table_names()) - KEPT_TABLES)
        with transaction.atomic(), connection.cursor() as cursor:
            filled = _filled(cursor, tables)
            if filled:
                _silence_triggers(cursor)
            for table in filled:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 - Django's own names
        install_guards()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


def _filled(cursor: CursorWrapper, tables: list[str]) -> list[str]:
    quoted = connection.ops.quote_name
    rows = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quoted(name)})" for name in tables)  # noqa: S608
    cursor.execute(" UNION ALL ".join(rows))
    return [name for (name,) in cursor.fetchall()]


def _silence_triggers(cursor: CursorWrapper) -> None:
    """For this transaction on PostgreSQL, where a superuser tests; else the guards go, and are put back after."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
        if cursor.fetchone() == (True,):
            cursor.execute("SET LOCAL session_replication_role = replica")
            return
    for guard in expected_guards():
        on = f" ON {guard.table}" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}{on}")
