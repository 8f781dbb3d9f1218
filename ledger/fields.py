"""The one way a decimal of money reaches the database: as an exact integer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Value

from ledger.amounts import EXCHANGE_PLACES, MONEY_PLACES, InexactAmount, from_units, to_units


class FixedPointField(models.BigIntegerField):  # type: ignore[type-arg]
    """A `Decimal` with a fixed number of places, stored as a 64-bit integer. Floats and surplus digits are refused."""

    places = MONEY_PLACES

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        return None if value is None else from_units(int(value), self.places)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value).strip())
        except ArithmeticError as error:
            raise ValidationError("Enter an amount, for example 12.50.") from error

    def get_prep_value(self, value: Any) -> int | None:
        if value is None or hasattr(value, "resolve_expression"):
            return value  # type: ignore[no-any-return]
        return to_units(value if isinstance(value, int) else _decimal(value), self.places)

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        amount = self.to_python(value)
        if amount is not None:
            try:
                to_units(amount, self.places)
            except InexactAmount as error:
                raise ValidationError(f"At most {self.places} decimal places.") from error
        return super().clean(amount, model_instance)

    def formfield(self, **kwargs: Any) -> Any:
        from django import forms

        return models.Field.formfield(
            self, **{"form_class": forms.DecimalField, "decimal_places": self.places, **kwargs}
        )

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else f"{value:f}"


class MoneyField(FixedPointField):
    """An amount of an account's currency, or a rate per 1000: 6 decimal places."""

    places = MONEY_PLACES


class ExchangeRateField(FixedPointField):
    """Units of one currency for one of another: 12 decimal places."""

    places = EXCHANGE_PLACES


def money(amount: Decimal) -> Value:
    """The amount as an expression: `F("balance") - money(amount)`."""
    return Value(amount, output_field=MoneyField())


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        return Decimal(value)
    raise InexactAmount(f"{value!r} is not a Decimal")
