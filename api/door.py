"""Who is calling, and whether he may.

A wrong key costs one hash and one query, like a right one. Wrong keys are counted for the address they come from, as
our own proxies tell it; right ones for the key, reads and orders apart. Too many wrong keys from an address never shut
out a right one that comes from there.
"""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest

from accounts.keys import Opened, open_with
from accounts.visitors import client_address, home_of
from api import errors
from api.counting import seconds_to_wait
from api.errors import ApiError


class Bucket(StrEnum):
    """What a key's calls are counted as."""

    READS = "reads"
    ORDERS = "orders"


def let_in(request: HttpRequest, key: str) -> Opened:
    """The customer whose key this is. Raises ApiError for a wrong key, and for one too many of them."""
    address = client_address(request)
    opened = open_with(key, address=address)
    if opened is None:
        _count(f"bad-key:{home_of(address)}", settings.API_BAD_KEY_LIMIT)
        raise ApiError(errors.INVALID_KEY)
    return opened


def count(caller: str, bucket: Bucket) -> None:
    """Counts a call of this caller: a key's id, or what stands in its place. Raises ApiError with the seconds to wait
    where the minute's calls are used up.
    """
    share = settings.API_ORDER_LIMIT if bucket is Bucket.ORDERS else settings.API_RATE_LIMIT
    _count(f"{bucket}:{caller}", share)


def _count(name: str, most: int) -> None:
    wait = seconds_to_wait(name, a_minute=most) if most else None  # 0 turns a limit off
    if wait is not None:
        raise ApiError(errors.TOO_MANY_REQUESTS, retry_after=wait)
