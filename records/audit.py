"""Who changed what, and why: written in the transaction of the change itself.

A change that is rolled back leaves no entry, and no change can commit without its entry. Only fields that really
changed are kept, and secrets never: of a changed key the trail says that it changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models, transaction

from records.models import AuditEntry
from records.plain import plain_mapping, plain_text


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a user, or a part of the panel that acts by itself. The name stays when the user is gone."""

    name: str
    user_id: int | None = None


SYSTEM = Actor("system")
COMMAND = Actor("command line")


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """The signed-in user as an actor."""
    assert user.is_authenticated, "an anonymous visitor changes nothing"
    return Actor(name=user.get_username(), user_id=user.pk)


def audit(
    *,
    actor: Actor,
    action: str,
    target: models.Model,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one entry. With both `before` and `after`, fields that are equal in both are left out."""
    assert transaction.get_connection().in_atomic_block, "an audit entry belongs to the transaction of its change"
    old, new = dict(before or {}), dict(after or {})
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    AuditEntry.objects.create(
        actor_id=actor.user_id,
        actor_name=plain_text(actor.name, 254),
        action=action,
        target_type=target._meta.label_lower,
        target_id=target.pk,
        reason=plain_text(reason, 500),
        before=plain_mapping({name: value for name, value in old.items() if name not in same}),
        after=plain_mapping({name: value for name, value in new.items() if name not in same}),
    )
