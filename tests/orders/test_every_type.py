"""Each of the 17 service types from a provider's list to the end of an order, with what was sent byte by byte.

The sandbox's own catalogue is imported at 25 % markup, so that rates, limits and types are those of an import. The
bytes are written out here, not computed: an encoder that is wrong must not agree with itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

import pytest

from accounts.models import Customer
from catalog.fetching import fetch_listings
from catalog.importing import apply_import, plan_import
from catalog.models import Service
from catalog.service_types import SERVICE_TYPES, Charged, service_type
from ledger.models import Transfer
from orders.models import Attempt, Order, State, Status
from orders.placing import Line, place_orders
from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.audit import SYSTEM
from tests.orders.builders import a_customer, a_provider, balance, booked, books_are_right, followed, sent

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "https://example.com/p/1?a=b&c=d%20e+f"
PARTIAL = "https://example.com/p/2?sandbox=partial:30"
CANCELED = "https://example.com/p/3?sandbox=cancel"
ENCODED = {
    PAGE: "https%3A%2F%2Fexample.com%2Fp%2F1%3Fa%3Db%26c%3Dd%2520e%2Bf",
    PARTIAL: "https%3A%2F%2Fexample.com%2Fp%2F2%3Fsandbox%3Dpartial%3A30",
    CANCELED: "https%3A%2F%2Fexample.com%2Fp%2F3%3Fsandbox%3Dcancel",
}
DELIVERED = {PAGE: 100, PARTIAL: 30, CANCELED: 0}  # percent
END = {PAGE: Status.COMPLETED, PARTIAL: Status.PARTIAL, CANCELED: Status.CANCELED}

# Ten comments: commas, what a form encodes, a blank line, leading spaces, both newlines, twice the same, emoji
TEN = (
    "  Nice, really & truly = 100% + more\r\n\r\n🔥 Огонь; #1 @you?\nсупер\r\n \t \nsame\nsame\n\"a\" 'b'\\n\n"
    "<b>5</b>\n👨‍👩‍👧 ♻️\n7/7~\n９\n"
)
TEN_SENT = (
    "Nice%2C+really+%26+truly+%3D+100%25+%2B+more%0A%F0%9F%94%A5+%D0%9E%D0%B3%D0%BE%D0%BD%D1%8C%3B+%231+%40you%3F%0A"
    "%D1%81%D1%83%D0%BF%D0%B5%D1%80%0Asame%0Asame%0A%22a%22+%27b%27%5Cn%0A%3Cb%3E5%3C%2Fb%3E%0A"
    "%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7+%E2%99%BB%EF%B8%8F%0A7%2F7~%0A%EF%BC%99"
)
MANY = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A line of one type: what is typed, and what of it is sent; `link=…` stands where the link goes."""

    name: str  # the type's label, and what is particular
    service: str  # in the sandbox's catalogue
    rate: str  # of the customer: the catalogue's and a quarter
    quantity: int | None
    typed: Mapping[str, object]
    sent: str
    decoded: Mapping[str, str] = field(default_factory=dict)  # values as they must arrive, where they are not as typed
    link: str | None = None  # another than PAGE, and only that one

    @property
    def type(self) -> str:
        return self.name.partition(" · ")[0]

    @property
    def links(self) -> list[str]:
        return [self.link] if self.link is not None else [PAGE, PARTIAL, CANCELED]


