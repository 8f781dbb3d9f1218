"""Funds: the balance, and every movement that made it, from the ledger."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ledger.amounts import MONEY_PLACES
from ledger.balances import statement
from portal.customers import CustomerRequest, customer_page
from portal.money import places_for
from portal.paging import asked_id


@require_safe
@customer_page
def funds(request: CustomerRequest) -> HttpResponse:
    """A page of the statement, newest first; `?before=` asks for what came earlier."""
    size, before = settings.PORTAL_STATEMENT_PAGE, asked_id(request.GET, "before")
    found = statement(request.customer.wallet, before_id=before, limit=size + 1)
    lines = found[:size]
    context = {
        "lines": lines,
        "places": places_for((line.amount for line in lines), most=MONEY_PLACES),
        "balance_places": places_for((line.balance_after for line in lines), most=MONEY_PLACES),
        "older": f"before={lines[-1].id}" if len(found) > size else "",
        "earlier_page": before is not None,
    }
    return render(request, "portal/funds.html", context)
