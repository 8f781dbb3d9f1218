"""A customer's orders as a CSV file of any length, with the filters of the list it was asked for from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from orders.models import Order
from portal.csv_stream import Cell, csv_response, in_chunks
from portal.customers import CustomerRequest, customer_page
from portal.order_search import Wanted
from portal.origins import placed_by


@require_safe
@customer_page
def export(request: CustomerRequest) -> StreamingHttpResponse:
    rows = Wanted.of(request.GET).among(request.customer.orders.filter(parent__isnull=True))
    return csv_response("orders", _head(), _lines(in_chunks(rows.select_related("api_key"))))


def _head() -> Sequence[str]:
    currency = settings.PANEL_CURRENCY
    return [
        _("ID"), _("Placed"), _("Service ID"), _("Service"), _("Link"), _("Quantity"), _("Status"), _("Start count"),
        _("Remains"), _("Charge, %(currency)s") % {"currency": currency},
        _("Refunded, %(currency)s") % {"currency": currency}, _("Ended"), _("Placed by"),
    ]  # fmt: skip


def _lines(orders: Iterator[Order]) -> Iterator[Sequence[Cell]]:
    for order in orders:
        yield (
            order.pk, order.created_at, order.service_id, order.service_name, order.link, order.quantity, order.status,
            order.start_count, order.remains, order.charge, order.refunded, order.ended_at, placed_by(order),
        )  # fmt: skip
