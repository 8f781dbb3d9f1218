"""What somebody else changes about a person: role, access, password, second factor. Each is on the audit trail.

Whoever is staff is an owner's to change, and no other's: a new password or address would be a way up. One owner at
least stays, so that the panel is never without one. Both are looked at under a lock on the owners' rows, in the order
of their ids: of two owners who take each other's role at once the second finds that he is none any more.
"""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import letters, second_factor
from accounts.models import User
from accounts.people import PersonRefused
from accounts.roles import Role, StaffRefused, by_an_owner, hold_owners, put_into, role_of
from accounts.sessions import end_all
from records.audit import Actor, audit


@transaction.atomic
def set_role(*, user: User, role: Role | None, actor: Actor, reason: str) -> bool:
    """Give the role (None: no staff any more) and end the person's sessions; False when it was so.

    Raises StaffRefused.
    """
    owners = hold_owners()
    by_an_owner(owners, actor)
    stored = User.objects.select_for_update().get(pk=user.pk)
    before = role_of(stored)
    if before is role and stored.is_staff == (role is not None):
        return False
    if role is not Role.OWNER:
        _one_stays(owners, stored)
    put_into(stored, role)
    end_all(stored)
    audit(
        actor=actor, action="user.role", target=stored, reason=reason,
        before={"role": _word(before)}, after={"role": _word(role)},
    )  # fmt: skip
    return True


@transaction.atomic
def set_active(*, user: User, active: bool, actor: Actor, reason: str) -> bool:
    """Close or open an account; closing ends its sessions for good. False when it was so. Raises StaffRefused."""
    owners = hold_owners()
    stored = User.objects.select_for_update().get(pk=user.pk)
    _may_touch(owners, stored, actor)
    if stored.is_active == active:
        return False
    if not active:
        _one_stays(owners, stored)
    stored.is_active = active
    stored.save(update_fields=["is_active"])
    if not active:
        end_all(stored)
    audit(
        actor=actor, action="user.access", target=stored, reason=reason,
        before={"is_active": not active}, after={"is_active": active},
    )  # fmt: skip
    return True


def set_password(*, user: User, password: str, actor: Actor, reason: str) -> None:
    """Another password for somebody else, who is told; his sessions end. Raises PersonRefused or StaffRefused.

    Hashing takes its time on purpose, so it is done before the transaction.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PersonRefused("password", " ".join(error.messages)) from None
    user.set_password(password)
    with transaction.atomic():
        owners = hold_owners()
        stored = User.objects.select_for_update().get(pk=user.pk)
        _may_touch(owners, stored, actor)
        before, stored.password = stored.password, user.password
        stored.save(update_fields=["password"])
        end_all(stored)
        audit(
            actor=actor, action="user.password", target=stored, reason=reason,
            before={"password": before}, after={"password": stored.password},
        )  # fmt: skip
        letters.tell_user(stored, letters.PASSWORD_CHANGED)


@transaction.atomic
def take_factor_off(*, user: User, actor: Actor, reason: str) -> bool:
    """For one who lost phone and recovery codes; False when it was off. Raises StaffRefused."""
    owners = hold_owners()
    stored = User.objects.select_for_update().get(pk=user.pk)
    _may_touch(owners, stored, actor)
    if not second_factor.switch_off(user=stored, actor=actor, reason=reason):
        return False
    end_all(stored)
    return True


def _may_touch(owners: list[int], user: User, actor: Actor) -> None:
    if user.is_staff or user.is_superuser:
        by_an_owner(owners, actor)


def _one_stays(owners: list[int], user: User) -> None:
    if owners == [user.pk]:
        raise StaffRefused("This is the last owner who can sign in: make another one first. Nothing was changed.")


def _word(role: Role | None) -> str:
    return role.value if role is not None else ""
