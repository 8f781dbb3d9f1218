"""How often something may be asked for from one place: counted in the cache, forgotten when it is down.

For what costs us something, letters and hashing; what guards an account is counted in the database
(`accounts.guessing`).
"""

from __future__ import annotations

import logging

from django.core.cache import cache
from redis import RedisError

log = logging.getLogger(__name__)
HOUR = 3600


def within(what: str, who: str, *, most: int, seconds: int = HOUR) -> bool:
    """Count once more; False when there were more than `most` since the first, `seconds` ago at the earliest."""
    name = f"pace:{what}:{who}"
    try:
        if cache.add(name, 1, timeout=seconds):
            return most > 0
        return int(cache.incr(name)) <= most
    except ValueError:  # it ended between the two
        return True
    except (RedisError, OSError) as error:
        log.warning("Nothing is counted: the cache does not answer (%s)", type(error).__name__)
        return True
