"""What the operator's templates need of `operations.words`."""

from __future__ import annotations

from decimal import Decimal

from django import template

from operations import words

register = template.Library()


@register.filter
def plain(value: Decimal | None) -> str:
    """An amount without needless zeros; a dash where there is none."""
    return words.amount(value)
