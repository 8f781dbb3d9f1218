"""A forgotten password: a letter with a link, and there another one. It signs nobody in: a second factor stays."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import letters
from accounts.guessing import forgive, know
from accounts.people import PersonRefused
from accounts.security import change_password
from accounts.tokens import read_reset_token
from portal.joining import METHODS, UNPROCESSABLE, ask_for_letter


@never_cache
@require_http_methods(METHODS)
def reset(request: HttpRequest) -> HttpResponse:
    return ask_for_letter(request, letters.RESET, "portal/account/reset.html")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(METHODS)
def choose_password(request: HttpRequest, token: str) -> HttpResponse:
    """Where the letter's link leads."""
    user = read_reset_token(token)
    if user is None:
        return render(request, "portal/account/link_spent.html", {"retry": "portal:reset"}, status=410)
    context = {"email": user.email}
    if request.method != "POST":
        return render(request, "portal/account/choose_password.html", context)
    try:
        change_password(user=user, password=request.POST.get("password", ""))
    except PersonRefused as refused:
        context["error"] = str(refused)
        return render(request, "portal/account/choose_password.html", context, status=UNPROCESSABLE)
    messages.success(request, _("Your password is changed. Sign in with it."))
    response = redirect("portal:sign_in")
    forgive(user)
    know(request, response, user)
    return response
