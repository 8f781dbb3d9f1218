"""Why a provider refused: the known texts, the provider's own, and what stays open."""

from __future__ import annotations

import pytest

from providers.dialect.refusals import TEXT_LENGTH, classify
from providers.dialect.words import WordMap
from providers.outcomes import Cause, Refusal, Scope
from tests.providers.dialect.builders import KEY


@pytest.mark.parametrize(
    ("text", "cause", "scope"),
    [
        # the dialect page's list, in its order
        ("Incorrect request", Cause.INCORRECT_REQUEST, Scope.SERVICE),
        ("Invalid API key", Cause.BAD_KEY, Scope.PROVIDER),
        ("Incorrect order ID", Cause.INCORRECT_ID, Scope.ORDER),
        ("Incorrect service ID", Cause.SERVICE_GONE, Scope.SERVICE),
        ("Incorrect refill ID", Cause.INCORRECT_ID, Scope.ORDER),
        ("Not enough funds on balance", Cause.FUNDS, Scope.PROVIDER),
        ("neworder.error.not_enough_funds", Cause.FUNDS, Scope.PROVIDER),
        ("neworder.error.link_duplicate", Cause.DUPLICATE_LINK, Scope.ORDER),
        ("neworder.error.min_quantity", Cause.QUANTITY, Scope.ORDER),
        ("neworder.error.max_quantity", Cause.QUANTITY, Scope.ORDER),
        ("neworder.error.link", Cause.LINK, Scope.ORDER),
        ("error.incorrect_service_id", Cause.SERVICE_GONE, Scope.SERVICE),
        ("error.incorrect_order_id", Cause.INCORRECT_ID, Scope.ORDER),
        (
            "You have active order with this link. Please wait until order being completed.",
            Cause.DUPLICATE_LINK,
            Scope.ORDER,
        ),
        ("Quantity less than minimal 50", Cause.QUANTITY, Scope.ORDER),
        ("Quantity more than maximum 10000", Cause.QUANTITY, Scope.ORDER),
        ("Bad link", Cause.LINK, Scope.ORDER),
        ("Order not eligible for refill.", Cause.NOT_ELIGIBLE, Scope.ORDER),
        ("user_inactive", Cause.INACTIVE, Scope.PROVIDER),
        ("Unknown action specified!", Cause.UNKNOWN_ACTION, Scope.PROVIDER),
        # obvious variants
        ("Insufficient balance", Cause.FUNDS, Scope.PROVIDER),
        ("Недостаточно средств на балансе", Cause.FUNDS, Scope.PROVIDER),
        ("The API key is invalid", Cause.BAD_KEY, Scope.PROVIDER),
        ("Unauthenticated.", Cause.BAD_KEY, Scope.PROVIDER),
        ("Your account has been suspended", Cause.INACTIVE, Scope.PROVIDER),
        ("The panel is under maintenance, try again later", Cause.MAINTENANCE, Scope.PROVIDER),
        ("Too many requests, try again later", Cause.RATE_LIMIT, Scope.PROVIDER),
        ("Rate limit exceeded", Cause.RATE_LIMIT, Scope.PROVIDER),
        ("Service is not active", Cause.SERVICE_GONE, Scope.SERVICE),
        ("Service 12 not found", Cause.SERVICE_GONE, Scope.SERVICE),
        ("This service has been disabled", Cause.SERVICE_GONE, Scope.SERVICE),
        ("Invalid link", Cause.LINK, Scope.ORDER),
        ("Minimum quantity is 100", Cause.QUANTITY, Scope.ORDER),
        ("Order cannot be canceled", Cause.NOT_ELIGIBLE, Scope.ORDER),
        # a refusal in words that nobody has classified
        ("Nope", Cause.OTHER, Scope.ORDER),
        ("104", Cause.OTHER, Scope.ORDER),
        ("Ссылка не подходит", Cause.OTHER, Scope.ORDER),
        ("Order not found", Cause.OTHER, Scope.ORDER),
    ],
)
def test_the_known_texts(text: str, cause: Cause, scope: Scope) -> None:
    assert classify([text]) == Refusal(scope, cause, text)


