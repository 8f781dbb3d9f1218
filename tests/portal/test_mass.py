"""Mass orders: what a line says of itself, that what was shown is what is placed and charged, and once only."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Customer
from catalog.sentences import said
from orders.mass import NotPlaced, good, place_next, preview, start, total
from orders.mass_reading import Unreadable, decode, read_table
from orders.models import MassOrder, Order
from tests.portal.builders import LINK, a_customer, a_service

MASS = "/order/mass/"
State = MassOrder.State


def words(sentences: list[Any]) -> str:
    return " ".join(map(said, sentences))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        table = read_table(decode(data), most=50)
    except Unreadable:
        return
    assert 0 < len(table.rows) <= 50
    assert len({row.number for row in table.rows}) == len(table.rows)


@given(st.text(alphabet='1,;|\t"\n\r xé', max_size=200))
def test_any_mixture_of_separators_is_read_or_refused(text: str) -> None:
    try:
        rows = read_table(text, most=1000).rows
    except Unreadable:
        return
    assert [row.number for row in rows] == sorted({row.number for row in rows})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_encodings(encoding: str) -> None:
    assert "Привет" in decode("1,x,Привет".encode(encoding))


@pytest.mark.django_db
class TestTheList:
    def _entry(self, alice: Customer, text: str) -> dict[str, Any]:
        (entry,) = preview(customer=alice, text=text).lines
        assert isinstance(entry, dict)
        return entry

    @pytest.mark.parametrize("form", ["{0} | {1} | 1000", "{0},{1},1000", "{0};{1};1000", "{0}\t{1}\t1000",
                                      "service,quantity,link\n{0},1000,{1}"])  # fmt: skip
    def test_forms(self, alice: Customer, form: str) -> None:
        entry = self._entry(alice, form.format(a_service().pk, LINK))
        assert (entry["problem"], entry["price"]) == ([], "0.90")

    def test_comments_follow_one_a_column_or_in_a_quoted_cell(self, alice: Customer) -> None:
        service = a_service(type="custom_comments", rate=Decimal(8), min=2, max=100)
        headed = f'service,link,comments\n{service.pk},{LINK},"a\nb"'
        for text in (f"{service.pk} | {LINK} | Nice, really | Wow", headed):
            assert self._entry(alice, text)["price"] == "0.016"

    def test_a_type_that_a_line_cannot_say_is_named(self, alice: Customer) -> None:
        entry = self._entry(alice, f"{a_service(type='subscriptions').pk} | alice | 10")
        assert "cannot be ordered by a line" in words(entry["problem"])

    @pytest.mark.parametrize(("line", "field"), [("x | L | 1000", "service"), ("999999 | L | 1", "service"),
                                                 ("ID | | 1000", "link"), ("ID | L | 3", "quantity")])  # fmt: skip
    def test_a_problem_names_its_field(self, alice: Customer, line: str, field: str) -> None:
        entry = self._entry(alice, line.replace("L", LINK).replace("ID", str(a_service().pk)))
        assert entry["field"] == field
        assert entry["problem"]

    def test_a_hidden_service_says_nothing_of_itself(self, alice: Customer) -> None:
        entry = self._entry(alice, f"{a_service('Secret', visible=False).pk} | {LINK} | 1000")
        assert "Secret" not in str(entry)
        assert entry["problem"]

    def test_an_identical_line_is_said_or_refused_as_the_customer_chose(self, alice: Customer) -> None:
        text = f"{a_service().pk} | {LINK} | 1000\n" * 2
        assert "same as line 1" in words(preview(customer=alice, text=text).lines[1]["note"])
        alice.repeat_seconds = 60
        assert "same as line 1" in words(preview(customer=alice, text=text).lines[1]["problem"])


def _text(lines: int, service: int) -> str:
    return "".join(f"{service} | https://example.com/{n} | 1000\n" for n in range(lines))


def _balance(customer: Customer) -> Decimal:
    customer.wallet.refresh_from_db()
    assert customer.wallet.balance is not None
    return customer.wallet.balance


def _place(mass: MassOrder, *, whole: bool = False) -> MassOrder:
    start(mass=mass, version=mass.version, whole=whole)
    while place_next(mass.pk):
        pass
    mass.refresh_from_db()
    return mass


@pytest.mark.django_db
def test_what_was_shown_is_what_is_charged(alice: Customer) -> None:
    mass = preview(customer=alice, text=_text(3, a_service().pk) + "nonsense | x | y\n")
    done = _place(mass)
    assert (done.state, done.placed, done.charged) == (State.DONE, 3, total(mass))
    assert _balance(alice) == Decimal(100) - total(mass)
    assert sum(order.charge for order in Order.objects.all()) == total(mass)


@pytest.mark.django_db
def test_a_price_that_changed_is_asked_again(alice: Customer) -> None:
    service = a_service()
    mass = preview(customer=alice, text=_text(2, service.pk))
    service.rate = Decimal(1)
    service.save()
    with pytest.raises(NotPlaced, match="Prices"):
        start(mass=mass, version=0, whole=False)
    assert not Order.objects.exists()
    mass.refresh_from_db()
    assert (mass.version, total(mass)) == (1, Decimal(2))
    with pytest.raises(NotPlaced, match="changed since"):
        start(mass=mass, version=0, whole=False)  # the other tab still shows the old price
    assert _place(mass).placed == 2


@pytest.mark.django_db
def test_a_price_that_rises_between_two_chunks_is_not_taken(alice: Customer, settings: Any) -> None:
    settings.MASS_CHUNK_LINES = 1
    service = a_service()
    mass = preview(customer=alice, text=_text(2, service.pk))
    start(mass=mass, version=0, whole=False)
    place_next(mass.pk)
    service.rate = Decimal(1)
    service.save()
    while place_next(mass.pk):
        pass
    mass.refresh_from_db()
    assert (mass.state, mass.placed, mass.charged) == (State.DONE, 1, Decimal("0.90"))
    assert "price has changed" in words(mass.results["2"])


@pytest.mark.django_db
def test_lost_funds_stop_it_and_it_goes_on_later(settings: Any, client: Client) -> None:
    settings.MASS_CHUNK_LINES = 1
    poor = a_customer("poor@example.com", balance="1")
    client.force_login(poor.user, backend="django.contrib.auth.backends.ModelBackend")
    done = _place(preview(customer=poor, text=_text(2, a_service().pk)))
    assert (done.state, done.placed, _balance(poor)) == (State.STOPPED, 1, Decimal("0.10"))
    page = client.get(f"{MASS}{done.pk}/").content.decode()
    assert "Lines left, not charged: 1" in page
    assert "Orders placed: 1, for $0.90" in page


@pytest.mark.django_db
def test_all_or_none(settings: Any) -> None:
    settings.MASS_CHUNK_LINES = 1
    poor = a_customer("poor@example.com", balance="1")
    done = _place(preview(customer=poor, text=_text(2, a_service().pk)), whole=True)
    assert (done.state, done.placed, _balance(poor)) == (State.STOPPED, 0, Decimal(1))


@pytest.mark.django_db
def test_the_flow_and_that_sending_the_form_twice_places_once(as_alice: Client, alice: Customer) -> None:
    looked = as_alice.post(MASS, {"list": _text(2, a_service().pk) + "x | y | z"})
    page = as_alice.get(looked["Location"]).content.decode()
    assert "Order the good lines (2) for $1.80" in page
    assert not Order.objects.exists()
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    for _again in range(3):
        as_alice.post(f"{looked['Location']}place/", {"version": version, "which": "good"})
    orders = list(Order.objects.all())
    assert (len(orders), _balance(alice)) == (2, Decimal("98.20"))
    page = as_alice.get(looked["Location"]).content.decode()
    assert all(f"/orders/{order.pk}/" in page for order in orders)
    errors = b"".join(as_alice.get(f"{looked['Location']}errors.csv")).decode()
    assert "x | y | z" in errors


@pytest.mark.django_db
def test_a_list_that_cannot_be_read_comes_back_as_typed(as_alice: Client, settings: Any) -> None:
    settings.MASS_MAX_LINES = 1
    answer = as_alice.post(MASS, {"list": "1 | a | 1\n2 | b | 2"})
    assert answer.status_code == 422
    assert "2 | b | 2" in answer.content.decode()
    assert not MassOrder.objects.exists()


@pytest.mark.django_db
def test_a_longer_list_needs_no_more_queries_a_chunk(alice: Customer, django_assert_max_num_queries: Any) -> None:
    text = _text(400, a_service(rate=Decimal("0.001")).pk)
    with django_assert_max_num_queries(12):
        mass = preview(customer=alice, text=text)
    assert len(good(mass)) == 400
    start(mass=mass, version=0, whole=True)
    with django_assert_max_num_queries(45):
        place_next(mass.pk)
