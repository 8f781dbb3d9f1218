"""The customer's API: his keys, what a repeated order means, and his scripts' last calls.

A key's text is in the answer to the form that made it and nowhere else: not in a session, not in a redirect.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.calls import last_calls
from accounts.keys import KeyRefused, issue_key, read_addresses, revoke_key, rotate_key
from accounts.models import ApiKey
from accounts.repeats import RepeatRefused, set_repeat_seconds
from portal.customers import CustomerRequest, customer_page
from portal.days import midnight
from records.audit import actor_of
from records.plain import plain_text

SECTION = "portal:api"
NAME_LENGTH = 60
UNPROCESSABLE = 422


class ExpiryRefused(Exception):
    """The day is none, or over; the message says so."""


@require_safe
@customer_page
def api(request: CustomerRequest) -> HttpResponse:
    return _page(request)


@require_POST
@customer_page
def create(request: CustomerRequest) -> HttpResponse:
    """Makes a key and shows it; what cannot be read comes back with what was typed."""
    typed = request.POST
    try:
        key, text = issue_key(
            request.customer,
            plain_text(typed.get("name", ""), NAME_LENGTH),
            expires_at=_end_of(typed.get("expires", "")),
            addresses=read_addresses(typed.get("addresses", "")),
        )
    except (KeyRefused, ExpiryRefused) as refused:
        return _page(request, typed=typed, problem=str(refused))
    return render(request, "portal/api_key.html", {"key": key, "text": text, "section": SECTION})


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def rotate(request: CustomerRequest, key_id: int) -> HttpResponse:
    """A key to follow this one, which opens for some hours more."""
    old = _owned(request, key_id)
    hours = _choice(request.POST)
    context = {"key": old, "section": SECTION, "overlaps": _overlaps()}
    if request.method != "POST" or hours is None:
        return render(request, "portal/api_key_rotate.html", context)
    try:
        fresh, text = rotate_key(old, actor=actor_of(request.customer.user), overlap=timedelta(hours=hours))
    except KeyRefused as refused:
        messages.error(request, str(refused))
        return redirect("portal:api")
    old.refresh_from_db()
    return render(request, "portal/api_key.html", {"key": fresh, "text": text, "old": old, "section": SECTION})


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def revoke(request: CustomerRequest, key_id: int) -> HttpResponse:
    """A page that names the key and says what will stop, then the end of it."""
    key = _owned(request, key_id)
    if request.method != "POST":
        return render(request, "portal/api_key_revoke.html", {"key": key, "section": SECTION})
    revoke_key(key, actor=actor_of(request.customer.user))
    messages.success(request, _("The key %(key)s opens nothing any more.") % {"key": _named(key)})
    return redirect("portal:api")


@require_POST
@customer_page
def repeats(request: CustomerRequest) -> HttpResponse:
    text = request.POST.get("seconds", "").strip() or "0"
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
    try:
        set_repeat_seconds(customer=request.customer, seconds=seconds, actor=actor_of(request.customer.user))
    except RepeatRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _repeats_in_words(seconds))
    return redirect("portal:api")


def _page(request: CustomerRequest, *, typed: QueryDict | None = None, problem: str = "") -> HttpResponse:
    keys = list(_of(request).order_by("-pk")[: 2 * settings.API_KEYS_PER_CUSTOMER])
    now = timezone.now()
    context: dict[str, Any] = {
        "keys": [key for key in keys if key.expires_at is None or key.expires_at > now],
        "typed": typed or {},
        "problem": problem,
        "today": timezone.localdate(now).isoformat(),
        "most_seconds": settings.API_REPEAT_MOST_SECONDS,
        "calls": last_calls(request.customer)[: settings.PORTAL_CALLS_SHOWN],
        "address": f"{settings.PUBLIC_URL}/api/v2",
    }
    return render(request, "portal/api.html", context, status=UNPROCESSABLE if problem else 200)


def _of(request: CustomerRequest) -> QuerySet[ApiKey]:
    """This customer's keys that were not revoked."""
    return request.customer.api_keys.filter(revoked_at__isnull=True)


def _owned(request: CustomerRequest, key_id: int) -> ApiKey:
    """This customer's key that still opens, or 404: another's key does not exist for him."""
    if key_id >= 2**63:
        raise Http404
    opens = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return get_object_or_404(_of(request).select_related("customer__user").filter(opens), pk=key_id)


def _end_of(text: str) -> datetime | None:
    """The end of the day that was chosen, in the customer's own time; None for none. Raises ExpiryRefused."""
    if not text.strip():
        return None
    try:
        end = midnight(date.fromisoformat(text.strip()) + timedelta(days=1))
    except (ValueError, OverflowError) as error:
        raise ExpiryRefused(_("The day of expiry cannot be read. No key was made.")) from error
    if end <= timezone.now():
        raise ExpiryRefused(_("The day of expiry is over. No key was made."))
    return end


def _overlaps() -> list[tuple[int, str]]:
    return [(hours, _hours_in_words(hours)) for hours in settings.API_KEY_OVERLAPS_HOURS]


def _hours_in_words(hours: int) -> str:
    if hours == 0:
        return _("Not at all: it stops at once")
    if hours % 24:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return ngettext("%(count)d day", "%(count)d days", hours // 24) % {"count": hours // 24}


def _choice(posted: QueryDict) -> int | None:
    text = posted.get("hours", "")
    return next((hours for hours in settings.API_KEY_OVERLAPS_HOURS if str(hours) == text), None)


def _repeats_in_words(seconds: int) -> str:
    if not seconds:
        return _("From now on each API order is an order of its own, identical or not.")
    words = ngettext(
        "An identical API order within %(seconds)s second is now answered with the first.",
        "An identical API order within %(seconds)s seconds is now answered with the first.",
        seconds,
    )
    return words % {"seconds": seconds}


def _named(key: ApiKey) -> str:
    return f"{key.prefix}… ({key.name})"
