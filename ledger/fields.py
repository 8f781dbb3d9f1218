"""The one way a decimal of money reaches the database: as an exact integer.

The field is not an IntegerField to Django although its column is a bigint: mixing it with plain numbers in an
expression is then an error instead of a factor of a million. Write `F("balance") - money(x)` and
`Coalesce(Sum("amount"), money(ZERO))`. (One mistake Django does not catch: `update(balance=F("balance") - 1)`, as it
never asks for that type.)
"""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable, Value, register_combinable_fields
from django.db.models.query_utils import DeferredAttribute

from ledger.amounts import EXCHANGE_PLACES, MONEY_PLACES, InexactAmount, from_units, plain, to_units

_LARGEST_UNITS = 2**63 - 1
_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

if TYPE_CHECKING:
    from django.db.models import Field
else:

    class Field(models.Field):
        """Django's field is generic only in its type stubs; there it tells Decimal from Decimal | None."""

        def __class_getitem__(cls, _: object) -> type:
            return cls



class _DecimalAttribute(DeferredAttribute):
    """Turns an integer (a default, a literal in code) into a Decimal when it is assigned, not only after a reload."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        instance.__dict__[self.field.attname] = value


class AmountFormField(forms.DecimalField):
    """Shows 12.50 where the database has 12.500000."""

    def prepare_value(self, value: Any) -> Any:
        return plain(value) if isinstance(value, Decimal) and value.is_finite() else value


class FixedPointField(Field[_Set, _Get]):
    """A `Decimal` with a fixed number of places, stored as a 64-bit integer. Floats and surplus digits are refused."""

    if TYPE_CHECKING:
        _pyi_private_set_type: Decimal | int | Combinable
        _pyi_private_get_type: Decimal
        _pyi_lookup_exact_type: Decimal | int

    places = MONEY_PLACES
    descriptor_class = _DecimalAttribute
    default_error_messages = {
        "invalid": "Enter an amount, for example 12.50.",
        "inexact": "At most %(places)d decimal places.",
    }

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    @cached_property
    def validators(self) -> list[Any]:
        largest = from_units(_LARGEST_UNITS, self.places)
        return [*super().validators, MinValueValidator(-largest), MaxValueValidator(largest)]

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        return None if value is None else from_units(int(value), self.places)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None:
            return None
        try:
            amount = _decimal(value)
        except (ArithmeticError, InexactAmount) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if not amount.is_finite():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return amount

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        try:
            to_units(value if value is not None else 0, self.places)
        except InexactAmount as error:
            raise ValidationError(
                self.error_messages["inexact"], code="inexact", params={"places": self.places}
            ) from error

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        if value is None or hasattr(value, "resolve_expression"):
            return value
        try:
            units = to_units(_decimal(value), self.places)
        except ArithmeticError as error:
            raise InexactAmount(f"{value!r} is not an amount") from error
        if abs(units) > _LARGEST_UNITS:
            raise InexactAmount(f"{value!r} is beyond any amount")
        return units

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return connection.ops.adapt_integerfield_value(value, self.get_internal_type())

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": AmountFormField, "decimal_places": self.places, **kwargs})

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else f"{value:f}"


class MoneyField(FixedPointField[_Set, _Get]):
    """An amount of an account's currency, or a rate per 1000: 6 decimal places."""

    places = MONEY_PLACES


class ExchangeRateField(FixedPointField[_Set, _Get]):
    """Units of one currency for one of another: 12 decimal places."""

    places = EXCHANGE_PLACES


for _sign in (Combinable.ADD, Combinable.SUB):
    register_combinable_fields(MoneyField, _sign, MoneyField, MoneyField)
register_combinable_fields(MoneyField, Combinable.MUL, models.IntegerField, MoneyField)
register_combinable_fields(models.IntegerField, Combinable.MUL, MoneyField, MoneyField)


def money(amount: Decimal) -> Value:
    """The amount as an expression: `F("balance") - money(amount)`."""
    return Value(amount, output_field=MoneyField())


def _decimal(value: object) -> Decimal:
    """A Decimal, an int, or their text as a form or a fixture has it. Never a float."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return Decimal(value)
    raise InexactAmount(f"{value!r} is not a Decimal")