CASES = [
    Case(
        name="Default", service="1", rate="1.125", quantity=1000, typed={"quantity": "1000"},
        sent="service=1&link=…&quantity=1000&action=add",
    ),
    Case(
        name="Default · to a handle", service="41", rate="0.975", quantity=77, link="@nat.geo-1",
        typed={"quantity": 77}, sent="service=41&link=%40nat.geo-1&quantity=77&action=add",
    ),
    Case(
        name="Default · one run is none", service="1", rate="1.125", quantity=50,
        typed={"quantity": 50, "runs": "1", "interval": "60"}, sent="service=1&link=…&quantity=50&action=add",
    ),
    Case(
        name="Default · zeros that some clients send", service="1", rate="1.125", quantity=53,
        typed={"quantity": "053", "runs": 0, "interval": "0", "comments": "of another type", "key": "not ours"},
        sent="service=1&link=…&quantity=53&action=add", decoded={"quantity": "53"},
    ),
    Case(name="Package", service="14", rate="0.3125", quantity=None, typed={}, sent="service=14&link=…&action=add"),
    Case(
        name="SEO", service="52", rate="8.4375", quantity=101,
        typed={"quantity": 101, "keywords": "buy shoes\r\nC++ & Go"},
        sent="service=52&link=…&quantity=101&keywords=buy+shoes%0AC%2B%2B+%26+Go&action=add",
        decoded={"keywords": "buy shoes\nC++ & Go"},
    ),
    Case(
        name="Custom Comments", service="21", rate="10", quantity=10, typed={"comments": TEN},
        sent=f"service=21&link=…&comments={TEN_SENT}&action=add",
        decoded={
            "comments": "Nice, really & truly = 100% + more\n🔥 Огонь; #1 @you?\nсупер\nsame\nsame\n\"a\" 'b'\\n\n"
            "<b>5</b>\n👨‍👩‍👧 ♻️\n7/7~\n９"
        },
    ),
    Case(
        name="Custom Comments · as many as it takes", service="21", rate="10", quantity=MANY,
        typed={"comments": "\r\n".join(f" Nice, {number}" for number in range(MANY))},
        sent=f"service=21&link=…&comments={'%0A'.join(f'Nice%2C+{number}' for number in range(MANY))}&action=add",
        decoded={"comments": "\n".join(f"Nice, {number}" for number in range(MANY))},
    ),
    Case(
        name="Custom Comments Package", service="22", rate="0.15", quantity=None, typed={"comments": "one, alone"},
        sent="service=22&link=…&comments=one%2C+alone&action=add",
    ),
    Case(
        name="Mentions", service="23", rate="3.875", quantity=11, typed={"quantity": 11, "usernames": "ann\n@bob"},
        sent="service=23&link=…&quantity=11&usernames=ann%0A%40bob&action=add",
    ),
    Case(
        name="Mentions with Hashtags", service="24", rate="4.125", quantity=13,
        typed={"hashtags": "#кот\ncats", "usernames": "ann", "quantity": 13},  # sent in the declaration's order
        sent="service=24&link=…&quantity=13&usernames=ann&hashtags=%23%D0%BA%D0%BE%D1%82%0Acats&action=add",
    ),
    Case(
        name="Mentions Custom List", service="25", rate="4.5", quantity=5, typed={"usernames": "a\nb\nc\nd\ne"},
        sent="service=25&link=…&usernames=a%0Ab%0Ac%0Ad%0Ae&action=add",
    ),
    Case(
        name="Mentions Hashtag", service="26", rate="3.4375", quantity=17, typed={"quantity": 17, "hashtag": "#cats"},
        sent="service=26&link=…&quantity=17&hashtag=%23cats&action=add",
    ),
    Case(
        name="Mentions User Followers", service="27", rate="3.625", quantity=19,
        typed={"quantity": 19, "username": "https://example.com/u?x=1&y=2"},
        sent="service=27&link=…&quantity=19&username=https%3A%2F%2Fexample.com%2Fu%3Fx%3D1%26y%3D2&action=add",
    ),
    Case(
        name="Mentions Media Likers", service="28", rate="3.625", quantity=23,
        typed={"quantity": 23, "media": "https://example.com/m/1"},
        sent="service=28&link=…&quantity=23&media=https%3A%2F%2Fexample.com%2Fm%2F1&action=add",
    ),
    Case(
        name="Comment Likes", service="32", rate="1.5", quantity=29, typed={"quantity": 29, "username": "@Ann_B"},
        sent="service=32&link=…&quantity=29&username=%40Ann_B&action=add",
    ),
    Case(
        name="Comment Replies", service="33", rate="11.875", quantity=4,
        typed={"comments": "why?\nno, yes\n1\n2", "username": "ann"},
        sent="service=33&link=…&username=ann&comments=why%3F%0Ano%2C+yes%0A1%0A2&action=add",
    ),
    Case(
        name="Comment Replies · one", service="33", rate="11.875", quantity=1, link=CANCELED,
        typed={"comments": "why?", "username": "ann"}, sent="service=33&link=…&username=ann&comments=why%3F&action=add",
    ),
    Case(
        name="Poll", service="43", rate="1.3125", quantity=31, typed={"quantity": 31, "answer_number": "2"},
        sent="service=43&link=…&quantity=31&answer_number=2&action=add",
    ),
    Case(
        name="Invites from Groups", service="44", rate="5.5", quantity=101,
        typed={"quantity": 101, "groups": "https://t.me/a\n@b"},
        sent="service=44&link=…&quantity=101&groups=https%3A%2F%2Ft.me%2Fa%0A%40b&action=add",
    ),
    Case(
        name="Web Traffic · keyword", service="51", rate="0.8", quantity=501,
        typed={
            "quantity": 501, "country": "São Tomé", "device": "5", "type_of_traffic": 1, "google_keyword": "a+b=c",
            "referring_url": "left over from another choice",
        },
        sent="service=51&link=…&quantity=501&country=S%C3%A3o+Tom%C3%A9&device=5&type_of_traffic=1"
        "&google_keyword=a%2Bb%3Dc&action=add",
    ),
    Case(
        name="Web Traffic · referrer", service="51", rate="0.8", quantity=500,
        typed={
            "quantity": 500, "country": "US", "device": 1, "type_of_traffic": "2", "referring_url": "https://r.example/",
        },
        sent="service=51&link=…&quantity=500&country=US&device=1&type_of_traffic=2"
        "&referring_url=https%3A%2F%2Fr.example%2F&action=add",
    ),
    Case(
        name="Web Traffic · neither", service="51", rate="0.8", quantity=500,
        typed={"quantity": 500, "country": "US", "device": "3", "type_of_traffic": "3", "google_keyword": "left over"},
        sent="service=51&link=…&quantity=500&country=US&device=3&type_of_traffic=3&action=add",
    ),
    Case(
        name="Default · in runs at the provider", service="1", rate="1.125", quantity=303, link=PAGE,
        typed={"quantity": 101, "runs": "3", "interval": 60},
        sent="service=1&link=…&quantity=101&runs=3&interval=60&action=add",
    ),
    Case(
        name="Subscriptions", service="13", rate="0.4", quantity=303, link="nat.geo",
        typed={
            "username": "nat.geo", "min": 20, "max": "101", "posts": "3", "old_posts": "1", "delay": 5,
            "expiry": "1/2/2099", "link": "not asked for", "quantity": "9",
        },
        sent="service=13&username=nat.geo&min=20&max=101&posts=3&old_posts=1&delay=5&expiry=01%2F02%2F2099&action=add",
        decoded={"expiry": "01/02/2099"},
    ),
    Case(
        name="Subscriptions · as little as it takes", service="13", rate="0.4", quantity=20, link="@ann",
        typed={"username": "@ann", "min": 20, "max": 20, "posts": 1, "old_posts": 0, "delay": "0", "expiry": ""},
        sent="service=13&username=%40ann&min=20&max=20&posts=1&delay=0&action=add",
    ),
]  # fmt: skip
DIVIDED = [case for case in CASES if case.type == "Subscriptions" or "runs" in case.sent]  # by the provider itself
SETTLED = CASES


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A provider that tells charges and children of what it divides by itself."""
    with Sandbox(balance="1000", dialect="rich") as running:
        yield running


def ids(case: Case) -> str:
    return case.name


def imported(sandbox: Sandbox) -> Provider:
    provider: Provider = a_provider(sandbox)
    plan = plan_import(provider, fetch_listings(provider), markup=Decimal(25))
    apply_import(plan, markup=Decimal(25), publish=True, actor=SYSTEM)
    return provider


def the_service(case: Case) -> Service:
    service = Service.objects.get(routes__provider_service__external_id=case.service)
    kind = service_type(service.type)
    assert kind is not None
    assert (kind.label, service.rate) == (case.type, Decimal(case.rate))
    return service


def placed(customer: Customer, case: Case) -> list[Order]:
    """One order for each link of the case, in one call."""
    service = the_service(case)
    lines = [Line(service_id=service.pk, fields={"link": link, **case.typed}) for link in case.links]
    return place_orders(customer=customer, lines=lines)


def by_the_rule(rate: str, quantity: int | None) -> Decimal:
    """⌈rate × quantity ÷ 1000⌉ at 10⁻⁶, or the package's rate: written anew, in fractions."""
    exact = Fraction(rate) if quantity is None else Fraction(rate) * quantity / 1000
    return Decimal(ceil(exact * 10**6)) / 10**6


