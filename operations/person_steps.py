"""What is done about somebody's account as such: the role, the password, the second factor, closing and opening it."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts import second_factor, staff
from accounts.models import User
from accounts.passwords import generate_password
from accounts.roles import Role, role_of
from operations.customer_steps import CustomerForm
from operations.forms import DeskForm, ReasonForm, reason
from operations.refusals import Refused
from operations.steps import Data, Secret, Step
from records.audit import Actor

STAFF = "operations.manage_staff"
SAYS = {
    Role.OWNER: "everything, staff and roles included",
    Role.MANAGER: "everything but staff and roles",
    Role.SUPPORT: "customers, their orders and problems; no money by hand",
    Role.CATALOGUE: "services, categories, markup, imports",
    Role.READ_ONLY: "looks at everything, changes nothing",
}
ROLES = [(role.value, f"{role.label}: {SAYS[role]}") for role in Role]
NO_ROLE = ("", "None: no access to this side")


class StaffForm(CustomerForm):
    """Somebody new, in a role that is chosen and never a default."""

    role = forms.ChoiceField(choices=[("", "Choose"), *ROLES])


class RoleForm(DeskForm):
    role = forms.ChoiceField(choices=[NO_ROLE, *ROLES], required=False)
    reason = reason()


class PasswordForm(DeskForm):
    password = forms.CharField(
        required=False, max_length=200, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Empty: one is made and shown once.",
    )  # fmt: skip
    reason = reason()


def set_role(actor: Actor, user: User, data: Data) -> str:
    role = Role(data["role"]) if data["role"] else None
    if not staff.set_role(user=user, role=role, actor=actor, reason=data["reason"]):
        raise Refused("That is the role already. Nothing was changed.")
    became = f"is {role.label} now" if role is not None else "has no access to this side any more"
    return f"{user} {became}, and is signed out everywhere."


def set_password(actor: Actor, user: User, data: Data) -> str | Secret:
    password = data["password"] or generate_password()
    staff.set_password(user=user, password=password, actor=actor, reason=data["reason"])
    if data["password"]:
        return f"{user} has another password, is signed out everywhere, and was told by e-mail."
    return Secret(f"This is the new password of {user}. It is shown now and never again.", password)


def take_factor_off(actor: Actor, user: User, data: Data) -> str:
    if not staff.take_factor_off(user=user, actor=actor, reason=data["reason"]):
        raise Refused("Two-factor sign-in was off before. Nothing was changed.")
    return f"Two-factor sign-in of {user} is off; the person is signed out everywhere and was told by e-mail."


def close(actor: Actor, user: User, data: Data) -> str:
    if not staff.set_active(user=user, active=False, actor=actor, reason=data["reason"]):
        raise Refused("The account is closed already. Nothing was changed.")
    return f"{user} is signed out everywhere and cannot sign in."


def reopen(actor: Actor, user: User, data: Data) -> str:
    if not staff.set_active(user=user, active=True, actor=actor, reason=data["reason"]):
        raise Refused("The account is open already. Nothing was changed.")
    return f"{user} can sign in again."


def _says_role(user: User) -> str:
    role = role_of(user)
    now = role.label if role is not None else "not staff" if not user.is_staff else "staff without a role"
    return f"{user} is {now} now. A change signs the person out everywhere."


def _initial_role(user: User) -> dict[str, Any]:
    role = role_of(user)
    return {"role": role.value if role is not None else ""}


STEPS = (
    Step(
        name="role", right=STAFF, label="Change role", do=set_role, form=RoleForm, icon="badge", primary=True,
        initial=_initial_role, says=_says_role,
    ),
    Step(
        name="password", right="operations.set_password", label="Set password", do=set_password, form=PasswordForm,
        icon="password", says=lambda user: f"{user} is signed out everywhere, and told by e-mail.",
    ),
    Step(
        name="factor-off", right="operations.take_factor_off", label="Two-factor off", do=take_factor_off,
        form=ReasonForm, icon="phonelink_erase", fits=second_factor.is_on, danger=True,
        says=lambda user: f"For {user} who lost phone and recovery codes: make sure that it is this person.",
    ),
    Step(
        name="close", right="operations.close_user", label="Close account", do=close, form=ReasonForm,
        icon="person_off", danger=True, fits=lambda user: user.is_active,
        says=lambda user: f"{user} cannot sign in, and a customer's API keys open nothing. No money moves.",
    ),
    Step(
        name="open", right="operations.close_user", label="Open account", do=reopen, form=ReasonForm,
        icon="person", fits=lambda user: not user.is_active, says=lambda user: f"{user} can sign in again.",
    ),
)  # fmt: skip
