"""What `balance` says the provider holds for us."""

from __future__ import annotations

from providers.dialect.answer import Answer, Unreadable
from providers.dialect.errors import error_texts
from providers.dialect.numbers import DOWN, read_money
from providers.dialect.shapes import only_record
from providers.dialect.statuses import read_currency
from providers.dialect.transport import open_answer, raise_refused
from providers.dialect.words import NO_WORDS, WordMap
from providers.outcomes import BalanceReading


def read_balance(answer: Answer, words: WordMap = NO_WORDS) -> BalanceReading:
    """The balance, rounded down at the sixth place; raises NotProcessed, Refused or Unreadable."""
    record = only_record(open_answer(answer, words))
    for part in (record, record.get("balance")):
        texts = error_texts(part)
        if texts is not None:
            raise_refused(texts, words, answer.key)
    amount = read_money(record.get("balance"), DOWN)
    if amount is None:
        raise Unreadable("an answer without a balance that can be read")
    return BalanceReading(amount, read_currency(record.get("currency")))
