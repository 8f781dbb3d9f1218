"""How an order was placed, in the customer's words: by hand, with a list, or by which of his scripts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from orders.models import Order, Origin


def placed_by(order: Order) -> str:
    """Empty where it was not kept. A key's name costs a query, unless it was read with the order."""
    match order.origin:
        case Origin.PORTAL:
            return _("Order form")
        case Origin.MASS:
            return _("Mass order")
        case Origin.API if order.api_key is not None:
            return _("API key “%(name)s”") % {"name": order.api_key.name}
        case Origin.API:
            return _("API")
    return ""
