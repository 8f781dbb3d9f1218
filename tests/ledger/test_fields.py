"""The money field: Decimals in Python at every moment, whole units in SQL, no way in for a float or a bare number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.db import connection
from django.db.models import Case, F, Max, Q, Sum, When
from django.db.models.functions import Coalesce
from django.forms import modelform_factory
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ledger.accounts import open_wallet
from ledger.amounts import ZERO, InexactAmount
from ledger.fields import ExchangeRateField, MoneyField, money
from ledger.models import Account, Transfer
from tests.ledger.builders import charge_of, posted, wallet_with

pytestmark = pytest.mark.django_db
D = Decimal
LARGEST = D(2**63 - 1).scaleb(-6)


class StoredAmounts(TestCase):
    @settings(max_examples=50, deadline=None)
    @given(st.integers(min_value=-(2**63) + 1, max_value=0).map(lambda units: D(units).scaleb(-6)))
    def test_every_amount_comes_back_as_it_was_stored(self, amount: Decimal) -> None:
        account = Account.objects.create(kind=Account.Kind.PROVIDER, currency="USD", floor=amount)
        assert Account.objects.get(pk=account.pk).floor == amount
        assert Account.objects.filter(pk=account.pk, floor=amount, floor__lte=amount, floor__in=[amount]).exists()


def test_defaults_and_whole_numbers_are_decimals_before_and_after_a_reload() -> None:
    account = Account(kind=Account.Kind.PROVIDER, currency="USD")
    assert isinstance(account.floor, Decimal)
    account.floor = -3
    assert isinstance(account.floor, Decimal)
    account.save()
    account.refresh_from_db()
    assert isinstance(account.floor, Decimal)
    assert account.floor == D(-3)
    assert isinstance(Account.objects.defer("floor").get(pk=account.pk).floor, Decimal)


def test_the_column_holds_whole_units() -> None:
    wallet = wallet_with("1.5")
    with connection.cursor() as cursor:
        cursor.execute("SELECT balance FROM ledger_account WHERE id = %s", [wallet.pk])
        assert cursor.fetchone() == (1_500_000,)


@pytest.mark.parametrize("amount", [0.5, True, D("0.0000001"), D("NaN"), D(10) ** 13, "much"])
def test_what_is_not_an_exact_amount_is_not_stored_and_not_compared_with(amount: Any) -> None:
    with pytest.raises(InexactAmount):
        Account.objects.create(kind=Account.Kind.PROVIDER, currency="USD", floor=amount)
    for lookup in ("floor", "floor__gte", "floor__lt"):
        with pytest.raises(InexactAmount):
            Account.objects.filter(**{lookup: amount}).exists()


def test_comparisons_are_in_currency_not_in_units() -> None:
    wallet = wallet_with("1.5")
    mine = Account.objects.filter(pk=wallet.pk)
    assert mine.filter(balance__gte=D("1.5"), balance__lt=2).exists()
    assert not mine.filter(balance__gt=D("1.5")).exists()
    assert mine.filter(balance__range=(D(1), D(2))).exists()
    assert mine.filter(balance__gte=F("floor") + money(D("1.5"))).exists()


def test_sums_are_exact_decimals() -> None:
    wallet = wallet_with("9000000")
    posted(charge_of(wallet, "0.1"), charge_of(wallet, "0.2"), charge_of(wallet, "8999999.000003"))
    charges = Transfer.objects.filter(kind=Transfer.Kind.CHARGE)
    totals = charges.aggregate(total=Sum("amount"), largest=Max("amount"), small=Sum("amount", filter=Q(amount__lt=1)))
    assert totals == {"total": D("8999999.300003"), "largest": D("8999999.000003"), "small": D("0.3")}
    assert all(isinstance(total, Decimal) for total in totals.values())


def test_a_sum_of_nothing_can_be_zero() -> None:
    found = Transfer.objects.filter(reference="none").aggregate(
        bare=Sum("amount"), default=Sum("amount", default=ZERO), coalesced=Coalesce(Sum("amount"), money(ZERO))
    )
    assert found == {"bare": None, "default": D(0), "coalesced": D(0)}
    assert isinstance(found["default"], Decimal)
    assert isinstance(found["coalesced"], Decimal)


def test_expressions_over_amounts_are_amounts() -> None:
    wallet = wallet_with("10", floor="-2.5")
    row = (
        Account.objects.filter(pk=wallet.pk)
        .annotate(
            spendable=F("balance") - F("floor"),
            after=F("balance") - money(D("0.000001")),
            double=F("balance") * 2,
            negated=-F("balance"),
            shown=Case(When(balance__gt=5, then=F("balance")), default=money(ZERO)),
        )
        .values("spendable", "after", "double", "negated", "shown")
        .get()
    )
    assert row == {
        "spendable": D("12.5"),
        "after": D("9.999999"),
        "double": D(20),
        "negated": D(-10),
        "shown": D(10),
    }
    assert all(isinstance(amount, Decimal) for amount in row.values())


def test_an_update_by_an_expression_counts_in_currency() -> None:
    account = open_wallet(currency="USD")
    Account.objects.filter(pk=account.pk).update(floor=F("floor") - money(D("2.5")))
    account.refresh_from_db()
    assert account.floor == D("-2.5")


@pytest.mark.parametrize("expression", [F("balance") - 1, F("balance") - D(1), Coalesce(Sum("balance"), 0)])
def test_a_plain_number_in_an_expression_is_an_error_not_a_millionth(expression: Any) -> None:
    with pytest.raises(FieldError):
        list(Account.objects.annotate(result=expression).values("result"))


def test_a_form_shows_plain_amounts_and_says_what_is_wrong() -> None:
    form_class = modelform_factory(Account, fields=["floor"])
    wallet = open_wallet(currency="USD", floor=D("-12.5"))
    assert 'value="-12.50"' in str(form_class(instance=wallet)["floor"])
    assert not form_class({"floor": "-12.50"}, instance=wallet).has_changed()
    form = form_class({"floor": "-0.25"}, instance=wallet)
    assert form.is_valid()
    assert form.save().floor == D("-0.25")
    for wrong in ("", "much", "0.0000001", "NaN", "99999999999999", "1e400"):
        assert "floor" in form_class({"floor": wrong}, instance=wallet).errors, wrong


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0.5, "invalid"),
        ("NaN", "invalid"),
        (D("Infinity"), "invalid"),
        (True, "invalid"),
        ("0.0000001", "inexact"),
        (LARGEST + D("0.000001"), "max_value"),
        (-LARGEST - D("0.000001"), "min_value"),
    ],
)
def test_cleaning_names_the_problem(value: Any, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MoneyField().clean(value, None)
    assert caught.value.error_list[0].code == code


def test_cleaning_makes_decimals() -> None:
    assert MoneyField().clean(" 12.50 ", None) == D("12.5")
    assert MoneyField().clean(LARGEST, None) == LARGEST
    assert ExchangeRateField().clean("0.000000000001", None) == D("1E-12")


@pytest.mark.parametrize("form", ["json", "xml", "jsonl"])
def test_a_dump_can_be_loaded(form: str) -> None:
    wallet = open_wallet(currency="USD", floor=D("-1234567.000001"))
    posted(charge_of(wallet, "0.000001"))
    for row in (Account.objects.get(pk=wallet.pk), Transfer.objects.get()):
        (loaded,) = serializers.deserialize(form, serializers.serialize(form, [row]))
        for field in row._meta.concrete_fields:
            if isinstance(field, MoneyField):
                value = getattr(loaded.object, field.attname)
                assert value == getattr(row, field.attname)
                assert value is None or isinstance(value, Decimal)


def test_a_loaded_account_is_stored_as_it_was_dumped() -> None:
    wallet = open_wallet(currency="USD", floor=D("-7.25"))
    dump = serializers.serialize("json", [wallet])
    wallet.delete()
    (loaded,) = serializers.deserialize("json", dump)
    loaded.save()
    assert Account.objects.get(pk=loaded.object.pk).floor == D("-7.25")
