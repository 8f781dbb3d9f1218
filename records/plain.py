"""Values as both databases can keep them in a JSON column.

Evidence holds what providers answer, and they answer anything: PostgreSQL refuses NUL and NaN inside JSON where SQLite
takes them, so a record that was fine on one database would fail on the other, at the moment it is needed most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from django.conf import settings
from django.db.models import Model

from ledger.amounts import plain as plain_amount
from records.redaction import HIDDEN, names_a_secret

DEPTH = 8  # evidence is read by people; what lies deeper is shown as text


def plain_text(text: str, limit: int) -> str:
    """The text that both databases accept, at most `limit` characters, an ellipsis where something was cut."""
    text = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain(value: Any, depth: int = DEPTH) -> Any:
    """The value as JSON can say it: amounts and times as text, objects by field, secrets hidden, long texts cut."""
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)
    if isinstance(value, str):
        return plain_text(value, settings.RECORDS_TEXT_CHARS)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return plain_amount(value) if value.is_finite() else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return _plain_of_many(value, depth)


def plain_mapping(values: Mapping[Any, Any], depth: int = DEPTH) -> dict[str, Any]:
    """The mapping with plain values, the values of secret names hidden."""
    limit = settings.RECORDS_TEXT_CHARS
    return {
        plain_text(str(name), limit): HIDDEN if names_a_secret(str(name)) else plain(value, depth - 1)
        for name, value in values.items()
    }


def _plain_of_many(value: Any, depth: int) -> Any:
    if isinstance(value, bytes | bytearray):
        return plain_text(bytes(value).decode("utf-8", "replace"), settings.RECORDS_TEXT_CHARS)
    if isinstance(value, Model):
        return value.pk
    if depth > 0 and isinstance(value, Mapping):
        return plain_mapping(value, depth)
    if depth > 0 and is_dataclass(value) and not isinstance(value, type):
        return plain_mapping({field.name: getattr(value, field.name) for field in fields(value)}, depth)
    if depth > 0 and isinstance(value, Iterable):
        return [plain(item, depth - 1) for item in value]
    return plain_text(str(value), settings.RECORDS_TEXT_CHARS)
