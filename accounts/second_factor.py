"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for a lost phone.

Secrets and codes are allauth's (`allauth.mfa`: its rows, its arithmetic, its memory of codes that were used); what it
keeps is encrypted here. Its pages and its sign-in are not used: ours know the customer's frame, the operator's side,
and the rule that guesses are counted (docs/decisions/0074).
"""

from __future__ import annotations

import base64
import re

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.utils import get_adapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from accounts import letters
from accounts.models import User
from records.audit import Actor, actor_of, audit

TYPES = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's, with what it keeps encrypted under SECRET_KEY (or an earlier one, for reading)."""

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return ""  # under another SECRET_KEY: no code fits, and an operator takes the factor off

    def get_totp_issuer(self) -> str:
        return str(settings.PANEL_NAME)


def is_on(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def new_secret() -> str:
    """A secret to be shown to the user's app; kept nowhere until a code of it was typed."""
    return str(generate_totp_secret())


def app_address(user: User, secret: str) -> str:
    """What the QR code says: otpauth://…"""
    return str(get_adapter().build_totp_url(user, secret))


def switch_on(*, user: User, secret: str, code: str) -> list[str] | None:
    """Turn it on when `code` is one of the secret's; the recovery codes, or None for a wrong code or when it is on."""
    if not validate_totp_code(secret, _bare(code)):
        return None
    try:
        with transaction.atomic():
            TOTP.activate(user, secret)
            codes = _fresh_codes(user)
            audit(
                actor=actor_of(user), action="second_factor_on", target=user,
                before={"second_factor": False}, after={"second_factor": True},
            )  # fmt: skip
            letters.tell_user(user, letters.SECOND_FACTOR_ON)
    except IntegrityError:
        return None
    return codes


def switch_off(*, user: User, actor: Actor, reason: str = "") -> bool:
    """By the user, or by an operator for one who lost phone and codes; False when it was off."""
    with transaction.atomic():
        gone, _ = Authenticator.objects.filter(user=user).delete()
        if gone:
            audit(
                actor=actor, action="second_factor_off", target=user, reason=reason,
                before={"second_factor": True}, after={"second_factor": False},
            )  # fmt: skip
            letters.tell_user(user, letters.SECOND_FACTOR_OFF)
    return bool(gone)


def new_codes(user: User) -> list[str]:
    """Recovery codes in place of the old ones, which open nothing any more."""
    with transaction.atomic():
        codes = _fresh_codes(user)
        audit(actor=actor_of(user), action="new_recovery_codes", target=user)
    return codes


def codes_left(user: User) -> int:
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(RecoveryCodes(found).get_unused_codes()) if found is not None else 0


def fits(user: User, code: str) -> bool:
    """Whether it is a code of the app that was not used before, or a recovery code, which is spent by this."""
    bare = _bare(code)
    for found in Authenticator.objects.filter(user=user, type__in=TYPES).order_by("-type"):
        if found.wrap().validate_code(bare):
            Authenticator.objects.get(pk=found.pk).record_usage()
            return True
    return False


def _fresh_codes(user: User) -> list[str]:
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    return [f"{code[:4]} {code[4:]}" for code in RecoveryCodes.activate(user).generate_codes()]


def _bare(code: str) -> str:
    return re.sub(r"[\s-]", "", code)[:20]


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(key)) for key in keys])


def _key(secret: str) -> bytes:
    digest = salted_hmac("accounts.second_factor", "", secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)
