"""The account's page: who one is, how one gets in, where one is signed in, and what one is written to about."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import second_factor
from accounts.guessing import count_wrong_code, must_wait
from accounts.letters import CHOICES
from accounts.models import Customer
from accounts.people import PersonRefused
from accounts.preferences import PreferenceRefused, set_letters, set_profile, time_zones
from accounts.security import ask_to_move, change_password, move, sign_out_elsewhere
from accounts.sessions import end, follow, sessions_of
from accounts.tokens import read_move_token
from ledger.amounts import plain
from portal.devices import device
from portal.persons import PersonRequest, person_page
from portal.sign_in import locked_out
from records.plain import plain_text

METHODS = ["GET", "HEAD", "POST"]
UNPROCESSABLE = 422
SECTION = "portal:account"


@require_safe
@person_page
def account(request: PersonRequest) -> HttpResponse:
    return _page(request)


@require_http_methods(METHODS)
@person_page
def profile(request: PersonRequest) -> HttpResponse:
    """Name, time zone, language; a visit (a session that ended in between) leads to the page."""
    if request.method != "POST":
        return redirect("portal:account")
    typed = request.POST
    values = {
        "name": plain_text(typed.get("name", ""), 150),
        "time_zone": typed.get("time_zone", ""),
        "language": typed.get("language", ""),
    }
    try:
        set_profile(user=request.person, **values)
    except PreferenceRefused as refused:
        return _page(request, errors={refused.field: str(refused)})
    messages.success(request, _("Saved."))
    response = redirect("portal:account")
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)  # what the account says goes before what a browser was told
    return response


@require_http_methods(METHODS)
@person_page
def notices(request: PersonRequest) -> HttpResponse:
    """Which letters a customer gets."""
    if request.method != "POST" or request.customer is None:
        return redirect("portal:account")
    typed = request.POST.get("low_balance", "").strip().replace(",", ".")
    wanted = request.POST.getlist("letters")
    try:
        amount = _amount(typed)
        set_letters(customer=request.customer, wanted=wanted, low_balance=amount)
    except PreferenceRefused as refused:
        return _page(request, errors={refused.field: str(refused)}, low_balance=typed, wanted=wanted)
    messages.success(request, _("Saved."))
    return redirect("portal:account")


@sensitive_post_parameters("present", "password")
@require_http_methods(METHODS)
@person_page
def password(request: PersonRequest) -> HttpResponse:
    """Another password, for whoever knows the present one; other devices are signed out."""
    context: dict[str, Any] = {}
    if request.method != "POST":
        return _form(request, "password", context)
    waits = _present_is_wrong(request, context)
    if waits is not None or context:
        return waits or _form(request, "password", context)
    try:
        change_password(user=request.person, password=request.POST.get("password", ""))
    except PersonRefused as refused:
        return _form(request, "password", {"error": str(refused)})
    update_session_auth_hash(request, request.person)
    follow(request, request.person)
    messages.success(request, _("Your password is changed. Every other device is signed out."))
    return redirect("portal:account")


@sensitive_post_parameters("present")
@require_http_methods(METHODS)
@person_page
def address(request: PersonRequest) -> HttpResponse:
    """Another e-mail address: a link goes there, and word to the present one."""
    context: dict[str, Any] = {}
    if request.method != "POST":
        return _form(request, "address", context)
    waits = _present_is_wrong(request, context)
    context["typed"] = request.POST.get("email", "")[:254]
    if waits is not None or "present_error" in context:
        return waits or _form(request, "address", context)
    try:
        new = ask_to_move(user=request.person, email=request.POST.get("email", ""))
    except PersonRefused as refused:
        return _form(request, "address", {**context, "error": str(refused)})
    told = _("If %(email)s can be used, an e-mail is on its way there. The address changes when its link is followed.")
    messages.success(request, told % {"email": new})
    return redirect("portal:account")


@require_http_methods(METHODS)
def confirm_address(request: Any, token: str) -> HttpResponse:
    """Where the new address's link leads. It works in any browser: whoever reads the letters has the address."""
    found = read_move_token(token)
    if found is None:
        return render(request, "portal/account/link_spent.html", status=410)
    if request.method != "POST":
        return render(request, "portal/account/confirm_address.html", {"found": found})
    if not move(found):
        return render(request, "portal/account/link_spent.html", status=410)
    messages.success(request, _("Your e-mail address is %(email)s now.") % {"email": found.new})
    return redirect("portal:account")


@require_POST
@person_page
def sign_out_others(request: PersonRequest) -> HttpResponse:
    end_others(request)
    messages.success(request, _("Every other device is signed out."))
    return redirect("portal:account")


def end_others(request: PersonRequest) -> None:
    """Sign out every device but this one."""
    sign_out_elsewhere(user=request.person, but=request.session.session_key or "")
    update_session_auth_hash(request, request.person)
    request.person.sessions.all().delete()
    follow(request, request.person)


@require_http_methods(METHODS)
@person_page
def end_session(request: PersonRequest, session_id: int) -> HttpResponse:
    """Sign one device out."""
    if session_id >= 2**63:
        raise Http404
    session = get_object_or_404(request.person.sessions, pk=session_id)
    if request.method == "POST" and session.key != request.session.session_key:
        end(session)
        messages.success(request, _("That device is signed out."))
    return redirect("portal:account")


def _page(request: PersonRequest, *, errors: dict[str, str] | None = None, **typed: Any) -> HttpResponse:
    person, customer = request.person, request.customer
    key = request.session.session_key
    rows = [
        {"row": row, "device": device(row.browser), "this": row.key == key}
        for row in sessions_of(person)[: settings.PORTAL_SESSIONS_SHOWN]
    ]
    unwanted = customer.unwanted_letters if customer else []
    shown = typed.get("wanted", [kind for kind in CHOICES if kind not in unwanted])
    context: dict[str, Any] = {
        "frame": request.frame,
        "person": person,
        "zones": time_zones(),
        "languages": settings.LANGUAGES,
        "panel_zone": settings.TIME_ZONE,
        "sessions": sorted(rows, key=lambda row: not row["this"]),
        "factor": second_factor.is_on(person),
        "letters": [(kind, words, kind in shown) for kind, words in CHOICES.items()],
        "low_balance": typed.get("low_balance", _shown(customer)),
        "errors": errors or {},
    }
    return render(request, "portal/account/account.html", context, status=UNPROCESSABLE if errors else 200)


def _form(request: PersonRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    wrong = "error" in context or "present_error" in context
    context = {**context, "frame": request.frame, "person": request.person, "section": SECTION}
    return render(request, f"portal/account/{name}.html", context, status=UNPROCESSABLE if wrong else 200)


def _present_is_wrong(request: PersonRequest, context: dict[str, Any]) -> HttpResponse | None:
    """Puts a sentence into the context for a wrong present password; a page when there were too many of them."""
    if must_wait(request, request.person.email):
        return locked_out(request)
    if not request.person.check_password(request.POST.get("present", "")):
        count_wrong_code(request, request.person)
        context["present_error"] = _("This is not your present password. Nothing was changed.")
    return None


def _shown(customer: Customer | None) -> str:
    return plain(customer.low_balance) if customer is not None and customer.low_balance else ""


def _amount(typed: str) -> Decimal | None:
    if not typed:
        return None
    try:
        amount = Decimal(typed) if len(typed) <= 30 else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise PreferenceRefused("low_balance", _("Enter an amount such as 10.00. Nothing was changed."))
    return amount
