"""Staff: a role each, changed by owners alone; one owner always stays; whoever is changed is signed out at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import staff
from accounts.letters import PASSWORD_CHANGED
from accounts.models import Letter, Session, User
from accounts.people import PersonRefused, create_customer, create_operator
from accounts.roles import Role, StaffRefused, role_of
from records.audit import COMMAND, SYSTEM, Actor, actor_of
from records.models import AuditEntry

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough one"


def one(role: Role, name: str = "") -> User:
    return create_operator(email=f"{name or role.value}@example.com", password=PASSWORD, role=role)


def now(user: User) -> User:
    return User.objects.get(pk=user.pk)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_the_marks_and_the_one_group(role: Role) -> None:
    user = one(role)
    groups = [] if role is Role.OWNER else [role.value]
    assert (user.is_staff, user.is_superuser) == (True, role is Role.OWNER)
    assert [group.name for group in user.groups.all()] == groups
    assert role_of(now(user)) is role
    assert AuditEntry.objects.get(action="create_operator").after["role"] == role.value


def test_who_has_none() -> None:
    customer = create_customer(email="anna@example.com", password=PASSWORD)
    assert role_of(customer.user) is None
    user = one(Role.SUPPORT)
    user.groups.clear()
    assert role_of(now(user)) is None


def test_an_owner_changes_a_role_and_the_trail_says_from_what_to_what() -> None:
    olga, stan = one(Role.OWNER), one(Role.SUPPORT)
    assert staff.set_role(user=stan, role=Role.CATALOGUE, actor=actor_of(olga), reason="moved")
    assert role_of(now(stan)) is Role.CATALOGUE
    entry = AuditEntry.objects.get(action="user.role")
    assert (entry.actor_name, entry.reason, entry.target_id) == (olga.email, "moved", stan.pk)
    assert (entry.before, entry.after) == ({"role": "support"}, {"role": "catalogue"})
    assert not staff.set_role(user=stan, role=Role.CATALOGUE, actor=actor_of(olga), reason="again")
    assert AuditEntry.objects.filter(action="user.role").count() == 1


def test_a_role_replaces_all_that_was_given_before() -> None:
    from django.contrib.auth.models import Permission

    olga, stan = one(Role.OWNER), one(Role.MANAGER)
    stan.user_permissions.add(Permission.objects.get(codename="manage_staff"))
    staff.set_role(user=stan, role=Role.READ_ONLY, actor=actor_of(olga), reason="less")
    assert not now(stan).has_perm("operations.manage_staff")
    assert not now(stan).has_perm("operations.deposit")
    staff.set_role(user=stan, role=None, actor=actor_of(olga), reason="left")
    assert (now(stan).is_staff, now(stan).groups.count()) == (False, 0)
    staff.set_role(user=stan, role=Role.OWNER, actor=actor_of(olga), reason="came back")
    assert now(stan).has_perm("operations.manage_staff")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_nobody_but_an_owner_changes_staff(role: Role) -> None:
    olga, other = one(Role.OWNER), one(role, "other")
    actor = actor_of(other)
    for whom in (olga, other, one(Role.READ_ONLY, "third")):
        before = now(whom)
        changes: tuple[tuple[Callable[..., object], dict[str, Any]], ...] = (
            (staff.set_role, {"role": Role.OWNER}),
            (staff.set_role, {"role": None}),
            (staff.set_active, {"active": False}),
            (staff.set_password, {"password": "another long one"}),
            (staff.take_factor_off, {}),
        )
        for change, how in changes:
            with pytest.raises(StaffRefused, match="Only an owner"):
                change(user=whom, actor=actor, reason="x", **how)
        assert (now(whom).password, now(whom).is_active) == (before.password, True)
        assert role_of(now(whom)) is role_of(before)
    with pytest.raises(StaffRefused, match="Only an owner"):
        create_operator(email="new@example.com", password=PASSWORD, role=Role.READ_ONLY, actor=actor)
    assert not User.objects.filter(email="new@example.com").exists()


def test_an_owner_who_is_closed_or_gone_changes_nobody() -> None:
    one(Role.OWNER)
    closed, stan = one(Role.OWNER, "closed"), one(Role.SUPPORT)
    staff.set_active(user=closed, active=False, actor=SYSTEM, reason="left")
    for actor in (actor_of(closed), Actor("nobody", 10**6)):
        with pytest.raises(StaffRefused, match="Only an owner"):
            staff.set_role(user=stan, role=Role.OWNER, actor=actor, reason="x")


def test_customers_are_no_staff_and_may_be_closed_and_helped() -> None:
    one(Role.OWNER)
    stan = one(Role.SUPPORT)
    user = create_customer(email="anna@example.com", password=PASSWORD).user
    assert staff.set_active(user=user, active=False, actor=actor_of(stan), reason="chargeback")
    assert not staff.set_active(user=user, active=False, actor=actor_of(stan), reason="again")
    entry = AuditEntry.objects.get(action="user.access")
    assert (entry.before, entry.after) == ({"is_active": True}, {"is_active": False})
    staff.set_password(user=user, password="another long one", actor=actor_of(stan), reason="asked")
    assert now(user).check_password("another long one")
    told = AuditEntry.objects.get(action="user.password")
    assert (told.before, told.after) == ({"password": "(hidden)"}, {"password": "(hidden)"})
    assert Letter.objects.filter(kind=PASSWORD_CHANGED, address="anna@example.com").count() == 1
    with pytest.raises(PersonRefused):
        staff.set_password(user=user, password="short", actor=actor_of(stan), reason="asked")


@pytest.mark.parametrize("actor", [COMMAND, None], ids=["by the command line", "by himself"])
def test_the_last_owner_who_can_sign_in_stays_one(actor: Actor | None) -> None:
    olga, closed = one(Role.OWNER), one(Role.OWNER, "closed")
    one(Role.MANAGER)
    staff.set_active(user=closed, active=False, actor=SYSTEM, reason="left")
    by = actor or actor_of(olga)
    changes: tuple[Callable[[], object], ...] = (
        lambda: staff.set_role(user=olga, role=Role.MANAGER, actor=by, reason="x"),
        lambda: staff.set_role(user=olga, role=None, actor=by, reason="x"),
        lambda: staff.set_active(user=olga, active=False, actor=by, reason="x"),
    )
    for change in changes:
        with pytest.raises(StaffRefused, match="last owner"):
            change()
    assert (role_of(now(olga)), now(olga).is_active) == (Role.OWNER, True)
    staff.set_active(user=closed, active=True, actor=by, reason="is back")
    assert staff.set_role(user=olga, role=Role.MANAGER, actor=by, reason="enough")
    with pytest.raises(StaffRefused):
        staff.set_active(user=closed, active=False, actor=COMMAND, reason="x")


def test_an_owner_who_is_closed_may_be_made_less() -> None:
    one(Role.OWNER)
    closed = one(Role.OWNER, "closed")
    staff.set_active(user=closed, active=False, actor=SYSTEM, reason="left")
    assert staff.set_role(user=closed, role=None, actor=SYSTEM, reason="for good")


def test_whoever_is_closed_demoted_or_helped_is_signed_out_at_once_and_for_good() -> None:
    olga = actor_of(one(Role.OWNER))
    stan = one(Role.MANAGER)
    changes: tuple[Callable[[], object], ...] = (
        lambda: staff.set_role(user=stan, role=Role.SUPPORT, actor=olga, reason="x"),
        lambda: staff.set_active(user=stan, active=False, actor=olga, reason="x"),
        lambda: staff.set_password(user=stan, password="another long one", actor=olga, reason="x"),
    )
    for change in changes:
        staff.set_active(user=stan, active=True, actor=olga, reason="again")
        client = signed_in(now(stan))
        assert is_in(client)
        assert Session.objects.filter(user=stan).exists()
        change()
        assert not is_in(client)
        assert not Session.objects.filter(user=stan).exists()
        staff.set_active(user=stan, active=True, actor=olga, reason="again")
        assert not is_in(client)  # what ended does not begin again with the account
