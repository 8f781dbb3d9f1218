"""Markup: how a price comes from a cost, which rule wins, and what happens to prices when a rule changes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from catalog.markup import Rule, Rules, margin_percent, price_for
from catalog.models import Category, MarkupRule, PriceChange, Service
from catalog.prices import (
    back_to_markup,
    new_prices,
    remove_markup,
    reprice,
    reprice_provider,
    set_markup,
    set_price_by_hand,
)
from catalog.pricing import PriceOutOfRange
from providers.models import ExchangeRate, Provider
from records.models import AttentionItem, AuditEntry
from tests.catalog.builders import COMMENTS, FOLLOWERS, OLGA, a_provider, an_upstream_service, import_, listing, sold

D = Decimal


@pytest.mark.parametrize(
    ("cost", "exchange", "rule", "price"),
    [
        ("0.90", "1", Rule(D(25)), "1.125"),
        ("0.90", "1", Rule(D(0)), "0.90"),
        ("515.642", "0.0108", Rule(D(25)), "6.961167"),
        ("0.0874", "0.0108", Rule(D(25)), "0.00118"),  # rounded once, at the end
        ("1", "1", Rule(D(10), fixed=D("0.05")), "1.15"),
        ("1.001", "1", Rule(D(0), rounding=D("0.01")), "1.01"),
        ("1.00", "1", Rule(D(0), rounding=D("0.01")), "1.00"),
        ("0.001", "1", Rule(D(25), rounding=D("0.05")), "0.05"),
        ("0.001", "1", Rule(D(25), floor=D("0.02")), "0.02"),
        ("2", "1", Rule(D(-50)), "2"),  # never below cost
        ("2", "1", Rule(D(0), fixed=D("-1")), "2"),
        ("2.001", "1", Rule(D(-50), rounding=D("0.1")), "2.1"),
        ("0", "1", Rule(D(25)), "0"),
    ],
)
def test_prices(cost: str, exchange: str, rule: Rule, price: str) -> None:
    upstream = an_upstream_service(Provider(currency="USD"), rate=cost)
    assert price_for(upstream, D(exchange), rule) == D(price)


def test_a_price_beyond_the_cap_is_refused() -> None:
    upstream = an_upstream_service(Provider(currency="USD"), rate="900000000")
    with pytest.raises(PriceOutOfRange):
        price_for(upstream, D(2), Rule(D(0)))


def test_margin_is_of_the_price() -> None:
    assert margin_percent(D("1.25"), D(1)) == D("20.0")
    assert margin_percent(D(0), D(0)) is None


@pytest.mark.parametrize(
    ("places", "percent"),
    [
        ([], 20),  # the setting
        ([(None, None, None)], 1),
        ([(None, None, None), (None, 7, None)], 2),
        ([(None, 7, None), (None, None, 8)], 2),
        ([(None, 7, None), (None, None, 8), (None, 7, 8)], 3),
        ([(None, 7, 8), (9, None, None)], 2),
        ([(None, 6, 8), (8, None, None), (None, None, 9)], 20),  # of others
    ],
)
def test_the_most_specific_rule_wins(places: list[tuple[int | None, int | None, int | None]], percent: int) -> None:
    """A place is service, provider, category; the rules' percentages count up from 1 in the order given."""
    rules = Rules(
        MarkupRule(service_id=service, provider_id=provider, category_id=category, percent=D(number))
        for number, (service, provider, category) in enumerate(places, start=1)
    )
    assert rules.rule_for(service=9, provider=7, category=8).percent == percent


