"""A refill's state as its customer reads it. Its words are its own: in other languages "completed" follows its noun."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import pgettext

from orders.models import RefillRequest

Status = RefillRequest.Status
WORDS: Mapping[str, tuple[Callable[[], str], str]] = {
    Status.IN_PROGRESS: (lambda: pgettext("refill", "In progress"), "active"),
    Status.COMPLETED: (lambda: pgettext("refill", "Completed"), "good"),
    Status.REJECTED: (lambda: pgettext("refill", "Rejected"), "bad"),
    Status.CANCELED: (lambda: pgettext("refill", "Canceled"), "bad"),
    Status.ERROR: (lambda: pgettext("refill", "Failed"), "bad"),
}


def in_words(status: str) -> str:
    """What is not known to have begun is requested: how it goes to its provider is not the customer's business."""
    return WORDS[status][0]() if status in WORDS else pgettext("refill", "Requested")


def tone_of(status: str) -> str:
    """The colour of its dot; "" for none."""
    return WORDS[status][1] if status in WORDS else ""
