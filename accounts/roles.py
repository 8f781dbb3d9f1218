"""What staff are: one role each. What a role may do is the operator's side's to say (`operations.roles`).

An owner is Django's superuser, who may do everything. Each other role is the one group of its name. Staff without a
role may sign in and see nothing.
"""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models

from accounts.models import User
from records.audit import Actor


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    SUPPORT = "support", "Support"
    CATALOGUE = "catalogue", "Catalogue"
    READ_ONLY = "read-only", "Read-only"


GROUPS = tuple(role for role in Role if role is not Role.OWNER)


class StaffRefused(Exception):
    """The change is not this actor's to make, or would leave the panel without an owner; a sentence."""


def role_of(user: User) -> Role | None:
    """The role of staff; None for everybody else, and for staff who were given none. Asks for the groups at most."""
    if not user.is_staff:
        return None
    if user.is_superuser:
        return Role.OWNER
    names = {group.name for group in user.groups.all()}
    return next((role for role in GROUPS if role.value in names), None)


def put_into(user: User, role: Role | None) -> None:
    """Write the role on a stored user: the marks, the one group, and no right beside it. Within a transaction."""
    user.is_staff, user.is_superuser = role is not None, role is Role.OWNER
    user.save(update_fields=["is_staff", "is_superuser"])
    user.user_permissions.clear()
    user.groups.set([Group.objects.get(name=role.value)] if role is not None and role is not Role.OWNER else [])


def hold_owners() -> list[int]:
    """The owners who can sign in, the lowest id first. Their rows are held until the transaction ends, and before any
    other user's row: whoever changes staff comes through here one after another.
    """
    owners = User.objects.select_for_update().filter(is_superuser=True, is_staff=True, is_active=True)
    return list(owners.order_by("pk").values_list("pk", flat=True))


def by_an_owner(owners: list[int], actor: Actor) -> None:
    """Raises StaffRefused for anybody else. The command line and the panel itself are nobody's account: whoever has
    them has the database.
    """
    if actor.user_id is not None and actor.user_id not in owners:
        raise StaffRefused("Only an owner changes who is staff. Nothing was changed.")
