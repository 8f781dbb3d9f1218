"""Switching two-factor sign-in on and off, and its recovery codes. The password is asked for each of them.

The secret of a factor that is being set up is signed into the form: nothing is stored until a code of it was typed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import qrcode
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import second_factor
from accounts.guessing import count_wrong_code, must_wait
from portal.account import METHODS, SECTION, UNPROCESSABLE, end_others
from portal.persons import PersonRequest, person_page
from portal.sign_in import locked_out
from records.audit import actor_of

SALT = "portal.two_factor"
SETUP_SECONDS = 3600  # from the QR code to its first code


@sensitive_post_parameters("present", "code", "secret")
@require_http_methods(METHODS)
@person_page
def two_factor(request: PersonRequest) -> HttpResponse:
    """The set-up while it is off; while it is on, what can be done with it."""
    on = second_factor.is_on(request.person)
    if request.method != "POST":
        return _manage(request) if on else _set_up(request)
    if must_wait(request, request.person.email):
        return locked_out(request)
    if not request.person.check_password(request.POST.get("present", "")):
        count_wrong_code(request, request.person)
        wrong = _("This is not your password. Nothing was changed.")
        return (_manage if on else partial(_set_up, secret=_secret(request)))(request, present_error=wrong)
    return _change(request) if on else _switch_on(request)


def _switch_on(request: PersonRequest) -> HttpResponse:
    secret = _secret(request)
    if secret is None:
        return _set_up(request, error=_("This code was shown too long ago. Scan the new one."))
    codes = second_factor.switch_on(user=request.person, secret=secret, code=request.POST.get("code", ""))
    if codes is None:
        wrong = _("This code does not fit. Check the clock of your phone and type the code shown now.")
        return _set_up(request, secret=secret, error=wrong)
    if request.person.is_staff:
        end_others(request)  # where somebody else waited signed in, for a factor that is not his
    return _codes(request, codes, fresh=True)


def _change(request: PersonRequest) -> HttpResponse:
    do = request.POST.get("do", "")
    if do == "codes":
        return _codes(request, second_factor.new_codes(request.person), fresh=False)
    if do == "off":
        second_factor.switch_off(user=request.person, actor=actor_of(request.person))
        messages.success(request, _("Two-factor sign-in is off."))
    return redirect("portal:account")


def _set_up(request: PersonRequest, *, secret: str | None = None, **errors: str) -> HttpResponse:
    secret = secret or second_factor.new_secret()
    context: dict[str, Any] = {
        "qr": qr_path(second_factor.app_address(request.person, secret)),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "signed": signing.dumps([request.person.pk, secret], salt=SALT),
        "must": _must(request),
        **errors,
    }
    return _shown(request, "two_factor_on", context)


def _manage(request: PersonRequest, **errors: str) -> HttpResponse:
    left = second_factor.codes_left(request.person)
    return _shown(request, "two_factor", {"left": left, "must": _must(request), **errors})


def _codes(request: PersonRequest, codes: list[str], *, fresh: bool) -> HttpResponse:
    """Shown in the answer to the form, and kept in no session and no address."""
    then = "admin:index" if fresh and _must(request) else "portal:account"
    return _shown(request, "recovery_codes", {"codes": codes, "fresh": fresh, "then": reverse(then)})


def _must(request: PersonRequest) -> bool:
    """Whether the operator's side is closed to this person without it."""
    return request.person.is_staff and settings.STAFF_TWO_FACTOR


def _shown(request: PersonRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    wrong = "error" in context or "present_error" in context
    context = {**context, "frame": request.frame, "person": request.person, "section": SECTION}
    return render(request, f"portal/account/{name}.html", context, status=UNPROCESSABLE if wrong else 200)


def _secret(request: PersonRequest) -> str | None:
    """What this person's form was made with; another's, or one that is too old, counts for nothing."""
    try:
        whose, secret = signing.loads(request.POST.get("secret", ""), salt=SALT, max_age=SETUP_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return str(secret) if whose == request.person.pk else None


def qr_path(text: str) -> dict[str, Any]:
    """A QR code as the outline of an SVG, one square a module, and its size; quiet zone of four included."""
    code = qrcode.QRCode(border=4)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return {"path": path, "size": len(rows)}
