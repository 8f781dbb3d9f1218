"""`balance`: what the provider holds for us."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.dialect.answer import NotProcessed, Refused, Unreadable
from providers.dialect.balances import read_balance
from providers.outcomes import BalanceReading, Cause
from tests.providers.dialect.builders import PAGE, answer


@pytest.mark.parametrize(
    ("body", "amount", "currency"),
    [
        ({"balance": "100.84292", "currency": "USD"}, "100.84292", "USD"),
        ({"balance": 100.84292, "currency": "usd"}, "100.84292", "USD"),
        ({"balance": "1,234.56"}, "1234.56", None),
        ({"balance": "12,345,678.90", "currency": ""}, "12345678.90", None),
        ({"balance": "$5.10", "currency": "USD"}, "5.10", "USD"),
        ({"balance": "-3.5", "currency": "RUB"}, "-3.5", "RUB"),
        ({"balance": "0.00000099"}, "0", None),
        ({"balance": 0}, "0", None),
        ([{"balance": "7"}], "7", None),
        ({"status": "success", "balance": "7", "currency": "EUR"}, "7", "EUR"),
        ({"data": {"balance": "7"}}, "7", None),
    ],
)
def test_a_balance(body: Any, amount: str, currency: str | None) -> None:
    assert read_balance(answer(body)) == BalanceReading(Decimal(amount), currency)


@pytest.mark.parametrize(
    "body", [{}, [], {"balance": None}, {"balance": ""}, {"balance": "lots"}, {"funds": "5"}, PAGE, b"5", b""]
)
def test_no_balance_is_unreadable(body: Any) -> None:
    with pytest.raises(Unreadable):
        read_balance(answer(body))


@pytest.mark.parametrize(
    "body",
    [
        {"error": "Invalid API key"},
        {"error": "Invalid API key", "balance": "5"},
        {"balance": {"error": "Invalid API key"}},
    ],
)
def test_a_refusal(body: Any) -> None:
    with pytest.raises(Refused) as refused:
        read_balance(answer(body))
    assert refused.value.refusal.cause is Cause.BAD_KEY


def test_too_many_requests() -> None:
    with pytest.raises(NotProcessed):
        read_balance(answer(PAGE, 429))
