"""What the API takes and answers, said once: the page at /docs/api/, the OpenAPI document and docs/api.md are made
from it.

The fields of `add` come from the declarations of the service types, the errors from the API's table, the limits from
the settings, so that none of them is written a second time here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop as N_

from api import errors
from api.actions import SERVICES, bucket_of
from api.door import Bucket
from api.parameters import Parameter, Shape, add_parameters
from api.wishes import CANCEL_TAKEN

YOUR_KEY = "YOUR_KEY"


@dataclass(frozen=True, slots=True)
class Answer:
    """An example, under what it is an example of."""

    title: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to call an action: what is sent, what comes back, and the name of its schema (`api.schemas`)."""

    title: str
    asked: Mapping[str, str]
    parameters: tuple[Parameter, ...] = ()
    answers: tuple[Answer, ...]
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An action as the documentation shows it; `errors` are those beside the ones that every call may meet."""

    name: str
    about: str
    forms: tuple[Form, ...]
    errors: tuple[str, ...] = ()

    @property
    def bucket(self) -> Bucket:
        return bucket_of(self.name)

    @property
    def refusals(self) -> Sequence[str]:
        """The texts of its errors, with N where a number stands."""
        return [text.format("N") for text in self.errors]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of the API, with its value as this panel has it."""

    value: int
    of: str


def actions() -> Sequence[Described]:
    """All of them, in the order that a newcomer needs them."""
    money = {"currency": settings.PANEL_CURRENCY}
    return (_services(), _add(), _status(money), _cancel(), _refill(), _refill_status(), _balance(money))


def described(name: str) -> Described | None:
    return next((action for action in actions() if action.name == name), None)


def form_of(name: str, fields: Mapping[str, str]) -> Form | None:
    """Which form of the action these fields call: that of many ids where its list is sent."""
    action = described(name)
    if action is None:
        return None
    lists = [form for form in action.forms if any(each.lists for each in form.parameters)]
    many = next((form for form in lists if any(each.lists and each.name in fields for each in form.parameters)), None)
    return many or action.forms[0]


def limits() -> Sequence[Limit]:
    """Those of calls and of what is in them; 0 is none."""
    return (
        Limit(settings.API_RATE_LIMIT, N_("services, status, refill_status and balance: calls a minute and key")),
        Limit(settings.API_ORDER_LIMIT, N_("add, refill and cancel: calls a minute and key")),
        Limit(settings.API_BAD_KEY_LIMIT, N_("calls with a wrong key, a minute and address")),
        Limit(settings.API_MAX_IDS, N_("ids in one call")),
        Limit(settings.API_MAX_BODY_BYTES, N_("bytes of a body")),
        Limit(settings.API_MAX_FIELDS, N_("fields of a call")),
        Limit(settings.MAX_LINES, N_("lines of one field: comments, usernames")),
        Limit(settings.MAX_LINE_LENGTH, N_("characters of one line")),
        Limit(settings.MAX_LINK_LENGTH, N_("characters of a link")),
        Limit(settings.MAX_RUNS, N_("runs of one drip-feed")),
        Limit(settings.MAX_INTERVAL_MINUTES, N_("minutes between two runs")),
        Limit(settings.MAX_POSTS, N_("posts of one subscription")),
        Limit(settings.API_IDEMPOTENCY_KEY_LENGTH, N_("characters of an Idempotency-Key")),
    )


_ID = N_("an id")
_IDS = N_("ids with commas between; a JSON body may send a list")
ORDER = Parameter("order", _ID, about=N_("The id that add answered."), shape=Shape.NUMBER)
ORDERS = Parameter("orders", _IDS, about=N_("Each is answered once, for itself."), shape=Shape.IDS)
REFILL = Parameter("refill", _ID, about=N_("The id that refill answered."), shape=Shape.NUMBER)
REFILLS = Parameter("refills", _IDS, about=N_("Each is answered once, for itself."), shape=Shape.IDS)
REQUEST_ID = Parameter(
    "request_id", N_("text"), required=False, about=N_("Does what the header Idempotency-Key does: see safe retries.")
)
NOT_YOURS = {"error": errors.INCORRECT_ORDER}


def _services() -> Described:
    listed = {
        "service": 1, "name": "Followers", "type": "Default", "category": "First category", "rate": "0.90",
        "min": "50", "max": "10000", "refill": True, "cancel": True, "dripfeed": False, "desc": "Starts within an hour",
    }  # fmt: skip
    form = Form(title=N_("All"), asked={}, answers=(Answer(N_("The list"), [listed]),), schema="Services")
    about = N_("What is on sale. rate is what you pay, for 1000 or, of a package, for the whole.")
    return Described(name=SERVICES, about=about, forms=(form,))


