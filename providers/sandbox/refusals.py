"""The sandbox's refusals: what it answers as {"error": …}, in the words that providers use (dialect §1, errors)."""

from __future__ import annotations


class Refused(Exception):
    """A business error; its text is the answer's `error`."""


INCORRECT_REQUEST = "Incorrect request"
INVALID_KEY = "Invalid API key"
UNKNOWN_ACTION = "Unknown action specified!"
INCORRECT_SERVICE = "Incorrect service ID"
INCORRECT_ORDER = "Incorrect order ID"
INCORRECT_REFILL = "Incorrect refill ID"
NO_FUNDS = "Not enough funds on balance"
DUPLICATE_LINK = "neworder.error.link_duplicate"
BAD_LINK = "Bad link"
TOO_FEW = "Quantity less than minimal {}"
TOO_MANY = "Quantity more than maximum {}"
NO_DRIPFEED = "Drip-feed is not available for this service"
NO_CANCEL = "Order can not be canceled"
NO_REFILL = "Order not eligible for refill."
MAINTENANCE = "Maintenance, please try again later"
INACTIVE = "user_inactive"
