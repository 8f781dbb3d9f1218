"""What customers notice of the catalogue: services that came on sale, that went, and that cost another price.

Triggers of the database write it in the transaction of the change, so that no way to change a service goes by it: an
import of thousands, a markup, a tick in the admin. A change of what is not on sale is nobody's news and leaves nothing.
"""

from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations import Migration
from django.utils import timezone

from catalog.models import Category, Service, Update
from catalog.service_types import ORDERABLE_KEYS

_UPDATES, _SERVICES, _CATEGORIES = (model._meta.db_table for model in (Update, Service, Category))
_TYPES = ", ".join(f"'{key}'" for key in ORDERABLE_KEYS)
_NOW = {"postgresql": "now()", "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')"}
_SQLITE_TRIGGERS = ("came_by_insert", "came_by_update", "went_by_update", "went_by_delete", "repriced")
NEW, BACK, GONE, UP, DOWN = (kind.value for kind in Update.Kind)


def prune_updates() -> int:
    """Forgets what is older than CATALOGUE_UPDATES_DAYS."""
    before = timezone.now() - timedelta(days=settings.CATALOGUE_UPDATES_DAYS)
    return Update.objects.filter(at__lt=before).delete()[0]


def install_after_migrate(sender: AppConfig, **_: object) -> None:
    """Receiver of Django's post_migrate for this app: SQLite loses triggers when a migration rebuilds a table, and
    the types that can be ordered are named in them.
    """
    if Update._meta.db_table in connection.introspection.table_names():
        install()


def install() -> None:
    """Put the triggers in place, anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _on_postgresql() if connection.vendor == "postgresql" else _on_sqlite():
            cursor.execute(statement)


def step_aside_for_rebuild(sender: AppConfig, plan: list[tuple[Migration, bool]], **_: object) -> None:
    """Receiver of Django's pre_migrate: SQLite rebuilds a table by a rename, which fails on triggers that name it."""
    if connection.vendor == "sqlite" and any(migration.app_label == sender.label for migration, _ in plan):
        with connection.cursor() as cursor:
            for word in _SQLITE_TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {_SERVICES}_told_{word}")


def _on_sale(row: str) -> str:
    """As `catalog.offers.services_on_sale` has it."""
    return f"({row}.visible AND {row}.off_sale_reason = '' AND {row}.type IN ({_TYPES}) AND {row}.rate > 0)"


def _earlier(row: str, what: str) -> str:
    return (
        f"(SELECT {what} FROM {_UPDATES} AS told"  # noqa: S608 - our own names alone, here and below
        f" WHERE told.service_id = {row}.id AND told.kind = '{GONE}'"
        " ORDER BY told.id DESC LIMIT 1)"
    )


def _insert(*, kind: str, row: str, before: str, after: str) -> str:
    """The head of an insertion, up to where its rows come from."""
    shelf = f"SELECT shelf.name FROM {_CATEGORIES} AS shelf WHERE shelf.id = {row}.category_id"  # noqa: S608
    return (
        f"INSERT INTO {_UPDATES} (kind, service_id, name, category, type, rate_before, rate_after, at)"
        f" SELECT {kind}, {row}.id, {row}.name, COALESCE(({shelf}), ''), {row}.type, {before}, {after},"
        f" {_NOW[connection.vendor]}"
    )


def _came(row: str) -> str:
    kind = f"CASE WHEN {_earlier(row, '1')} IS NULL THEN '{NEW}' ELSE '{BACK}' END"
    return _insert(kind=kind, row=row, before=_earlier(row, "told.rate_before"), after=f"{row}.rate")


def _went(row: str) -> str:
    return _insert(kind=f"'{GONE}'", row=row, before=f"{row}.rate", after="NULL")


def _repriced(old: str, new: str) -> str:
    kind = f"CASE WHEN {new}.rate > {old}.rate THEN '{UP}' ELSE '{DOWN}' END"
    return _insert(kind=kind, row=new, before=f"{old}.rate", after=f"{new}.rate")


def _on_sqlite() -> list[str]:
    was, is_now, moved = _on_sale("OLD"), _on_sale("NEW"), "OLD.rate <> NEW.rate"
    made = [
        ("INSERT", is_now, _came("NEW")),
        ("UPDATE", f"{is_now} AND NOT {was}", _came("NEW")),
        ("UPDATE", f"{was} AND NOT {is_now}", _went("OLD")),
        ("DELETE", was, _went("OLD")),
        ("UPDATE", f"{was} AND {is_now} AND {moved}", _repriced("OLD", "NEW")),
    ]
    statements = []
    for word, (event, condition, sql) in zip(_SQLITE_TRIGGERS, made, strict=True):
        name = f"{_SERVICES}_told_{word}"
        statements.append(f"DROP TRIGGER IF EXISTS {name}")
        statements.append(
            f"CREATE TRIGGER {name} AFTER {event} ON {_SERVICES} FOR EACH ROW WHEN {condition} BEGIN {sql}; END"
        )
    return statements


def _on_postgresql() -> list[str]:
    """One insertion a statement, however many services it changed."""
    was, is_now = _on_sale("gone_row"), _on_sale("made_row")
    both = "gone_rows AS gone_row JOIN made_rows AS made_row ON made_row.id = gone_row.id"
    old_rows, new_rows = "OLD TABLE AS gone_rows", "NEW TABLE AS made_rows"
    made = {
        "insert": (new_rows, [f"{_came('made_row')} FROM made_rows AS made_row WHERE {is_now} ORDER BY made_row.id"]),
        "update": (
            f"{old_rows} {new_rows}",
            [
                f"{_came('made_row')} FROM {both} WHERE {is_now} AND NOT {was} ORDER BY made_row.id",
                f"{_went('gone_row')} FROM {both} WHERE {was} AND NOT {is_now} ORDER BY gone_row.id",
                f"{_repriced('gone_row', 'made_row')} FROM {both}"
                f" WHERE {was} AND {is_now} AND gone_row.rate <> made_row.rate ORDER BY made_row.id",
            ],
        ),
        "delete": (old_rows, [f"{_went('gone_row')} FROM gone_rows AS gone_row WHERE {was} ORDER BY gone_row.id"]),
    }
    statements = []
    for event, (tables, inserts) in made.items():
        name = f"{_SERVICES}_told_by_{event}"
        body = "; ".join(inserts)
        statements += [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $told$ BEGIN {body}; RETURN NULL; END $told$",
            f"DROP TRIGGER IF EXISTS {name} ON {_SERVICES}",
            f"CREATE TRIGGER {name} AFTER {event.upper()} ON {_SERVICES}"
            f" REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
        ]
    return statements
