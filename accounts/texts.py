"""What each kind of letter says, beside its template in templates/letters: the link, the names, the amounts.

None means that there is nobody to tell: no account with that address, a link that would lead nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts import letters
from accounts.models import Letter, User
from accounts.tokens import Move, join_token, move_token, reset_token

Context = Mapping[str, Any] | None


def context_of(letter: Letter) -> Context:
    """What the template of the letter needs; `template` where it is not the one of the kind."""
    return _SPECIAL.get(letter.kind, _about_account)(letter)


def _sign_up(letter: Letter) -> Context:
    """Whoever has an account already learns that, and nobody else does."""
    if User.objects.filter(email=letter.address).exists():
        return {"template": "sign_up_again", "link": _link("sign_in"), "reset": _link("reset")}
    return {"link": _link("join", join_token(letter.address)), "hours": settings.ACCOUNT_LINK_HOURS}


def _reset(letter: Letter) -> Context:
    user = User.objects.filter(email=letter.address, is_active=True).first()
    if user is None:
        return None
    return {"link": _link("choose_password", reset_token(user)), "hours": settings.ACCOUNT_LINK_HOURS}


def _new_address(letter: Letter) -> Context:
    user = letter.user
    if user is None or User.objects.filter(email=letter.address).exists():
        return None
    token = move_token(Move(user.pk, user.email, letter.address, user.get_session_auth_hash()))
    return {"link": _link("confirm_address", token), "old": user.email, "hours": settings.ACCOUNT_LINK_HOURS}


def _about_account(letter: Letter) -> Context:
    if letter.user is None:
        return None
    return {"user": letter.user, "link": _link("account"), "reset": _link("reset"), **letter.facts}


def _about_order(letter: Letter) -> Context:
    return {**letter.facts, "order_link": _link("order", letter.facts["order"]), "link": f"{_link('account')}#letters"}


def _about_problem(letter: Letter) -> Context:
    links = {"problem_link": _link("problem", letter.facts["order"]), "link": f"{_link('account')}#letters"}
    return {**letter.facts, **links}


def _about_money(letter: Letter) -> Context:
    return {**letter.facts, "funds": _link("funds"), "link": f"{_link('account')}#letters"}


_SPECIAL: dict[str, Callable[[Letter], Context]] = {
    letters.SIGN_UP: _sign_up,
    letters.RESET: _reset,
    letters.NEW_ADDRESS: _new_address,
    letters.REFILL_REJECTED: _about_order,
    letters.PROBLEM_ANSWERED: _about_problem,
    letters.LOW_BALANCE: _about_money,
}


def _link(page: str, *args: str | int) -> str:
    return settings.PUBLIC_URL + reverse(f"portal:{page}", args=args)