def _add() -> Described:
    about = N_("From services; its type says which other fields are sent.")
    service = Parameter("service", _ID, about=about, shape=Shape.NUMBER)
    takes = (service, *add_parameters(), REQUEST_ID)
    made = (Answer(N_("The order's id"), {"order": 23501}),)
    page = "https://example.com/post"
    forms = (
        Form(title=N_("An order"), asked={"service": "1", "link": "https://example.com/me", "quantity": "1000"},
             parameters=takes, answers=made, schema="Added"),
        Form(title=N_("Custom comments"),
             asked={"service": "2", "link": page, "comments": "Lovely\nWell done, all of you"},
             answers=made, schema="Added"),
        Form(title=N_("Drip-feed"),
             asked={"service": "1", "link": page, "quantity": "100", "runs": "10", "interval": "60"},
             answers=made, schema="Added"),
    )  # fmt: skip
    refusals = (
        errors.INCORRECT_SERVICE, errors.NO_FUNDS, errors.TOO_FEW, errors.TOO_MANY, errors.NOT_A_MULTIPLE,
        errors.BAD_LINK, errors.BAD_IDEMPOTENCY_KEY, errors.KEY_REUSED,
    )  # fmt: skip
    about = N_("Places an order and charges it. What is refused charges nothing.")
    return Described(name="add", about=about, forms=forms, errors=refusals)


def _status(money: Mapping[str, str]) -> Described:
    plain = {"charge": "0.27819", "start_count": "3572", "status": "Partial", "remains": "157", **money}
    parts = ["23501-1", "23501-2"]  # asked for by `status` as orders are
    drip: dict[str, Any] = {"charge": "0.90", "status": "In progress", "runs": 2, "orders": parts, **money}
    follows: dict[str, Any] = {"charge": "4.50", "status": "Active", "posts": 2, "expiry": None, "orders": parts}
    follows |= money
    one = (Answer(N_("An order"), plain), Answer(N_("A drip-feed"), drip), Answer(N_("A subscription"), follows))
    many = {"1": plain, "10": NOT_YOURS, "100": {**plain, "status": "In progress"}}
    forms = (
        Form(title=N_("One order"), asked={"order": "23501"}, parameters=(ORDER,), answers=one, schema="Status"),
        Form(title=N_("Many orders"), asked={"orders": "1,10,100"}, parameters=(ORDERS,),
             answers=(Answer(N_("By id, as they were sent"), many),), schema="Statuses"),
    )  # fmt: skip
    about = N_("Where an order stands. charge is what it has cost so far: its price less what was refunded.")
    return Described(name="status", about=about, forms=forms, errors=(errors.INCORRECT_ORDER, errors.TOO_MANY_IDS))


def _cancel() -> Described:
    many = [{"order": 9, "cancel": {"error": errors.NOT_CANCELABLE}}, {"order": 2, "cancel": 1}]
    forms = (
        Form(title=N_("One order"), asked={"order": "23501"}, parameters=(ORDER,),
             answers=(Answer(N_("Asked for"), CANCEL_TAKEN),), schema="CancelTaken"),
        Form(title=N_("Many orders"), asked={"orders": "9,2"}, parameters=(ORDERS,),
             answers=(Answer(N_("In their order"), many),), schema="CanceledEach"),
    )  # fmt: skip
    refusals = (errors.INCORRECT_ORDER, errors.NOT_CANCELABLE, errors.TOO_MANY_IDS)
    about = N_("Asks to cancel. Whether it was, and what was refunded, says the order's later status.")
    return Described(name="cancel", about=about, forms=forms, errors=refusals)


def _refill() -> Described:
    many = [{"order": 1, "refill": 1}, {"order": 3, "refill": NOT_YOURS}]
    forms = (
        Form(title=N_("One order"), asked={"order": "23501"}, parameters=(ORDER,),
             answers=(Answer(N_("The refill's id"), {"refill": "1"}),), schema="Refilled"),
        Form(title=N_("Many orders"), asked={"orders": "1,3"}, parameters=(ORDERS,),
             answers=(Answer(N_("In their order"), many),), schema="RefilledEach"),
    )  # fmt: skip
    refusals = (errors.INCORRECT_ORDER, errors.NOT_REFILLABLE, errors.TOO_MANY_IDS)
    about = N_(
        "Asks to fill up what dropped. A drip-feed is refilled run by run: the answer is the first run's refill, and "
        "callbacks tell of each."
    )
    return Described(name="refill", about=about, forms=forms, errors=refusals)


def _refill_status() -> Described:
    many = [{"refill": 1, "status": "Completed"}, {"refill": 3, "status": {"error": errors.INCORRECT_REFILL}}]
    forms = (
        Form(title=N_("One refill"), asked={"refill": "1"}, parameters=(REFILL,),
             answers=(Answer(N_("Its status"), {"status": "Completed"}),), schema="RefillStatus"),
        Form(title=N_("Many refills"), asked={"refills": "1,3"}, parameters=(REFILLS,),
             answers=(Answer(N_("In their order"), many),), schema="RefillStatuses"),
    )  # fmt: skip
    refusals = (errors.INCORRECT_REFILL, errors.TOO_MANY_IDS)
    return Described(name="refill_status", about=N_("Where a refill stands."), forms=forms, errors=refusals)


def _balance(money: Mapping[str, str]) -> Described:
    answer = Answer(N_("What is left to spend"), {"balance": "100.84292", **money})
    form = Form(title=N_("Yours"), asked={}, answers=(answer,), schema="Balance")
    return Described(name="balance", about=N_("Your balance."), forms=(form,))
