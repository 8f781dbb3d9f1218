"""Guessing at passwords and codes: slowed for whoever guesses, never a locked door for the customer guessed at.

Two things are counted, both in django-axes' rows of failed sign-ins:
* an address and an account together: after SIGN_IN_ATTEMPTS the pair waits (axes does that itself);
* an account, from all addresses: after SIGN_IN_STRANGERS within the cool-off strangers wait, wherever they are. A
  browser that signed in to this account before is no stranger (a signed cookie), and a password that was chosen anew
  by a letter's link makes one known: so the owner gets in while others guess.
A wrong code of the second factor counts like a wrong password.
"""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.core import signing
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User
from accounts.people import normal_email

KNOWN_COOKIE = "known"
KNOWN_SALT = "accounts.known"
KNOWN_ACCOUNTS = 5  # of one browser


def must_wait(request: HttpRequest, email: str) -> bool:
    """Whether this visitor may not try this account now."""
    if not getattr(settings, "AXES_ENABLED", True):
        return False
    name = normal_email(email).replace("\0", "")  # which no account has, and PostgreSQL takes in no query
    if not AxesProxyHandler.is_allowed(request, {"username": name}):
        return True
    if name in _known(request):
        return False
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    tried = AccessAttempt.objects.filter(username=name, attempt_time__gt=since)
    return (tried.aggregate(n=Sum("failures_since_start"))["n"] or 0) >= settings.SIGN_IN_STRANGERS


def count_wrong_code(request: HttpRequest, user: User) -> None:
    """One more failure of this address at this account."""
    user_login_failed.send(sender=__name__, credentials={"username": user.email}, request=request)


def forgive(user: User) -> None:
    """A password was chosen anew by a letter's link: what was guessed at the old one counts no more."""
    AccessAttempt.objects.filter(username=user.email).delete()


def know(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """This browser belongs to the account: nobody else's guesses keep it out."""
    names = [user.email, *(name for name in _known(request) if name != user.email)][:KNOWN_ACCOUNTS]
    response.set_cookie(
        KNOWN_COOKIE,
        signing.dumps(names, salt=KNOWN_SALT),
        max_age=settings.KNOWN_BROWSER_DAYS * 86_400,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )


def _known(request: HttpRequest) -> list[str]:
    try:
        names = signing.loads(
            request.COOKIES.get(KNOWN_COOKIE, ""), salt=KNOWN_SALT, max_age=settings.KNOWN_BROWSER_DAYS * 86_400
        )
    except signing.BadSignature:
        return []
    return [str(name) for name in names]
