"""Signing in by e-mail and password, by a code where the account has a second factor, and out again.

This is the only door: the admin's own sign-in leads here, so that nobody's second factor can be walked around.
Between the password and the code the session says who it is about and nothing else; it is nobody's yet.
"""

from __future__ import annotations

import time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import second_factor
from accounts.guessing import count_wrong_code, know, must_wait
from accounts.models import User
from portal.customers import CustomerRequest, customer_page
from portal.returning import ours

TOO_MANY = 429
STEP = "second_step"  # in the session: whose password was right, when, and where to go then


class SignInForm(AuthenticationForm):
    """Django's own, with an e-mail address for a name and one sentence for every way of being wrong."""

    username = forms.CharField(max_length=254)
    error_messages = {  # noqa: RUF012 - as the base class has it
        "invalid_login": gettext_lazy("This e-mail and password do not belong together. Check both and try again."),
        "inactive": gettext_lazy("This account is closed. Ask the operator."),
    }


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and on success the page the visitor came for, or first the code."""
    target = _target(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(target)
    if request.method == "POST" and must_wait(request, request.POST.get("username", "")):
        return locked_out(request)
    form = SignInForm(request, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        user = form.get_user()
        assert isinstance(user, User)
        if second_factor.is_on(user):
            backend = str(user.backend)
            mark = user.get_session_auth_hash()
            request.session[STEP] = {"user": user.pk, "at": time.time(), "to": target, "by": backend, "mark": mark}
            return redirect("portal:second_step")
        return _signed_in(request, user, target)
    asked = request.POST.get("next", request.GET.get("next", ""))
    context = {"form": form, "next": asked, "sign_up": settings.SIGN_UP}
    return render(request, "portal/sign_in.html", context)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """The code of the app, or a recovery code; the password is asked again when this took too long."""
    if request.user.is_authenticated:
        return redirect("portal:home")
    step = request.session.get(STEP)
    user = _whose(step)
    if step is None or user is None:
        request.session.pop(STEP, None)
        return redirect("portal:sign_in")
    if request.method != "POST":
        return render(request, "portal/second_step.html")
    if must_wait(request, user.email):
        return locked_out(request)
    if not second_factor.fits(user, request.POST.get("code", "")):
        count_wrong_code(request, user)
        error = _("This code does not fit. Wait for your app's next one, or use a recovery code that was not used.")
        return render(request, "portal/second_step.html", {"error": error}, status=422)
    del request.session[STEP]
    return _signed_in(request, user, step["to"], backend=step["by"])


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("portal:sign_in")


@require_safe
@customer_page
def home(request: CustomerRequest) -> HttpResponse:
    """The first page is the one most come for."""
    return redirect("portal:new_order")


@never_cache
def operators_door(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    """The admin's sign-in, which is ours: who is signed in and has no business there is told so."""
    if request.user.is_authenticated:
        target = _target(request)
        if request.user.is_active and request.user.is_staff:
            return HttpResponseRedirect(reverse("admin:index") if target == reverse("portal:home") else target)
        return render(request, "portal/errors/forbidden.html", status=403)
    back = request.GET.get("next", "") or reverse("admin:index")
    return HttpResponseRedirect(redirect_to_login(back, reverse("portal:sign_in")).url)


def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """What somebody sees after too many wrong passwords; django-axes calls it too (AXES_LOCKOUT_CALLABLE)."""
    return render(request, "portal/locked_out.html", status=TOO_MANY)


def _whose(step: Any) -> User | None:
    """Whose password was right a moment ago: None when that is too long ago, or another was chosen since."""
    if not isinstance(step, dict) or time.time() - step["at"] > settings.SECOND_STEP_SECONDS:
        return None
    user = User.objects.filter(pk=step["user"], is_active=True).first()
    return user if user is not None and user.get_session_auth_hash() == step["mark"] else None


def _signed_in(request: HttpRequest, user: User, target: str, *, backend: str | None = None) -> HttpResponse:
    login(request, user, backend=backend)
    response = HttpResponseRedirect(target)
    know(request, response, user)
    return response


def _target(request: HttpRequest) -> str:
    """Where `?next` leads, if that is one of our own pages."""
    return ours(request, request.POST.get("next", request.GET.get("next", "")))
