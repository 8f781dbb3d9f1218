"""Signing in by e-mail and password, and out again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from portal.customers import CustomerRequest, customer_page

TOO_MANY = 429


class SignInForm(AuthenticationForm):
    """Django's own, with an e-mail address for a name and one sentence for every way of being wrong."""

    username = forms.CharField(max_length=254)
    error_messages = {  # noqa: RUF012 - as the base class has it
        "invalid_login": _("This e-mail and password do not belong together. Check both and try again."),
        "inactive": _("This account is closed. Ask the operator."),
    }


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and on success the page the visitor came for."""
    target = _target(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(target)
    form = SignInForm(request, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return HttpResponseRedirect(target)
    return render(
        request, "portal/sign_in.html", {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("portal:sign_in")


@require_safe
@customer_page
def home(request: CustomerRequest) -> HttpResponse:
    """The first page is the one most come for."""
    return redirect("portal:new_order")


def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """What somebody sees after too many wrong passwords; django-axes calls it (AXES_LOCKOUT_CALLABLE)."""
    return render(request, "portal/locked_out.html", status=TOO_MANY)


def _target(request: HttpRequest) -> str:
    """Where `?next` leads, if that is one of our own pages."""
    page = request.POST.get("next", request.GET.get("next", ""))
    if url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return page
    return reverse("portal:home")
