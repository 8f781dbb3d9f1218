"""The loader of pages about an account: customers have one, and so have staff who buy nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from accounts.models import Customer, User
from portal.customers import customer_of, to_sign_in

P = ParamSpec("P")


class PersonRequest(HttpRequest):
    """A request whose user is known, and the customer if the user is one."""

    person: User
    customer: Customer | None
    frame: str


def person_page(
    view: Callable[Concatenate[PersonRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Gives the view its user, in the customer's frame or the plain one of staff."""

    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            return to_sign_in(request)
        customer = customer_of(user)
        request.person = user  # type: ignore[attr-defined]
        request.customer = customer  # type: ignore[attr-defined]
        request.frame = "frame.html" if customer else "portal/account/desk.html"  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return never_cache(page)
