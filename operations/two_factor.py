"""No page of the operator's side for staff without a second factor: they are led to where it is set up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts import second_factor
from accounts.models import User

DOORS = {f"/{settings.ADMIN_PATH}login/", f"/{settings.ADMIN_PATH}logout/"}  # in and out, whoever it is


class SecondFactorFirst:
    """Middleware, after the user's. The portal and the API are not looked at; where staff buy, they are customers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        path = request.path_info
        if not settings.STAFF_TWO_FACTOR or not path.startswith(f"/{settings.ADMIN_PATH}") or path in DOORS:
            return None
        user = request.user
        if not isinstance(user, User) or not user.is_staff or second_factor.is_on(user):
            return None  # who is no staff is told so by the admin
        return HttpResponseRedirect(reverse("portal:two_factor"))
