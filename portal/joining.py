"""Signing up: an address, then the link that was sent there, then a password.

The password is chosen by whoever reads the address's letters. Were it asked for before, a stranger could make an
account in somebody's name, wait for the link to be followed, and know the password. Until then nothing is stored but
that a letter is to be sent; and the form says the same whether the address has an account or not: its owner learns it
from the letter.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import letters
from accounts.guessing import know
from accounts.models import User
from accounts.pace import within
from accounts.people import PersonRefused, check_email, normal_email
from accounts.security import join
from accounts.tokens import read_join_token
from accounts.visitors import client_address
from records.plain import plain_text

METHODS = ["GET", "HEAD", "POST"]
UNPROCESSABLE = 422
TOO_MANY = 429
NAME_LENGTH = 150
BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_http_methods(METHODS)
def sign_up(request: HttpRequest) -> HttpResponse:
    """Asks for an address and sends a letter there."""
    if request.user.is_authenticated:
        return redirect("portal:home")
    if not settings.SIGN_UP:
        return render(request, "portal/account/sign_up_closed.html")
    return ask_for_letter(request, letters.SIGN_UP, "portal/account/sign_up.html")


def ask_for_letter(request: HttpRequest, kind: str, template: str) -> HttpResponse:
    """A form of one address: the answer to it is the same for every address."""
    typed = normal_email(request.POST.get("email", request.GET.get("email", "")))
    if request.method != "POST":
        return render(request, template, {"typed": typed[:254]})
    if not within("letters", client_address(request), most=settings.LETTER_FORMS_PER_HOUR):
        return render(request, "portal/account/too_many_letters.html", status=TOO_MANY)
    try:
        check_email(typed)
    except PersonRefused as refused:
        return render(request, template, {"typed": typed, "error": str(refused)}, status=UNPROCESSABLE)
    letters.write_when_asked(kind, address=typed, language=get_language() or "")
    context = {"address": typed, "hours": settings.ACCOUNT_LINK_HOURS, "again": request.resolver_match}
    return render(request, "portal/account/letter_sent.html", context)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(METHODS)
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Where the letter's link leads: a password, and the account is made."""
    if not settings.SIGN_UP:
        raise Http404
    email = read_join_token(token)
    if email is None or User.objects.filter(email=email).exists():
        return render(request, "portal/account/link_spent.html", {"retry": "portal:sign_up"}, status=410)
    context: dict[str, Any] = {"email": email, "terms": settings.TERMS_URL, "name": ""}
    if request.method != "POST":
        return render(request, "portal/account/join.html", context)
    context["name"] = plain_text(request.POST.get("name", ""), NAME_LENGTH)
    if settings.TERMS_URL and not request.POST.get("terms"):
        context["terms_error"] = _("An account needs your agreement to the terms.")
        return render(request, "portal/account/join.html", context, status=UNPROCESSABLE)
    try:
        customer = join(
            email=email,
            password=request.POST.get("password", ""),
            name=context["name"],
            language=get_language() or "",
        )
    except PersonRefused as refused:
        context["error"] = str(refused)
        return render(request, "portal/account/join.html", context, status=UNPROCESSABLE)
    login(request, customer.user, backend=BACKEND)
    messages.success(request, _("Your account is ready."))
    response = redirect("portal:home")
    know(request, response, customer.user)
    return response
