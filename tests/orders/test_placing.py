"""Placing: everything or nothing, at the price that was shown, never at a loss."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from ledger.models import Transfer
from orders.models import Order, State
from orders.placing import Line, Refused, place_orders
from providers.models import Provider
from records.models import AttentionItem
from tests.orders.builders import (
    LINK,
    a_customer,
    a_provider,
    a_route,
    a_service,
    an_order,
    balance,
    books_are_right,
    line,
)

pytestmark = pytest.mark.django_db


def messages(refused: Refused) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.field, problem.code) for problem in refused.problems]


def test_a_placed_order_is_paid_and_waits() -> None:
    alice, provider = a_customer("100"), a_provider()
    order = an_order(alice, a_service(provider), 1500)
    assert order.charge == Decimal("1.6875")
    assert balance(alice) == Decimal("98.3125")
    assert (order.state, order.status, order.provider) == (State.WAITING, "Pending", provider)
    assert Transfer.objects.get(reference=f"order:{order.pk}:charge").amount == order.charge
    books_are_right()


def test_an_order_keeps_what_was_sold_when_the_service_changes() -> None:
    alice, service = a_customer(), a_service(a_provider())
    order = an_order(alice, service)
    service.name, service.rate, service.refill_days = "Other", Decimal(9), 7
    service.save()
    order.refresh_from_db()
    assert (order.service_name, order.rate, order.refill_days) == ("Followers 1", Decimal("1.125"), 30)


def test_many_lines_are_one_charge_and_a_few_statements(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    alice, service = a_customer("1000"), a_service(a_provider())
    most = 16 if connection.vendor == "postgresql" else 40  # SQLite takes few parameters a statement
    with django_assert_max_num_queries(most):
        orders = place_orders(customer=alice, lines=[line(service, 100, f"{LINK}/{n}") for n in range(500)])
    assert len({order.pk for order in orders}) == 500
    assert balance(alice) == 1000 - 500 * Decimal("0.1125")
    books_are_right()


def test_one_bad_line_and_nothing_is_placed() -> None:
    alice, service = a_customer(), a_service(a_provider())
    with pytest.raises(Refused) as refused:
        place_orders(customer=alice, lines=[line(service), line(service, 5), line(service, 1000, "no link at all")])
    assert messages(refused.value) == [(1, "quantity", "too_small"), (2, "link", "bad_link")]
    assert Order.objects.count() == 0
    assert balance(alice) == 100


def test_too_little_money_says_how_much_is_missing() -> None:
    alice, service = a_customer("1"), a_service(a_provider())
    with pytest.raises(Refused, match="0.125 USD short") as refused:
        place_orders(customer=alice, lines=[line(service)])
    assert messages(refused.value) == [(0, "", "funds")]
    assert balance(alice) == 1
    assert Order.objects.count() == 0


def test_money_for_one_of_two_lines_places_neither() -> None:
    alice, service = a_customer("2"), a_service(a_provider())
    with pytest.raises(Refused):
        place_orders(customer=alice, lines=[line(service), line(service)])
    assert balance(alice) == 2


@pytest.mark.parametrize("change", [{"visible": False}, {"off_sale_reason": "gone"}, {"type": "live stream"}])
def test_what_is_not_on_sale_is_refused(change: dict[str, object]) -> None:
    alice, service = a_customer(), a_service(a_provider())
    type(service).objects.filter(pk=service.pk).update(**change)
    with pytest.raises(Refused) as refused:
        place_orders(customer=alice, lines=[line(service)])
    assert messages(refused.value) == [(0, "service", "service")]


def test_a_service_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refused, match="does not exist"):
        place_orders(customer=a_customer(), lines=[Line(service_id=999, fields={})])


def test_a_sale_below_cost_is_refused_and_the_operator_told() -> None:
    alice, service = a_customer(), a_service(a_provider(), rate="0.899999")
    with pytest.raises(Refused, match="cannot be ordered at the moment"):
        place_orders(customer=alice, lines=[line(service)])
    assert AttentionItem.objects.get().cause == "below_cost"
    assert balance(alice) == 100


def test_a_sale_at_cost_is_allowed() -> None:
    assert an_order(a_customer(), a_service(a_provider(), rate="0.90")).charge == Decimal("0.9")


def test_the_cost_is_compared_in_the_panels_currency() -> None:
    alice, provider = a_customer(), a_provider(currency="RUB")
    provider.exchange_rates.create(rate=Decimal("0.0108"))
    assert an_order(alice, a_service(provider, rate="0.00972")).charge == Decimal("0.00972")
    type(provider.exchange_rates.get()).objects.update(rate=Decimal("0.0109"))
    with pytest.raises(Refused):
        place_orders(customer=alice, lines=[line(a_service(provider, "2", rate="0.00972"))])


def test_without_an_exchange_rate_nothing_is_sold() -> None:
    with pytest.raises(Refused, match="cannot be ordered at the moment"):
        place_orders(customer=a_customer(), lines=[line(a_service(a_provider(currency="EUR")))])


def test_the_second_route_is_taken_where_the_first_would_lose() -> None:
    dear, cheap = a_provider(name="Dear"), a_provider(name="Cheap")
    service = a_service(dear, rate="1")
    service.routes.get().provider_service.__class__.objects.update(rate=Decimal(2))
    a_route(service, cheap, "77", position=1, rate="0.5")
    assert an_order(a_customer(), service).provider == cheap


def test_a_route_that_breaks_a_promise_is_passed_over() -> None:
    first, second = a_provider(name="First"), a_provider(name="Second")
    service = a_service(first)
    service.routes.get().provider_service.__class__.objects.update(refill=False)
    a_route(service, second, "77", position=1)
    assert an_order(a_customer(), service).provider == second


def test_an_inactive_provider_sells_nothing() -> None:
    provider = a_provider()
    service = a_service(provider)
    Provider.objects.update(active=False)
    with pytest.raises(Refused, match="cannot be ordered at the moment"):
        place_orders(customer=a_customer(), lines=[line(service)])


def test_a_service_without_routes_is_fulfilled_by_hand() -> None:
    order = an_order(a_customer(), a_service(None))
    assert (order.state, order.provider, order.status) == (State.BY_HAND, None, "Pending")


def test_a_price_above_the_one_shown_is_refused() -> None:
    alice, service = a_customer(), a_service(a_provider())
    with pytest.raises(Refused, match="price has changed"):
        place_orders(
            customer=alice,
            lines=[Line(service_id=service.pk, fields={"link": LINK, "quantity": 1000}, expected=Decimal("1.124999"))],
        )
    assert balance(alice) == 100


def test_the_same_token_places_once() -> None:
    alice, service = a_customer(), a_service(a_provider())
    first = place_orders(customer=alice, lines=[line(service)], once="form-1")
    again = place_orders(customer=alice, lines=[line(service)], once="form-1")
    assert [order.pk for order in first] == [order.pk for order in again]
    assert balance(alice) == Decimal("98.875")


def test_a_refused_placing_does_not_use_the_token_up() -> None:
    alice, service = a_customer("1"), a_service(a_provider())
    with pytest.raises(Refused):
        place_orders(customer=alice, lines=[line(service)], once="form-1")
    assert len(place_orders(customer=alice, lines=[line(service, 100)], once="form-1")) == 1


def test_a_token_is_its_customers_own() -> None:
    alice, bob = a_customer(), a_customer(email="bob@example.com")
    service = a_service(a_provider())
    mine = place_orders(customer=alice, lines=[line(service)], once="form-1")
    his = place_orders(customer=bob, lines=[line(service)], once="form-1")
    assert mine[0].pk != his[0].pk


def test_too_many_lines_are_refused(settings: object) -> None:
    settings.ORDER_MAX_LINES = 2  # type: ignore[attr-defined]
    service = a_service(a_provider())
    with pytest.raises(Refused, match="At most 2"):
        place_orders(customer=a_customer(), lines=[line(service)] * 3)
