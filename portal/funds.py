"""Funds: the balance, and every movement that made it, from the ledger; on a page, and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger.amounts import MONEY_PLACES
from ledger.balances import StatementLine, statement, statement_lines
from portal.csv_stream import Cell, csv_response
from portal.customers import CustomerRequest, customer_page
from portal.money import places_for
from portal.paging import asked_id
from portal.templatetags.panel import kind_of_movement


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
        "how_to_deposit": settings.DEPOSIT_INSTRUCTIONS,
    }
    return render(request, "portal/funds.html", context)


@require_safe
@customer_page
def export(request: CustomerRequest) -> StreamingHttpResponse:
    """Every movement, newest first."""
    currency = {"currency": settings.PANEL_CURRENCY}
    head = [
        _("ID"), _("When"), _("What"), _("Order"), _("Note"), _("Amount, %(currency)s") % currency,
        _("Balance after, %(currency)s") % currency,
    ]  # fmt: skip
    return csv_response("statement", head, _cells(statement_lines(request.customer.wallet)))


def _cells(lines: Iterator[StatementLine]) -> Iterator[Sequence[Cell]]:
    for line in lines:
        note = "" if line.order_id else line.note  # what is noted with an order is for the operator
        yield line.id, line.at, kind_of_movement(line), line.order_id, note, line.amount, line.balance_after
