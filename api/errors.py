"""What the API says when it refuses: one English table, never translated and never a provider's words.

Clients read these texts by eye and by comparison, so the spellings are those that other panels use (dialect §3).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop as N_

INVALID_KEY = "Invalid API key"
INCORRECT_REQUEST = "Incorrect request"
INCORRECT_ACTION = "Unknown action specified!"
INCORRECT_SERVICE = "Incorrect service ID"
INCORRECT_ORDER = "Incorrect order ID"
INCORRECT_REFILL = "Incorrect refill ID"
NO_FUNDS = "Not enough funds on balance"
TOO_FEW = "Quantity less than minimal {}"
TOO_MANY = "Quantity more than maximum {}"
NOT_A_MULTIPLE = "Quantity must be a multiple of {}"
BAD_LINK = "Bad link"
NOT_CANCELABLE = "Order cannot be canceled"
NOT_REFILLABLE = "Order not eligible for refill."
TOO_MANY_REQUESTS = "Too many requests"
TOO_MANY_IDS = "Too many IDs: at most {} in one request"
KEY_IN_ADDRESS = "Send the key in the body of a POST request, never in the address"
POST_ONLY = "Send a POST request"
TOO_LARGE = "Request is too large: at most {} bytes"
REPEATED_FIELD = "Incorrect request: {} was sent twice"
KEY_REUSED = "This Idempotency-Key was used with another order"
BAD_IDEMPOTENCY_KEY = "Idempotency-Key must be 1 to {} printable characters"
BROKEN = "Internal error. If this was an order, send it again with the same Idempotency-Key"


@dataclass(frozen=True, slots=True)
class ErrorText:
    """A line of the table, as the documentation shows it."""

    text: str
    when: str


TABLE = (
    ErrorText(INVALID_KEY, N_("The key is missing, wrong, expired or revoked, or its address is not on its list.")),
    ErrorText(
        INCORRECT_REQUEST, N_("A field is missing, or does not fit the service; often with the reason after a colon.")
    ),
    ErrorText(INCORRECT_ACTION, N_("There is no such action.")),
    ErrorText(INCORRECT_SERVICE, N_("There is no such service, or it is not on sale at the moment.")),
    ErrorText(INCORRECT_ORDER, N_("You have no order of this id.")),
    ErrorText(INCORRECT_REFILL, N_("You have no refill of this id.")),
    ErrorText(NO_FUNDS, N_("Your balance does not cover the order. Nothing was charged.")),
    ErrorText(TOO_FEW.format("N"), N_("The quantity is below the service's minimum.")),
    ErrorText(TOO_MANY.format("N"), N_("The quantity is above the service's maximum.")),
    ErrorText(NOT_A_MULTIPLE.format("N"), N_("The service is sold in steps.")),
    ErrorText(BAD_LINK, N_("The link is none, or does not fit the service.")),
    ErrorText(NOT_CANCELABLE, N_("The order has ended, is asked for already, or its service cannot be canceled.")),
    ErrorText(NOT_REFILLABLE, N_("The order is not completed, its service has no refill, or its time is over.")),
    ErrorText(TOO_MANY_REQUESTS, N_("Too many requests in a minute. The header Retry-After says when to go on.")),
    ErrorText(TOO_MANY_IDS.format("N"), N_("More ids than one request takes; none was answered.")),
    ErrorText(KEY_IN_ADDRESS, N_("Addresses are written to logs; the body is not.")),
    ErrorText(POST_ONLY, N_("Every action is a POST request.")),
    ErrorText(TOO_LARGE.format("N"), N_("The body is longer than one call may be.")),
    ErrorText(REPEATED_FIELD.format("NAME"), N_("Which of the two was meant cannot be known.")),
    ErrorText(BAD_IDEMPOTENCY_KEY.format("N"), N_("The Idempotency-Key or request_id is empty, too long or not text.")),
    ErrorText(KEY_REUSED, N_("The Idempotency-Key belongs to another order. Nothing was made.")),
    ErrorText(BROKEN, N_("A fault of ours. An Idempotency-Key makes it safe to send the same order again.")),
)


class ApiError(Exception):
    """The request is refused; the text is what the client reads. Nothing was changed."""

    def __init__(self, text: str, *, retry_after: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.retry_after = retry_after  # seconds


def incorrect(reason: str) -> ApiError:
    """«Incorrect request» with a reason that a programmer can act on."""
    return ApiError(f"{INCORRECT_REQUEST}: {reason}")
