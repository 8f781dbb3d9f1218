"""Values of a change as people read them."""

from __future__ import annotations

from decimal import Decimal

from ledger.amounts import plain

LONGEST = 120


def shown(value: object) -> str:
    """Short: a description is cut, an amount has no needless zeros."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value)
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
