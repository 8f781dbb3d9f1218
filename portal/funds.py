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
from portal.statement_search import KINDS, Asked
from portal.templatetags.panel import kind_of_movement


@require_safe
@customer_page
def funds(request: CustomerRequest) -> HttpResponse:
    """A page of the statement, newest first; `?before=` asks for what came earlier, the rest narrows it."""
    size, before, asked = settings.PORTAL_STATEMENT_PAGE, asked_id(request.GET, "before"), Asked.of(request.GET)
    found = statement(request.customer.wallet, before_id=before, limit=size + 1, narrowed=asked.narrowed())
    lines = found[:size]
    context = {
        "asked": asked,
        "kinds": [(name, word) for name, (word, _kinds) in KINDS.items()],
        "lines": lines,
        "places": places_for((line.amount for line in lines), most=MONEY_PLACES),
        "balance_places": places_for(
            (line.balance_after for line in lines if line.balance_after is not None), most=MONEY_PLACES
        ),
        "older": f"{asked.query}&before={lines[-1].id}".removeprefix("&") if len(found) > size else "",
        "earlier_page": before is not None,
        "how_to_deposit": settings.DEPOSIT_INSTRUCTIONS,
    }
    part = request.htmx.target == "statement"
    return render(request, "portal/parts/statement.html" if part else "portal/funds.html", context)


@require_safe
@customer_page
def export(request: CustomerRequest) -> StreamingHttpResponse:
    """Every movement that the page would show, newest first."""
    asked, currency = Asked.of(request.GET), {"currency": settings.PANEL_CURRENCY}
    head = [_("ID"), _("When"), _("What"), _("Order"), _("Note"), _("Amount, %(currency)s") % currency]
    if not asked.kind:
        head.append(_("Balance after, %(currency)s") % currency)
    lines = statement_lines(request.customer.wallet, asked.narrowed())
    return csv_response("statement", head, _cells(lines, with_balance=not asked.kind))


def _cells(lines: Iterator[StatementLine], *, with_balance: bool) -> Iterator[Sequence[Cell]]:
    for line in lines:
        note = "" if line.order_id else line.note  # what is noted with an order is for the operator
        cells: list[Cell] = [line.id, line.at, kind_of_movement(line), line.order_id, note, line.amount]
        yield [*cells, line.balance_after] if with_balance else cells