def test_each_of_the_seventeen_is_proved_here() -> None:
    assert len(SERVICE_TYPES) == 17
    assert {case.type for case in CASES} == {kind.label for kind in SERVICE_TYPES.values()}


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_it_is_placed_by_the_written_rule_and_sent_byte_by_byte(sandbox: Sandbox, case: Case) -> None:
    alice, provider = a_customer("100"), imported(sandbox)
    orders = placed(alice, case)
    charge = by_the_rule(case.rate, case.quantity)
    assert [(order.quantity, order.charge, order.state) for order in orders] == [
        (case.quantity, charge, State.WAITING) for _ in case.links
    ]
    assert balance(alice) == 100 - charge * len(orders)
    kinds = {Transfer.Kind.HOLD if the_kind(case).charged is Charged.DELIVERED else Transfer.Kind.CHARGE}
    assert set(Transfer.objects.filter(order_id__isnull=False).values_list("kind", flat=True)) == kinds

    sent(provider, *orders)
    expected = [case.sent.replace("…", ENCODED.get(link, link)) for link in case.links]
    assert sandbox.options.key not in str(expected)
    bodies = {request["seq"]: request["body"] for request in sandbox.journal.requests("add")}
    assert sorted(bodies.values()) == sorted(expected)
    assert [order.state for order in orders] == [State.ACCEPTED] * len(orders)
    for entry in sandbox.journal.orders():
        arrives_intact(case, bodies[entry["request"]])
    taken = {str(entry["order"]): Decimal(entry["charge"]) for entry in sandbox.journal.orders()}
    assert {order.upstream_id: order.cost for order in orders} == taken
    assert booked(provider) == sandbox.balance
    if case in SETTLED:
        books_are_right()


