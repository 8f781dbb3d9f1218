"""What the operator's templates need of `operations.words`."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django import template

from operations import words

register = template.Library()


@register.filter
def plain(value: Decimal | None) -> str:
    """An amount without needless zeros; a dash where there is none."""
    return words.amount(value)


@register.filter
def ago(at: datetime | None) -> str:
    return words.ago(at)


@register.filter
def lasting(length: timedelta) -> str:
    """15 s, 10 min, 2 h, 1 d: how often a job runs."""
    seconds = int(length.total_seconds())
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
