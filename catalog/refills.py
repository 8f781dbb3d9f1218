"""For how many days a service is refilled, as its name says: R30, "30 days refill", "♻️ 365", "Гарантия 30 дней".

A suggestion only, stored at import and the operator's to change. None means "as long as the provider takes it": for
lifetime, and for names that do not say. Where a name says both, the number counts: it is the smaller promise.
"""

from __future__ import annotations

import re

from catalog.searching import folded

LONGEST_DAYS = 3650  # more is a number of something else

_UNIT = r"(?P<unit>days?|d|months?|mo|m|years?|y|дн\w*|день|мес\w*|лет|года?)"
_WORD = r"(?:auto[- ]?)?(?:refill\w*|guarant\w*|warranty|гарант\w*|рефилл?\w*|без списан\w*|♻\ufe0f?)"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\w)r(?P<number>\d{1,4})(?![\w%])",
        rf"(?<!\d)(?P<number>\d{{1,4}})[- ]?{_UNIT}(?!\w)[\s\-–|:\[\]()]*{_WORD}",
        rf"{_WORD}[\s\-–|:\[\]()=]*(?:for )?(?P<number>\d{{1,4}})[- ]?(?:{_UNIT}(?!\w)|(?![\w%]))",
    )
)
_DAYS = {"d": 1, "m": 30, "y": 365, "д": 1, "м": 30, "л": 365, "г": 365}


def suggested_refill_days(name: str) -> int | None:
    """Days, or None for lifetime and for what the name leaves open."""
    text = folded(name)
    for pattern in _PATTERNS:
        found = pattern.search(text)
        if found is not None:
            unit = found.groupdict().get("unit")
            days = int(found["number"]) * (_DAYS[unit[0]] if unit else 1)
            return days if 1 <= days <= LONGEST_DAYS else None
    return None
