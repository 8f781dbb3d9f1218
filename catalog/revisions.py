"""Which state the catalogue is in: a mark that moves with every change of a service or a category.

Whoever keeps something that was made from the whole catalogue compares marks instead of reading it again. Triggers of
the database write it, so that no way to change a service goes by it. Each change inserts a row and none updates one:
two changes never wait for each other, and a change that commits late still moves the mark, which has the number of
rows in it.
"""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max

from catalog.models import Category, Revision, Service

TABLES = (Service._meta.db_table, Category._meta.db_table)
EVENTS = ("INSERT", "UPDATE", "DELETE")
_INSERT = f"INSERT INTO {Revision._meta.db_table}"


def catalogue_revision() -> str:
    """The mark; the same as long as nothing has changed."""
    found = Revision.objects.aggregate(last=Max("pk"), rows=Count("pk"))
    return f"{found['last'] or 0}:{found['rows']}"


def prune_revisions() -> int:
    """Forgets all but the newest rows; the mark moves once by it, and no more."""
    last = Revision.objects.aggregate(last=Max("pk"))["last"] or 0
    return Revision.objects.filter(pk__lte=last - settings.CATALOGUE_REVISIONS_KEPT).delete()[0]


def install_after_migrate(sender: AppConfig, **_: object) -> None:
    """Receiver of Django's post_migrate for this app: SQLite loses triggers when a migration rebuilds a table."""
    if Revision._meta.db_table in connection.introspection.table_names():
        install()


def install() -> None:
    """Put the triggers in place, anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _on_postgresql() if connection.vendor == "postgresql" else _on_sqlite():
            cursor.execute(statement)


def _on_sqlite() -> list[str]:
    statements = []
    for table in TABLES:
        for event in EVENTS:
            name = f"{table}_revised_by_{event.lower()}"
            statements.append(f"DROP TRIGGER IF EXISTS {name}")
            statements.append(
                f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW"
                f" BEGIN {_INSERT} (id) VALUES (NULL); END"
            )
    return statements


def _on_postgresql() -> list[str]:
    statements = [
        "CREATE OR REPLACE FUNCTION catalog_revised() RETURNS trigger LANGUAGE plpgsql AS"
        f" $revised$ BEGIN {_INSERT} DEFAULT VALUES; RETURN NULL; END $revised$"
    ]
    for table in TABLES:
        statements.append(f"DROP TRIGGER IF EXISTS {table}_revised ON {table}")
        statements.append(
            f"CREATE TRIGGER {table}_revised AFTER {' OR '.join(EVENTS)} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION catalog_revised()"
        )
    return statements
