"""What a user changes about getting in: the password, the address. Each change ends older sessions or links, is on
record, and is told to the address that the account had before.

Django's sessions carry a hash of the password, so another password ends them all; whoever changes it keeps his own by
`update_session_auth_hash`.
"""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts import letters
from accounts.models import Customer, User
from accounts.people import PersonRefused, check_email, create_customer, normal_email
from accounts.tokens import Move
from records.audit import Actor, actor_of, audit


def join(*, email: str, password: str, name: str, language: str) -> Customer:
    """The account of somebody who confirmed the address; raises PersonRefused."""
    customer = create_customer(email=email, password=password, name=name, actor=Actor(name=email))
    if language:
        User.objects.filter(pk=customer.user_id).update(language=language)
        customer.user.language = language
    return customer


def change_password(*, user: User, password: str) -> None:
    """Another password for a signed-in user or one who followed a letter's link; raises PersonRefused.

    Hashing takes its time on purpose, so it is done before the transaction.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PersonRefused("password", " ".join(error.messages)) from None
    before = user.password
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        user.sessions.all().delete()
        told = {"password": before}, {"password": user.password}  # the trail hides both
        audit(actor=actor_of(user), action="change_password", target=user, before=told[0], after=told[1])
        letters.tell_user(user, letters.PASSWORD_CHANGED)


def ask_to_move(*, user: User, email: str) -> str:
    """Send a link to the new address and word to the old one; the new address as it is kept. Raises PersonRefused.

    Whether another account has that address is not said here: then no link is sent (`accounts.texts`).
    """
    new = normal_email(email)
    check_email(new)
    if new == user.email:
        raise PersonRefused("email", _("That is the address the account has."))
    with transaction.atomic():
        letters.write_when_asked(letters.NEW_ADDRESS, address=new, user=user, language=user.language)
        letters.tell_user(user, letters.ADDRESS_ASKED, facts={"new": new})
        audit(actor=actor_of(user), action="ask_new_address", target=user, after={"email": new})
    return new


def move(found: Move) -> bool:
    """Give the account its new address; False when the link was used, when the owner chose another password or signed
    out elsewhere since it was asked for, or when somebody else has the address by now.
    """
    try:
        with transaction.atomic():
            his = User.objects.select_for_update().filter(pk=found.user_id, email=found.old, is_active=True)
            moved = his.first()
            if moved is None or not constant_time_compare(moved.get_session_auth_hash(), found.mark):
                return False
            moved.email = found.new
            moved.save(update_fields=["email"])
            audit(
                actor=actor_of(moved), action="change_address", target=moved,
                before={"email": found.old}, after={"email": found.new},
            )  # fmt: skip
            letters.tell_user(moved, letters.ADDRESS_CHANGED, address=found.old, facts={"new": found.new})
    except IntegrityError:
        return False
    return True


def sign_out_elsewhere(*, user: User, but: str) -> None:
    """End every session of the user; the one whose key is `but` goes on after `update_session_auth_hash`."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(sign_outs=F("sign_outs") + 1)
        user.sessions.exclude(key=but).delete()
        audit(actor=actor_of(user), action="sign_out_elsewhere", target=user)
    user.refresh_from_db(fields=["sign_outs"])