@pytest.mark.parametrize(
    "text",
    [
        "Timeout",
        "Request timed out",
        "Duplicate request",
        "Duplicate order",
        "Internal error",
        "Internal Server Error",
        "Server error",
        "Service Unavailable",
        "Service temporarily unavailable",
        "Try again later",
        "Please wait",
        "Something went wrong",
        "Unknown error",
        "An error has occurred",
        "SQLSTATE[40001]: Serialization failure",
        "Deadlock found when trying to get lock",
        "cURL error 28",
        "Bad gateway",
        "Your order is processing",
        "This order already exists",
        "Failed to create order",
        "Попробуйте позже",
        "Order 17 was created, but the link is invalid",
        "Order has been placed; not enough funds for the next",
        "Not enough " + "x" * 400 + " funds, Bad link",
    ],
)
def test_words_that_leave_open_whether_it_was_done(text: str) -> None:
    assert classify([text]).cause is Cause.AMBIGUOUS


def test_of_several_texts_the_one_that_says_something_speaks() -> None:
    assert classify(["Error", "Please wait", "Bad link"]).cause is Cause.LINK
    assert classify(["Bad link", "Order was created"]).cause is Cause.AMBIGUOUS
    assert classify(["Error", "Please wait"]).cause is Cause.AMBIGUOUS


def test_the_provider_s_own_map_comes_first_and_numbers_do_not_matter() -> None:
    words = WordMap.read({"refusal": {"Try again later": "maintenance", "Too small: 50": "quantity", "104": "link"}})
    assert classify(["Try again later!"], words).cause is Cause.MAINTENANCE
    assert classify(["too small: 1000"], words).cause is Cause.QUANTITY
    assert classify(["104"], words).cause is Cause.LINK
    assert classify(["105"], words).cause is Cause.OTHER


def test_a_refusal_s_text_is_cut_and_never_shows_the_key() -> None:
    assert classify([f"Invalid API key: {KEY}"], key=KEY).text == "Invalid API key: [key]"
    assert len(classify(["x" * 5000]).text) == TEXT_LENGTH
    assert classify([]).text == "no reason was given"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("100 requests per minute", Cause.RATE_LIMIT),
        ("You are throttled", Cause.RATE_LIMIT),
        ("Balance too low", Cause.FUNDS),
        ("Low balance", Cause.FUNDS),
        ("Saldo insuficiente", Cause.FUNDS),
        ("Yetersiz bakiye", Cause.FUNDS),
        ("Технические работы", Cause.MAINTENANCE),
        ("Duplicated link", Cause.DUPLICATE_LINK),
        ("There is an active order: same link", Cause.DUPLICATE_LINK),
        ("An order for this link runs", Cause.DUPLICATE_LINK),
        ("The link is already in use", Cause.DUPLICATE_LINK),
        ("The service doesn't exist", Cause.SERVICE_GONE),
        ("No such service", Cause.SERVICE_GONE),
        ("Quantity is required", Cause.QUANTITY),
        ("Link is required", Cause.LINK),
        ("Look at the link format", Cause.LINK),
        ("Refill is disabled", Cause.NOT_ELIGIBLE),
        ("Action not supported", Cause.UNKNOWN_ACTION),
        ("Try again", Cause.AMBIGUOUS),
        ("Come later", Cause.AMBIGUOUS),
        ("A temporary difficulty", Cause.AMBIGUOUS),
        ("Exception in line 7", Cause.AMBIGUOUS),
        ("No connection", Cause.AMBIGUOUS),
        ("Lütfen tekrar deneyin", Cause.AMBIGUOUS),
        ("Попробуйте ещё раз", Cause.AMBIGUOUS),
        ("Время ожидания истекло", Cause.AMBIGUOUS),
    ],
)
def test_each_phrase_is_known_by_itself(text: str, cause: Cause) -> None:
    assert classify([text]).cause is cause


def test_a_text_is_classified_up_to_a_length_and_kept_up_to_one() -> None:
    phrase = "Not enough funds "
    assert classify([phrase + "x" * (300 - len(phrase))]).cause is Cause.FUNDS
    assert classify([phrase + "x" * (301 - len(phrase))]).cause is Cause.AMBIGUOUS
    assert len(classify(["x" * 400]).text) == 300


def test_the_texts_of_one_answer_are_told_together_and_empty_ones_left_out() -> None:
    assert classify([" ", "Bad link", "", "Really"]).text == "Bad link; Really"
