"""Making people: customers with their wallets, and staff.

An address stands for one person: it is kept in lower case, and the database has it once. Passwords are judged by
Django's validators. Whatever is wrong is found before anything is written.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Customer, User
from accounts.roles import Role, by_an_owner, hold_owners, put_into
from ledger.accounts import open_wallet
from records.audit import SYSTEM, Actor, audit


class PersonRefused(Exception):
    """The person cannot be made; `field` is "email" or "password", the message a sentence for who typed it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


def create_customer(
    *, email: str, password: str, currency: str | None = None, name: str = "", actor: Actor = SYSTEM
) -> Customer:
    """A user who buys, with an empty wallet in the panel's currency (or another); raises PersonRefused."""
    user = _new_user(email, password, name)
    with transaction.atomic():
        _save(user)
        wallet = open_wallet(currency=currency or settings.PANEL_CURRENCY)
        customer = Customer.objects.create(user=user, wallet=wallet)
        audit(actor=actor, action="create_customer", target=customer, after={"email": user.email})
    return customer


def create_operator(
    *, email: str, password: str, name: str = "", role: Role = Role.OWNER, actor: Actor = SYSTEM
) -> User:
    """A member of staff in one role; raises PersonRefused or StaffRefused."""
    user = _new_user(email, password, name)
    with transaction.atomic():
        by_an_owner(hold_owners(), actor)
        _save(user)
        put_into(user, role)
        audit(actor=actor, action="create_operator", target=user, after={"email": user.email, "role": role.value})
    return user


def normal_email(email: str) -> str:
    """The address as it is kept and looked up."""
    return email.strip().lower()


def _new_user(email: str, password: str, name: str) -> User:
    """The user with the hashed password, not yet saved: hashing takes its time on purpose, so not in a transaction."""
    user = User(email=normal_email(email), name=name)
    check_email(user.email)
    _check_free(user.email)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PersonRefused("password", " ".join(error.messages)) from None
    user.set_password(password)
    return user


def check_email(email: str) -> None:
    """Raises PersonRefused for what cannot be an address, whether or not an account has it."""
    try:
        validate_email(email)
        email.encode()  # a command line's broken bytes arrive as half characters, which no database takes
    except (ValidationError, UnicodeEncodeError):
        raise PersonRefused("email", _("Enter an e-mail address, for example anna@example.com.")) from None
    if len(email) > (User._meta.get_field("email").max_length or 0):
        raise PersonRefused("email", _("The e-mail address is too long."))


def _check_free(email: str) -> None:
    if User.objects.filter(email=email).exists():
        raise _taken(email)


def _save(user: User) -> None:
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:  # somebody was faster by a moment
        raise _taken(user.email) from None


def _taken(email: str) -> PersonRefused:
    told = _("There is an account with the e-mail address %(email)s already.")
    return PersonRefused("email", told % {"email": email})
