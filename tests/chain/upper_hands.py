"""The upper panel's worker and its books, as a process that does what it is told: a line of JSON in, a line out.

Its web server is another process (`tests.chain.upper`), as in production; the two share the database.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from accounts.keys import issue_key  # noqa: E402
from accounts.models import Customer  # noqa: E402
from catalog.fetching import fetch_listings  # noqa: E402
from catalog.importing import apply_import, plan_import  # noqa: E402
from catalog.models import ProviderService, Service  # noqa: E402
from ledger.balances import balance_of  # noqa: E402
from ledger.verification import verify  # noqa: E402
from orders.models import Order, RefillRequest  # noqa: E402
from providers.models import Provider  # noqa: E402
from providers.registering import add_provider  # noqa: E402
from records.audit import SYSTEM  # noqa: E402
from records.models import AttentionItem  # noqa: E402
from tests.chain.jobs import run_all  # noqa: E402
from tests.orders.builders import a_customer  # noqa: E402
from torture.clock import let_pass  # noqa: E402

FUNDS = "1000"
MARKUP = Decimal(25)


def fill(url: str, key: str, runs_itself: list[str]) -> dict[str, Any]:
    """A panel that sells all that its provider lists; the drip-feeds of `runs_itself` it divides by itself."""
    call_command("migrate", verbosity=0, interactive=False)
    provider = add_provider(name="Sandbox", url=url, key=key, currency="USD", exchange_rate=Decimal(1), actor=SYSTEM)
    Provider.objects.filter(pk=provider.pk).update(requests_per_minute=100_000)
    plan = plan_import(provider, fetch_listings(provider), markup=MARKUP)
    apply_import(plan, markup=MARKUP, publish=True, actor=SYSTEM)
    ProviderService.objects.filter(external_id__in=runs_itself).update(dripfeed=False)
    Service.objects.filter(routes__provider_service__external_id__in=runs_itself).update(dripfeed=True)
    _, secret = issue_key(a_customer(FUNDS, "below@example.com"), "The panel below")
    sold = Service.objects.values_list("routes__provider_service__external_id", "pk")
    return {"key": secret, "sold": dict(sold)}


def work() -> None:
    run_all()


def rest(seconds: float) -> None:
    let_pass(seconds)


def books() -> dict[str, Any]:
    """All that the two sides can be compared by; amounts as text."""
    customer, provider = Customer.objects.select_related("wallet").get(), Provider.objects.get()
    return {
        "differences": list(verify().differences),
        "wallet": str(balance_of(customer.wallet)),
        "provider": str(balance_of(provider.account)),
        "attention": list(AttentionItem.objects.filter(closed_at__isnull=True).values_list("cause", flat=True)),
        "orders": {
            str(order.pk): {
                "link": order.link,
                "state": order.state,
                "status": order.status,
                "paid": str(order.charge - order.refunded),
                "remains": order.remains,
                "start_count": order.start_count,
                "parts": order.parts_done,
            }
            for order in Order.objects.filter(parent__isnull=True).order_by("pk")
        },
        "refills": {
            str(refill.pk): [str(refill.order_id), refill.status] for refill in RefillRequest.objects.order_by("pk")
        },
    }


COMMANDS: dict[str, Callable[..., Any]] = {"fill": fill, "work": work, "rest": rest, "books": books}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        answer = COMMANDS[asked.pop("do")](**asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