@pytest.mark.django_db
class TestChangingMarkup:
    def test_prices_follow_and_keep_their_history(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS, COMMENTS)
        assert set_markup(provider=provider, percent=D(50), actor=OLGA, reason="Spring").changed == 2
        assert (sold(provider).rate, sold(provider, "2").rate) == (D("1.35"), D(12))
        change = PriceChange.objects.filter(service=sold(provider)).order_by("-id")[0]
        assert (change.before, change.after, change.reason, change.by) == (D("1.08"), D("1.35"), "Spring", OLGA.name)
        entry = AuditEntry.objects.get(action="set markup")
        assert (entry.after, entry.reason) == ({"percent": "50"}, "Spring")

    def test_the_same_markup_again_changes_nothing(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS)
        set_markup(provider=provider, percent=D(50), actor=OLGA)
        history = PriceChange.objects.count()
        assert set_markup(provider=provider, percent=D(50), actor=OLGA).changed == 0
        assert (PriceChange.objects.count(), AuditEntry.objects.filter(action="set markup").count()) == (history, 1)

    def test_what_is_left_out_stays_as_it_is(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS)
        set_markup(provider=provider, percent=D(0), fixed=D(1), rounding=D("0.5"), floor=D(3), actor=OLGA)
        assert sold(provider).rate == D(3)
        set_markup(provider=provider, floor=D(0), actor=OLGA)
        assert sold(provider).rate == D(2)

    def test_each_place_can_have_a_rule(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS, COMMENTS)
        service, category = sold(provider), sold(provider).category
        for place in (
            {}, {"provider": provider}, {"category": category}, {"provider": provider, "category": category},
            {"service": service},
        ):  # fmt: skip
            before = MarkupRule.objects.count()
            set_markup(percent=D(10 * before), actor=OLGA, **place)
            assert MarkupRule.objects.count() == before + 1
        assert sold(provider).rate == D("1.26")
        assert sold(provider, "2").rate == D("8.8")

    def test_a_place_has_one_rule(self) -> None:
        MarkupRule.objects.create(percent=D(1))
        with pytest.raises(IntegrityError), transaction.atomic():
            MarkupRule.objects.create(percent=D(2))

    def test_a_senseless_rule_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            set_markup(percent=D(-101), actor=OLGA)
        with pytest.raises(ValidationError):
            set_markup(percent=D(1), rounding=D(0), actor=OLGA)

    def test_without_its_rule_a_service_falls_back_to_the_next(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS)
        set_markup(service=sold(provider), percent=D(100), actor=OLGA)
        assert sold(provider).rate == D("1.8")
        remove_markup(MarkupRule.objects.get(), actor=OLGA)
        assert sold(provider).rate == D("1.08")

    def test_a_preview_changes_nothing(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS)
        preview = new_prices(Service.objects.all(), Rules.stored().with_provider_percent(provider.pk, D(50)))
        assert [(change.service.rate, change.after) for change in preview] == [(D("1.08"), D("1.35"))]
        assert sold(provider).rate == D("1.08")

    def test_a_new_exchange_rate_moves_prices(self) -> None:
        provider = a_provider(currency="RUB", exchange_rate="0.01")
        import_(provider, FOLLOWERS)
        ExchangeRate.objects.create(provider=provider, rate=D("0.02"))
        assert reprice_provider(provider, reason="Rouble", actor=OLGA).changed == 1
        assert sold(provider).rate == D("0.0216")

    def test_a_price_no_service_may_have_leaves_the_old_one_and_tells_the_operator(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS, publish=True)
        ExchangeRate.objects.create(provider=provider, rate=D(100_000))
        set_markup(provider=provider, percent=D(90_000_000), actor=OLGA)
        assert sold(provider).rate == D("1.08")
        assert AttentionItem.objects.get().cause == "price_out_of_range"


@pytest.mark.django_db
class TestPricesByHand:
    def test_a_price_by_hand_is_left_alone_by_markup(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS)
        set_price_by_hand(sold(provider), D("2.5"), actor=OLGA, reason="Campaign")
        assert reprice(Service.objects.all(), reason="x", actor=OLGA).changed == 0
        assert sold(provider).rate == D("2.5")
        assert AuditEntry.objects.get(action="set price by hand").reason == "Campaign"

    def test_and_given_back_to_it(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS)
        service = sold(provider)
        set_price_by_hand(service, D("2.5"), actor=OLGA)
        back_to_markup(service, actor=OLGA)
        assert (service.rate, service.rate_by_hand) == (D("1.08"), False)
        assert [change.after for change in service.price_changes.order_by("id")] == [D("1.08"), D("2.5"), D("1.08")]

    def test_a_price_beyond_the_cap_is_refused(self) -> None:
        provider = a_provider()
        import_(provider, FOLLOWERS)
        with pytest.raises(PriceOutOfRange):
            set_price_by_hand(sold(provider), D(10) ** 10, actor=OLGA)

    def test_repricing_many_is_few_statements(self, django_assert_max_num_queries: object) -> None:
        provider = a_provider()
        import_(provider, *[listing(number) for number in range(500)])
        with django_assert_max_num_queries(40):  # type: ignore[operator]
            set_markup(category=Category.objects.get(), percent=D(70), actor=OLGA)
        assert set(Service.objects.values_list("rate", flat=True)) == {D("1.53")}
