"""Money at a provider: rates, top-ups, and what it says beside what the books say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ledger.balances import balance_of
from ledger.models import Transfer
from ledger.posting import AlreadyPosted
from providers import books
from providers.models import BalanceReading, Provider
from providers.outcomes import BalanceReading as Reading
from records.audit import SYSTEM
from records.jobs import run_job
from records.models import AttentionItem, AuditEntry
from tests.providers.builders import make_provider
from tests.providers.sockets import Panel, answering

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def under_way() -> Iterator[dict[str, Decimal]]:
    """What orders under way are said to cost."""
    said = {"amount": Decimal(0)}
    before = books._explainer
    books.explain_drift_by(lambda provider: books.Explained(said["amount"], {"orders": [7]}))
    yield said
    books.explain_drift_by(before)


def top_up(provider: Provider, amount: str, **more: Any) -> list[Transfer]:
    values: dict[str, Any] = {"reference": "inv-1", "actor": SYSTEM, **more}
    return books.top_up(provider=provider, amount=Decimal(amount), **values)


def open_causes() -> set[str]:
    return set(AttentionItem.objects.filter(closed_at__isnull=True).values_list("cause", flat=True))


class TestExchangeRates:
    def test_the_panels_own_currency_is_worth_one(self, provider: Provider) -> None:
        assert books.exchange_rate_of(provider) == 1

    def test_another_needs_a_rate(self) -> None:
        rouble = make_provider(currency="RUB")
        with pytest.raises(books.NoExchangeRate, match="RUB"):
            books.exchange_rate_of(rouble)
        books.set_exchange_rate(provider=rouble, rate=Decimal("0.011"), actor=SYSTEM)
        assert books.exchange_rate_of(rouble) == Decimal("0.011")

    def test_rates_are_dated(self, provider: Provider) -> None:
        now = timezone.now()
        for days, rate in ((10, "2"), (5, "3"), (-1, "4")):
            books.set_exchange_rate(
                provider=provider, rate=Decimal(rate), actor=SYSTEM, since=now - timedelta(days=days)
            )
        assert books.exchange_rate_of(provider) == 3
        assert books.exchange_rate_of(provider, at=now - timedelta(days=7)) == 2
        assert AuditEntry.objects.filter(action="provider.exchange_rate").count() == 3

    @pytest.mark.parametrize("rate", ["0", "-1", "NaN"])
    def test_a_senseless_rate(self, provider: Provider, rate: str) -> None:
        with pytest.raises(ValueError, match="above zero"):
            books.set_exchange_rate(provider=provider, rate=Decimal(rate), actor=SYSTEM)

    @pytest.mark.parametrize(
        ("amount", "rate", "value"),
        [("1", "0.011", "0.011"), ("0.000001", "0.011", "0.000001"), ("100", "1", "100"), ("0", "5", "0"),
         ("3", "0.333333333333", "1"), ("0.27819", "0.0107", "0.002977")],
    )  # fmt: skip
    def test_values_are_rounded_up(self, amount: str, rate: str, value: str) -> None:
        assert books.value_in_panel_currency(Decimal(amount), Decimal(rate)) == Decimal(value)


class TestTopUps:
    def test_with_fee_and_bonus(self, provider: Provider) -> None:
        top_up(provider, "100", fee=Decimal(3), bonus=Decimal(5))
        assert balance_of(provider.account) == 102
        assert set(Transfer.objects.values_list("kind", flat=True)) == {"top_up", "fee", "bonus"}

    def test_once(self, provider: Provider) -> None:
        top_up(provider, "100")
        with pytest.raises(AlreadyPosted):
            top_up(provider, "100")
        assert balance_of(provider.account) == 100

    @pytest.mark.parametrize(
        ("amount", "more"),
        [("0", {}), ("-1", {}), ("1", {"fee": Decimal(2)}), ("1", {"bonus": Decimal(-1)}), ("1", {"reference": " "})],
    )
    def test_senseless_ones(self, provider: Provider, amount: str, more: dict[str, Any]) -> None:
        with pytest.raises(books.NotATopUp):
            top_up(provider, amount, **more)
        assert not Transfer.objects.exists()

    def test_its_value_is_kept_in_the_panels_currency(self) -> None:
        rouble = make_provider(currency="RUB")
        books.set_exchange_rate(provider=rouble, rate=Decimal("0.011"), actor=SYSTEM)
        top_up(rouble, "1000")
        assert Transfer.objects.get().value == 11


class TestComparing:
    def test_a_reading_is_kept_beside_the_books(self, provider: Provider) -> None:
        top_up(provider, "100")
        books.record_balance(provider, Reading(Decimal("99.1234567"), "USD"))
        kept = BalanceReading.objects.get()
        assert (kept.reported, kept.booked) == (Decimal("99.123456"), Decimal(100))
        assert Provider.objects.get().balance == Decimal("99.123456")
        assert books.drift(provider) == Decimal("-0.876544")

    def test_another_currency_is_not_kept(self, provider: Provider) -> None:
        with pytest.raises(books.CurrencyMismatch, match="EUR"):
            books.record_balance(provider, Reading(Decimal(1), "EUR"))
        assert not BalanceReading.objects.exists()

    def test_what_is_missing_is_told_and_taken_back(self, provider: Provider) -> None:
        top_up(provider, "100")
        books.compare(provider, Reading(Decimal(90), "USD"))
        assert open_causes() == {"provider_drift"}
        books.compare(provider, Reading(Decimal(100), "USD"))
        assert open_causes() == set()

    def test_what_orders_under_way_explain_is_not_told(
        self, provider: Provider, under_way: dict[str, Decimal]
    ) -> None:
        top_up(provider, "100")
        under_way["amount"] = Decimal(10)
        books.compare(provider, Reading(Decimal(90), "USD"))
        assert open_causes() == set()
        books.compare(provider, Reading(Decimal(89), "USD"))
        item = AttentionItem.objects.get()
        assert (item.cause, item.evidence["orders"], item.evidence["under_way"]) == ("provider_drift", [7], "10.00")

    def test_a_cent_is_the_providers_rounding(self, provider: Provider) -> None:
        top_up(provider, "100.004")
        books.compare(provider, Reading(Decimal("100.00"), "USD"))
        assert open_causes() == set()

    def test_a_rise_that_lasts_is_offered_as_a_top_up(self, provider: Provider) -> None:
        top_up(provider, "100")
        books.compare(provider, Reading(Decimal(150), "USD"))
        assert open_causes() == set(), "it may be an order given back that was not asked for yet"
        books.compare(provider, Reading(Decimal(148), "USD"))
        item = AttentionItem.objects.get()
        assert (item.cause, item.evidence["top-up to record"]) == ("provider_rise", "48.00")
        top_up(provider, "48", reference="inv-2")
        books.compare(provider, Reading(Decimal(148), "USD"))
        assert open_causes() == set()

    def test_running_low(self, provider: Provider, settings: Any) -> None:
        settings.PROVIDER_LOW_BALANCE = Decimal(20)
        top_up(provider, "15")
        books.compare(provider, Reading(Decimal(15), "USD"))
        assert open_causes() == {"provider_low"}


class TestTheJob:
    def test_it_asks_and_keeps(self) -> None:
        with Panel(answering({"balance": "50", "currency": "USD"})) as panel:
            provider = make_provider(panel.url)
            top_up(provider, "50")
            run = run_job("provider_balances", str(provider.pk))
        assert run is not None
        assert (run.error, run.counts) == ("", {"asked": 1, "failed": 0})
        assert books.drift(provider) == 0

    def test_a_silent_provider_is_counted(self) -> None:
        with Panel(answering(b"<html>")) as panel:
            provider = make_provider(panel.url)
            run = run_job("provider_balances", str(provider.pk))
        assert run is not None
        assert (run.error, run.counts) == ("", {"asked": 1, "failed": 1})

    def test_another_currency_is_told(self) -> None:
        with Panel(answering({"balance": "50", "currency": "EUR"})) as panel:
            run_job("provider_balances", str(make_provider(panel.url).pk))
        assert open_causes() == {"provider_currency"}
