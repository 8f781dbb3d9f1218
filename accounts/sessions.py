"""Where a user is signed in: one row a session, so that they can be listed and ended.

Django keeps a session's user inside its data, which cannot be searched. The row follows the session: it is written
when a session signs in, and refreshed every few minutes while it is used; one without a row (from before this was
kept) gets it then. What ends sessions is never the row: it is the hash they carry (`User._get_session_auth_hash`), or
the session's end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Session, User
from accounts.visitors import client_address
from records.plain import plain_text
from records.turns import Turn

SEEN = "seen_at"  # in the session: seconds since the epoch when its row was written last


def begin(sender: Any, request: HttpRequest | None, user: User, **_: Any) -> None:
    """Somebody signed in (Django's signal, whatever form it was)."""
    if request is None or not hasattr(request, "session"):
        return
    if request.session.session_key is None:
        request.session.save()
    _note(request, user)


def finish(sender: Any, request: HttpRequest | None, user: User | None, **_: Any) -> None:
    """Somebody signed out."""
    if request is not None and request.session.session_key:
        Session.objects.filter(key=request.session.session_key).delete()


def see(request: HttpRequest, user: User) -> None:
    """Note that the session is in use, at most every SESSION_SEEN_SECONDS."""
    seen = request.session.get(SEEN, 0)
    if time.time() - seen >= settings.SESSION_SEEN_SECONDS:
        _note(request, user)


def follow(request: HttpRequest, user: User) -> None:
    """The session has a new key (the password changed, others were signed out): its row goes on under it."""
    if request.session.session_key is None:
        request.session.save()
    _note(request, user)


def sessions_of(user: User) -> QuerySet[Session]:
    """Those that may still be open, the last used first: older ones ended by themselves."""
    since = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return user.sessions.filter(seen_at__gt=since).order_by("-seen_at", "-pk")


def end(session: Session) -> None:
    """Sign that device out: its next request finds no session."""
    import_module(settings.SESSION_ENGINE).SessionStore(session.key).delete()
    session.delete()


def end_all(user: User) -> None:
    """Sign him out everywhere, for good: what his sessions carry fits no more. Within the change that makes it due."""
    User.objects.filter(pk=user.pk).update(sign_outs=F("sign_outs") + 1)
    user.sessions.all().delete()


def prune_sessions(turn: Turn) -> Mapping[str, int]:
    """The rows of sessions that ended by their age, ours and Django's."""
    since = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    deleted, _ = Session.objects.filter(seen_at__lt=since).delete()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return {"deleted": deleted}


def _note(request: HttpRequest, user: User) -> None:
    now = timezone.now()
    request.session[SEEN] = int(now.timestamp())
    Session.objects.update_or_create(
        key=request.session.session_key,
        defaults={
            "user": user,
            "seen_at": now,
            "address": client_address(request)[:45],
            "browser": plain_text(request.META.get("HTTP_USER_AGENT", ""), 300),
        },
    )
