"""The links in letters: signed, good for ACCOUNT_LINK_HOURS, and worth nothing once they did what they are for.

Nothing of them is stored. A link to join names an address: it is spent when the address has an account. A link for a
new password is Django's own token, which holds the present password and the last sign-in: it is spent with either. A
link to another address names the old one and the sessions of that moment: it is spent when that is no longer the
account's address, and when the owner chooses another password or signs out elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing

from accounts.models import User

_JOIN = "accounts.join"
_MOVE = "accounts.move"


def join_token(email: str) -> str:
    return signing.dumps(email, salt=_JOIN)


def read_join_token(token: str) -> str | None:
    """The address that was confirmed by following the link; None for a link that is broken or too old."""
    email = _read(token, _JOIN)
    return email if isinstance(email, str) else None


def reset_token(user: User) -> str:
    return f"{user.pk}-{default_token_generator.make_token(user)}"


def read_reset_token(token: str) -> User | None:
    """Whose password may be chosen anew; None for a link that is broken, spent or too old, and for a closed account."""
    number, _, rest = token.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    user = User.objects.filter(pk=int(number), is_active=True).first()
    return user if user is not None and default_token_generator.check_token(user, rest) else None


@dataclass(frozen=True, slots=True)
class Move:
    """An account's way from one address to another."""

    user_id: int
    old: str
    new: str
    mark: str  # of the password and the sign-outs when the link was made


def move_token(move: Move) -> str:
    return signing.dumps([move.user_id, move.old, move.new, move.mark], salt=_MOVE)


def read_move_token(token: str) -> Move | None:
    found = _read(token, _MOVE)
    return Move(*found) if isinstance(found, list) and len(found) == 4 else None


def _read(token: str, salt: str) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=settings.ACCOUNT_LINK_HOURS * 3600)
    except signing.BadSignature:
        return None
