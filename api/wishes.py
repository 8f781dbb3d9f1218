"""`cancel`, `refill` and `refill_status`: of one order in the seed's form, of many as a list, each item for itself.

What is taken is asked for, never done: only the order's later status says what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.models import Customer
from api import errors
from api.bodies import Fields
from api.errors import ApiError
from api.ids import as_sent, many_ids, one_id
from orders.answers import word
from orders.cancelling import CannotCancel, request_cancel
from orders.models import Order, RefillRequest
from orders.refilling import CannotRefill, request_refill
from records.audit import actor_of

CANCEL_TAKEN = {"status": "success", "message": "Cancellation request added, we'll try our best to cancel it."}


def cancel(customer: Customer, fields: Fields) -> object:
    """The seed's answer for `order`; the list form for `orders`, one id too."""
    if "orders" in fields:
        return _each_order(customer, fields["orders"], "cancel", lambda order: _cancel(customer, order))
    _cancel(customer, _one_order(customer, fields))
    return CANCEL_TAKEN


def refill(customer: Customer, fields: Fields) -> object:
    if "orders" in fields:
        return _each_order(customer, fields["orders"], "refill", lambda order: _refill(customer, order))
    return {"refill": str(_refill(customer, _one_order(customer, fields)))}


def refill_status(customer: Customer, fields: Fields) -> object:
    if "refills" in fields:
        asked = many_ids(fields["refills"])
        found = _own_refills(customer, [number for number in asked.values() if number is not None])
        return [
            {"refill": as_sent(text), "status": _word_or_error(found.get(number))} for text, number in asked.items()
        ]
    number = one_id(fields.get("refill", ""))
    refill = _own_refills(customer, [number]).get(number) if number is not None else None
    if refill is None:
        raise ApiError(errors.INCORRECT_REFILL if fields.get("refill") else errors.INCORRECT_REQUEST)
    return {"status": word(refill)}


def _cancel(customer: Customer, order: Order) -> int:
    try:
        request_cancel(order=order, actor=actor_of(customer.user))
    except CannotCancel as error:
        raise ApiError(errors.NOT_CANCELABLE) from error
    return 1


def _refill(customer: Customer, order: Order) -> int:
    try:
        return int(request_refill(order=order, actor=actor_of(customer.user)).pk)
    except CannotRefill as error:
        raise ApiError(errors.NOT_REFILLABLE) from error


def _one_order(customer: Customer, fields: Fields) -> Order:
    if not fields.get("order", "").strip():
        raise ApiError(errors.INCORRECT_REQUEST)
    number = one_id(fields["order"])
    order = _own(customer, [number]).get(number) if number is not None else None
    if order is None:
        raise ApiError(errors.INCORRECT_ORDER)
    return order


def _each_order(customer: Customer, text: str, name: str, ask: Callable[[Order], int]) -> list[dict[str, Any]]:
    """Each item for itself: one that is refused holds up no other."""
    asked = many_ids(text)
    found = _own(customer, [number for number in asked.values() if number is not None])
    answers = []
    for sent, number in asked.items():
        order = found.get(number) if number is not None else None
        answer: object = {"error": errors.INCORRECT_ORDER}
        if order is not None:
            try:
                answer = ask(order)
            except ApiError as error:
                answer = {"error": error.text}
        answers.append({"order": as_sent(sent), name: answer})
    return answers


def _own(customer: Customer, numbers: list[int]) -> dict[int, Order]:
    own = Order.objects.filter(customer=customer, pk__in=numbers, parent__isnull=True)
    return {order.pk: order for order in own}


def _own_refills(customer: Customer, numbers: list[int]) -> dict[int | None, RefillRequest]:
    own = RefillRequest.objects.filter(order__customer=customer, pk__in=numbers)
    return {refill.pk: refill for refill in own}


def _word_or_error(refill: RefillRequest | None) -> object:
    return {"error": errors.INCORRECT_REFILL} if refill is None else word(refill)