def the_kind(case: Case) -> Any:
    return next(kind for kind in SERVICE_TYPES.values() if kind.label == case.type)


def arrives_intact(case: Case, body: str) -> None:
    """What a provider reads in the body is what was typed, in the declaration's order, and nothing else."""
    read = dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True))
    declared = [each.name for each in the_kind(case).fields]
    names = list(read)
    assert names[0] == "service"
    assert names[-1] == "action"
    assert names[1:-1] == [name for name in declared if name in read]
    for name in set(names) & set(case.typed):
        assert read[name] == case.decoded.get(name, str(case.typed[name])), name
    attempt = Attempt.objects.get(asked__link=read["link"]) if "link" in read else Attempt.objects.get()
    assert attempt.asked == {name: value for name, value in read.items() if name != "action"}


@pytest.mark.parametrize("case", SETTLED, ids=ids)
def test_its_end_keeps_what_was_delivered(sandbox: Sandbox, case: Case) -> None:
    alice, provider = a_customer("100"), imported(sandbox)
    orders = placed(alice, case)
    sent(provider, *orders)
    sandbox.finish_all()
    for _ in range(3):  # what the provider divides is asked for part by part
        followed(provider, *orders)
    kept = [kept_by_the_rule(case, order, sandbox) for order in orders]
    ends = [(order.state, order.status, order.charge - order.refunded) for order in orders]
    assert ends == [
        (State.ENDED, END.get(link, Status.COMPLETED), stays) for link, stays in zip(case.links, kept, strict=True)
    ]
    assert balance(alice) == 100 - sum(kept)
    assert booked(provider) == sandbox.balance
    books_are_right()


def kept_by_the_rule(case: Case, order: Order, sandbox: Sandbox) -> Decimal:
    """⌈rate × delivered ÷ 1000⌉; of a package the share of the price that the provider took."""
    parts = [part.quantity for part in sandbox.orders.values() if str(part.parent) == order.upstream_id]
    percent = DELIVERED.get(order.link, 100)
    if case.quantity is None:
        exact = Fraction(case.rate) * percent / 100
    else:
        delivered = sum(parts) if parts else case.quantity * percent // 100
        exact = Fraction(case.rate) * delivered / 1000
    return Decimal(ceil(exact * 10**6)) / 10**6


def test_a_subscription_without_posts_is_sold_and_sent_with_the_operators_number(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), imported(sandbox)
    Service.objects.filter(type="subscriptions").update(open_posts=4)
    service = Service.objects.get(type="subscriptions")
    fields = {"username": "ann", "min": 20, "max": 50, "posts": "0", "delay": "30"}
    [order] = place_orders(customer=alice, lines=[Line(service_id=service.pk, fields=fields)])
    assert (order.quantity, order.charge) == (200, Decimal("0.08"))
    sent(provider, order)
    [request] = sandbox.journal.requests("add")
    assert request["body"] == "service=13&username=ann&min=20&max=50&posts=4&delay=30&action=add"


def test_the_providers_own_parameter_comes_last_and_nothing_else(sandbox: Sandbox) -> None:
    alice, provider = a_customer("100"), imported(sandbox)
    Provider.objects.update(idempotency_parameter="request_id")
    [order, *_] = orders = placed(alice, CASES[0])
    sent(provider, *orders)
    [request, *_] = sandbox.journal.requests("add")
    told = f"request_id={order.pk}-{order.provider_service_id}"
    assert request["body"] == f"service=1&link={ENCODED[PAGE]}&quantity=1000&{told}&action=add"


def test_a_type_that_nobody_knows_is_kept_and_not_sold(sandbox: Sandbox) -> None:
    imported(sandbox)
    service = Service.objects.get(routes__provider_service__external_id="63")
    assert (service.type, service_type(service.type)) == ("Live Stream", None)
