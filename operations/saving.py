"""Changes of a row's own fields, with no verb of the core behind them: saved and audited in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction

from records.audit import Actor, audit


def told(value: Any) -> Any:
    """A field's value as the trail keeps it: rows by their id, the rest as it is."""
    return value.pk if isinstance(value, models.Model) else value


@transaction.atomic
def save_row(row: models.Model, *, changed: Iterable[str], actor: Actor, action: str, reason: str = "") -> None:
    """Save what was changed on the row. A secret's name is told, its value never (records.redaction).

    Of a stored row only these fields are written: since it was read a worker may have paused the provider's queue, or
    an import have changed a price.
    """
    names = list(changed)
    stored = type(row)._default_manager.filter(pk=row.pk).first() if row.pk else None
    before = {name: told(getattr(stored, name)) for name in names} if stored is not None else {}
    row.save(update_fields=None if stored is None else names)
    after = {name: told(getattr(row, name)) for name in names}
    audit(actor=actor, action=action, target=row, reason=reason, before=before, after=after)


@transaction.atomic
def delete_row(row: models.Model, *, actor: Actor, action: str, reason: str = "") -> None:
    """Delete a row that may be deleted; the trail keeps what it was."""
    before = {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}
    audit(actor=actor, action=action, target=row, reason=reason, before=before)
    row.delete()
